//! Files as streams that are decompressed on the way: gzip (with any number of members) and Zstandard.

use std::io::{self, BufRead, BufReader, Read};

/// Decompressed bytes that the ratio does not limit.
const FREE_BYTES: u64 = 1 << 20;
/// Windows of up to 32 MiB (`zstd --ultra -20`), so that a frame cannot ask for more memory.
const MAX_WINDOW_LOG: u32 = 25;
const DECODER_BUFFER_BYTES: usize = 1 << 16;

/// How much larger a compressed file may become. A file that exceeds it is taken for a decompression bomb.
#[derive(Clone, Copy, Debug)]
pub struct ExpansionLimit {
    /// Decompressed bytes for each compressed one, beyond the first MiB.
    pub ratio: u64,
    /// Decompressed bytes in all.
    pub bytes: u64,
}

impl ExpansionLimit {
    /// Return the decompressed bytes that a file of `size` bytes may have.
    fn max_output(self, size: u64) -> u64 {
        self.ratio.saturating_mul(size).saturating_add(FREE_BYTES).min(self.bytes)
    }

    /// Describe a file that has exceeded `max_output` decompressed bytes.
    pub fn bomb_message(self, max_output: u64) -> String {
        if max_output == self.bytes {
            format!("the file has more than {max_output} bytes when it is decompressed")
        } else {
            format!("the file grows more than {} times as it is decompressed", self.ratio)
        }
    }
}

impl Default for ExpansionLimit {
    fn default() -> ExpansionLimit {
        ExpansionLimit { ratio: 100, bytes: 1 << 40 }
    }
}

/// A file as a stream of decompressed bytes.
pub struct DecompressedStream<'a> {
    pub stream: Box<dyn BufRead + 'a>,
    /// Bytes that the stream may yield before the file is refused.
    pub max_output: u64,
    /// "gzip", "zstd", or "" if the file is not compressed in a known format.
    pub compression: &'static str,
}

/// Name the compression format that a file begins like, "" if none.
pub fn detect_compression(head: &[u8]) -> &'static str {
    match head {
        [0x1F, 0x8B, ..] => "gzip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        _ => "",
    }
}

/// Open a file of `size` bytes as a stream of decompressed bytes.
pub fn open_decompressed<'a>(
    mut file: impl BufRead + 'a,
    size: u64,
    limit: ExpansionLimit,
) -> io::Result<DecompressedStream<'a>> {
    let compression = detect_compression(file.fill_buf()?);
    let stream: Box<dyn BufRead + 'a> = match compression {
        "gzip" => Box::new(buffer(flate2::bufread::MultiGzDecoder::new(file))),
        "zstd" => {
            let mut decoder = zstd::Decoder::with_buffer(file)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(buffer(decoder))
        }
        _ => {
            return Ok(DecompressedStream { stream: Box::new(file), max_output: u64::MAX, compression });
        }
    };
    Ok(DecompressedStream { stream, max_output: limit.max_output(size), compression })
}

/// Return the decompressed bytes of a file, or the first `max` of them.
///
/// If `partial`, a file that breaks off yields the bytes before.
pub fn read_decompressed(file: &[u8], max: u64, partial: bool) -> io::Result<Vec<u8>> {
    let opened = open_decompressed(file, file.len() as u64, ExpansionLimit::default())?;
    let mut bytes = Vec::new();
    if let Err(error) = opened.stream.take(opened.max_output.min(max)).read_to_end(&mut bytes) {
        if !partial || bytes.is_empty() {
            return Err(error);
        }
    }
    if bytes.len() as u64 == opened.max_output {
        return Err(io::Error::other(ExpansionLimit::default().bomb_message(opened.max_output)));
    }
    Ok(bytes)
}

fn buffer<R: Read>(decoder: R) -> BufReader<R> {
    BufReader::with_capacity(DECODER_BUFFER_BYTES, decoder)
}
