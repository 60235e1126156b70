//! Compressed files as streams: gzip (with any number of members) and Zstandard.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes out for each byte in, beyond the first MiB: what grows more is taken for a bomb.
const MOST_RATIO: u64 = 100;
const FREE: u64 = 1 << 20;

/// A decompressed file and how many bytes may come of it.
pub struct Decompressed<'a> {
    pub stream: Box<dyn BufRead + 'a>,
    pub most: u64,
}

/// What to say of a file that grows beyond that.
pub const BOMB: (&str, &str) = (
    "the file grows more than 100 times as it is decompressed",
    "a file that is what it seems; decompress it first",
);

/// The decompressed bytes; None if the file is not compressed in a format that is known here.
pub fn open(file: &[u8]) -> io::Result<Option<Decompressed<'_>>> {
    let stream: Box<dyn BufRead + '_> = match file {
        [0x1F, 0x8B, ..] => Box::new(buffered(flate2::bufread::MultiGzDecoder::new(file))),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Box::new(buffered(zstd::Decoder::with_buffer(file)?)),
        _ => return Ok(None),
    };
    Ok(Some(Decompressed { stream, most: FREE + MOST_RATIO * file.len() as u64 }))
}

fn buffered<R: Read>(decoder: R) -> BufReader<R> {
    BufReader::with_capacity(1 << 16, decoder)
}
