//! Files as streams, decompressed on the way: gzip (with any number of members) and Zstandard.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes out that no limit counts.
const FREE: u64 = 1 << 20;
/// A frame may ask for a window of 32 MiB (what `zstd --ultra -20` uses): memory is bounded.
const MOST_WINDOW_LOG: u32 = 25;

/// How much a compressed file may grow; what grows more is taken for a bomb.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// Bytes out for each byte in, beyond the first MiB.
    pub ratio: u64,
    /// Bytes out in all.
    pub bytes: u64,
}

impl Growth {
    /// What a file of `size` bytes may become.
    fn most(self, size: u64) -> u64 {
        self.ratio.saturating_mul(size).saturating_add(FREE).min(self.bytes)
    }

    /// What to say of a file that became more than `most`.
    pub fn bomb(self, most: u64) -> String {
        if most == self.bytes {
            format!("the file has more than {most} bytes when it is decompressed")
        } else {
            format!("the file grows more than {} times as it is decompressed", self.ratio)
        }
    }
}

impl Default for Growth {
    fn default() -> Growth {
        Growth { ratio: 100, bytes: 1 << 40 }
    }
}

/// A file as what was compressed into it, and how many bytes may come of it.
pub struct Opened<'a> {
    pub stream: Box<dyn BufRead + 'a>,
    pub most: u64,
    /// "" if it is not compressed in a format that is known here.
    pub compression: &'static str,
}

/// The name of the compression that a file begins like.
pub fn compression(head: &[u8]) -> &'static str {
    match head {
        [0x1F, 0x8B, ..] => "gzip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        _ => "",
    }
}

/// The decompressed bytes of a file of `size` bytes.
pub fn open<'a>(mut file: impl BufRead + 'a, size: u64, growth: Growth) -> io::Result<Opened<'a>> {
    let compression = compression(file.fill_buf()?);
    let stream: Box<dyn BufRead + 'a> = match compression {
        "gzip" => Box::new(buffered(flate2::bufread::MultiGzDecoder::new(file))),
        "zstd" => {
            let mut decoder = zstd::Decoder::with_buffer(file)?;
            decoder.window_log_max(MOST_WINDOW_LOG)?;
            Box::new(buffered(decoder))
        }
        _ => return Ok(Opened { stream: Box::new(file), most: u64::MAX, compression }),
    };
    Ok(Opened { stream, most: growth.most(size), compression })
}

fn buffered<R: Read>(decoder: R) -> BufReader<R> {
    BufReader::with_capacity(1 << 16, decoder)
}
