//! The file in pieces, whether it is mapped or decompressed: memory stays bounded whatever its size.

use super::{pcap, pcapng, Format, Piece, Reading, Sink};
use crate::decompress::{self, Decompressed, BOMB};
use crate::fault::{at_byte, Checked, Fault};
use std::io::{BufRead, ErrorKind, Read};

const PIECE: usize = 4 << 20;
/// As much as tells the formats apart and holds the header of either.
const HEAD: usize = 28;

/// A whole file in memory or mapped into it.
pub trait Mapped {
    fn bytes(&self) -> &[u8];
    /// The pages before `end` will not be asked for again.
    fn release(&self, end: usize);
}

impl Mapped for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn release(&self, _end: usize) {}
}

enum Reader {
    Pcap(pcap::Reader),
    Pcapng(pcapng::Reader),
}

impl Reader {
    /// The reader of the format that a file begins like.
    fn of<S: Sink>(head: &[u8], reading: &mut Reading<S>) -> Checked<Reader> {
        match *head {
            [] | [_] | [_, _] | [_, _, _] => Err(at_byte(
                0,
                format!("the file has {} bytes", head.len()),
                "a pcap or pcapng capture begins with a header of 24 or more",
            )),
            [0x0A, 0x0D, 0x0D, 0x0A, ..] => {
                reading.format = "pcapng";
                Ok(Reader::Pcapng(pcapng::Reader::new()))
            }
            [0xFD, b'7', b'z', b'X', ..] => {
                Err(at_byte(0, "the file is compressed (xz)", "decompress it first: unxz FILE"))
            }
            _ => {
                reading.format = "pcap";
                Ok(Reader::Pcap(pcap::Reader::new(head)?))
            }
        }
    }

    fn advance<S: Sink>(&mut self, piece: Piece, reading: &mut Reading<S>) -> Checked<usize> {
        match self {
            Reader::Pcap(reader) => reader.advance(piece, reading),
            Reader::Pcapng(reader) => reader.advance(piece, reading),
        }
    }
}

/// Read a whole capture, compressed or not.
pub fn read<S: Sink>(file: &impl Mapped, reading: &mut Reading<S>) -> Checked<()> {
    match decompress::open(file.bytes()).map_err(|error| undone(&error, 0))? {
        Some(stream) => decompressed(stream, reading),
        None => mapped(file, reading),
    }
}

fn mapped<S: Sink>(file: &impl Mapped, reading: &mut Reading<S>) -> Checked<()> {
    let whole = file.bytes();
    let mut reader = Reader::of(whole, reading)?;
    let (mut at, mut size) = (0, PIECE);
    loop {
        let end = whole.len().min(at + size);
        let last = end == whole.len();
        let used = reader.advance(Piece { bytes: &whole[at..end], at, last }, reading)?;
        if last {
            return Ok(());
        }
        size = if used == 0 { 2 * size } else { PIECE };
        at += used;
        file.release(at);
    }
}

fn decompressed<S: Sink>(file: Decompressed, reading: &mut Reading<S>) -> Checked<()> {
    let mut stream = Limited { stream: file.stream, given: 0, most: file.most, broken: None };
    let mut bytes = Vec::new();
    let mut last = stream.more(&mut bytes, HEAD)?;
    if let (Some(what), true) = (&stream.broken, bytes.is_empty()) {
        return Err(at_byte(0, what.as_str(), "a whole file"));
    }
    if decompress::open(&bytes).is_ok_and(|inner| inner.is_some()) {
        return Err(at_byte(0, "the file is compressed twice", "decompress it once"));
    }
    let mut reader = Reader::of(&bytes, reading)?;
    let mut at = 0;
    loop {
        let used = reader.advance(Piece { bytes: &bytes, at, last }, reading)?;
        if last {
            break;
        }
        bytes.drain(..used);
        at += used;
        let wanted = if used == 0 { 2 * bytes.len() } else { PIECE };
        last = stream.more(&mut bytes, wanted)?;
    }
    if let Some(what) = stream.broken {
        let packets = reading.counts.packets;
        reading.truncated = Some(format!("{what}; the {packets} packets before that were read"));
    }
    Ok(())
}

/// A stream that may not grow beyond all measure, and may break off.
struct Limited<'a> {
    stream: Box<dyn BufRead + 'a>,
    given: u64,
    most: u64,
    broken: Option<String>,
}

impl Limited<'_> {
    /// Fill up to `wanted` bytes; whether there is nothing after them.
    fn more(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> Checked<bool> {
        let room = wanted.saturating_sub(bytes.len());
        let allowed = u64::min(room as u64, self.most - self.given);
        let got = match (&mut self.stream).take(allowed).read_to_end(bytes) {
            Ok(got) => got,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.broken = Some("the compressed file ends before its end".into());
                return Ok(true);
            }
            Err(error) => return Err(undone(&error, self.given as usize)),
        };
        self.given += got as u64;
        if got < room && self.given == self.most && !self.stream.fill_buf().is_ok_and(<[u8]>::is_empty) {
            return Err(at_byte(self.most as usize, BOMB.0, BOMB.1));
        }
        Ok(got < room)
    }
}

fn undone(error: &std::io::Error, at: usize) -> Fault {
    at_byte(at, format!("cannot be decompressed: {error}"), "a sound file")
}
