//! The file in pieces, decompressed where it has to be: memory stays bounded whatever its size.

use super::{pcap, pcapng, Format, Piece, Reading, Sink};
use crate::decompress::{self, Growth, Opened};
use crate::fault::{at_byte, Checked, Fault};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Fits the second level cache; grows where one block is larger.
const PIECE: usize = 1 << 18;
const LEAST: usize = 1 << 14;
/// Pieces from one question whether to stop to the next, a few hundredths of a second.
const ASK: usize = 64;

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

/// Read a whole capture of `size` bytes, compressed or not; now and then ask whether to stop.
pub fn read<S: Sink>(
    file: impl Read,
    size: u64,
    reading: &mut Reading<S>,
    stop: &dyn Fn() -> bool,
) -> Checked<()> {
    let file = BufReader::with_capacity(1 << 16, file);
    let growth = reading.limits.growth;
    let opened = decompress::open(file, size, growth).map_err(|error| unread("read", &error, 0))?;
    reading.compression = opened.compression;
    let mut window = Window::new(opened, growth);
    let mut last = window.fill(PIECE)?;
    if let (Some(what), true) = (&window.broken, window.bytes().is_empty()) {
        return Err(at_byte(0, what.as_str(), "a whole file"));
    }
    if !reading.compression.is_empty() && !decompress::compression(window.bytes()).is_empty() {
        return Err(at_byte(0, "the file is compressed twice", "decompress it once"));
    }
    let mut reader = Reader::of(window.bytes(), reading)?;
    for number in 1usize.. {
        if number % ASK == 0 && stop() {
            return Err(at_byte(window.at, "reading was interrupted", "the whole file"));
        }
        let piece = Piece { bytes: window.bytes(), at: window.at, last };
        let used = reader.advance(piece, reading)?;
        if last {
            break;
        }
        window.skip(used);
        last = window.fill(if used == 0 { 2 * window.bytes().len() } else { PIECE })?;
    }
    if let Some(what) = window.broken {
        let packets = reading.counts.packets;
        reading.truncated = Some(format!("{what}; the {packets} packets before that were read"));
    }
    Ok(())
}

/// What is in memory of a stream that may not grow beyond all measure, and may break off.
struct Window<'a> {
    stream: Box<dyn BufRead + 'a>,
    /// Bytes that may come, and those that still may.
    most: u64,
    left: u64,
    growth: Growth,
    verb: &'static str,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Of `start` in the stream.
    at: usize,
    broken: Option<String>,
}

impl<'a> Window<'a> {
    fn new(file: Opened<'a>, growth: Growth) -> Window<'a> {
        let Opened { stream, most, compression } = file;
        let verb = if compression.is_empty() { "read" } else { "decompressed" };
        let buffer = vec![0; LEAST];
        Window { stream, most, left: most, growth, verb, buffer, start: 0, end: 0, at: 0, broken: None }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn skip(&mut self, size: usize) {
        self.start += size;
        self.at += size;
    }

    /// Fill up to `wanted` bytes; whether there is nothing after them.
    fn fill(&mut self, wanted: usize) -> Checked<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted {
            if self.end == self.buffer.len() {
                // only as fast as bytes come: a length that is a lie costs nothing
                self.buffer.resize((2 * self.end).min(wanted), 0);
            }
            let room = wanted.min(self.buffer.len()) - self.end;
            let allowed = usize::try_from(self.left).map_or(room, |left| left.min(room));
            if allowed == 0 {
                return match self.stream.fill_buf() {
                    Ok([]) => Ok(true),
                    _ => {
                        let right = "a file that is what it seems; decompress it first, or raise the limit";
                        Err(at_byte(self.at + self.end, self.growth.bomb(self.most), right))
                    }
                };
            }
            match self.stream.read(&mut self.buffer[self.end..self.end + allowed]) {
                Ok(0) => return Ok(true),
                Ok(size) => {
                    self.end += size;
                    self.left -= size as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.broken = Some("the compressed file ends before its end".into());
                    return Ok(true);
                }
                Err(error) => return Err(unread(self.verb, &error, self.at + self.end)),
            }
        }
        Ok(false)
    }
}

fn unread(verb: &str, error: &std::io::Error, at: usize) -> Fault {
    at_byte(at, format!("cannot be {verb}: {error}"), "a sound file")
}
