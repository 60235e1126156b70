//! Reader of a capture file: decompresses it chunk by chunk, so that memory stays bounded whatever its size.

use super::format_reader::{Chunk, FormatReader};
use super::pcap::PcapReader;
use super::pcapng::PcapngReader;
use super::state::{CaptureState, Sink};
use crate::error::{error_at_byte, ReadError, Result};
use crate::io::decompress::{detect_compression, open_decompressed, DecompressedStream, ExpansionLimit};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Fits the second-level cache. A chunk grows if one block is larger.
const CHUNK_BYTES: usize = 1 << 18;
const FILE_BUFFER_BYTES: usize = 1 << 16;
const INITIAL_WINDOW_BYTES: usize = 1 << 14;
/// Chunks between two checks for an interruption; they take a few hundredths of a second.
const CHUNKS_PER_STOP_CHECK: usize = 64;

enum Reader {
    Pcap(PcapReader),
    Pcapng(PcapngReader),
}

impl Reader {
    /// Choose the format that a file begins like.
    fn detect<S: Sink>(head: &[u8], state: &mut CaptureState<S>) -> Result<Reader> {
        match *head {
            [] | [_] | [_, _] | [_, _, _] => Err(error_at_byte(
                0,
                format!("the file has {} bytes", head.len()),
                "a pcap or pcapng capture begins with a header of 24 or more",
            )),
            [0x0A, 0x0D, 0x0D, 0x0A, ..] => {
                state.format = "pcapng";
                Ok(Reader::Pcapng(PcapngReader::new()))
            }
            [0xFD, b'7', b'z', b'X', ..] => {
                Err(error_at_byte(0, "the file is compressed (xz)", "decompress it first: unxz FILE"))
            }
            _ => {
                state.format = "pcap";
                Ok(Reader::Pcap(PcapReader::new(head, state.tables.left_out.policy)?))
            }
        }
    }

    fn read_chunk<S: Sink>(&mut self, chunk: Chunk, state: &mut CaptureState<S>) -> Result<usize> {
        match self {
            Reader::Pcap(reader) => reader.read_chunk(chunk, state),
            Reader::Pcapng(reader) => reader.read_chunk(chunk, state),
        }
    }
}

/// Read a whole capture of `size` bytes, compressed or not. Call `should_stop` regularly and give up once it returns true.
pub fn read<S: Sink>(
    file: impl Read,
    size: u64,
    state: &mut CaptureState<S>,
    should_stop: &dyn Fn() -> bool,
) -> Result<()> {
    let file = BufReader::with_capacity(FILE_BUFFER_BYTES, file);
    let limit = state.limits.expansion;
    let stream = open_decompressed(file, size, limit).map_err(|error| stream_error("read", &error, 0))?;
    state.compression = stream.compression;
    let mut window = Window::new(stream, limit);
    let mut is_last = window.fill(CHUNK_BYTES)?;
    if let (Some(message), true) = (&window.truncated, window.bytes().is_empty()) {
        return Err(error_at_byte(0, message.as_str(), "a complete file"));
    }
    if !state.compression.is_empty() && !detect_compression(window.bytes()).is_empty() {
        return Err(error_at_byte(0, "the file is compressed twice", "decompress it once"));
    }
    let mut reader = Reader::detect(window.bytes(), state)?;
    for number in 1usize.. {
        if number % CHUNKS_PER_STOP_CHECK == 0 && should_stop() {
            return Err(error_at_byte(window.offset, "reading was interrupted", "read the file to its end"));
        }
        let chunk = Chunk { bytes: window.bytes(), offset: window.offset, is_last };
        let used = reader.read_chunk(chunk, state)?;
        if is_last || state.stopped {
            break;
        }
        window.skip(used);
        is_last = window.fill(if used == 0 { 2 * window.bytes().len() } else { CHUNK_BYTES })?;
    }
    if let (Some(message), false) = (window.truncated, state.stopped) {
        let packets = state.counts.packets;
        state.truncated = Some(format!("{message}; the {packets} packets before that were read"));
    }
    Ok(())
}

/// A sliding buffer over an input stream of bounded decompressed size that may end early.
struct Window<'a> {
    stream: Box<dyn BufRead + 'a>,
    /// Bytes that the stream may yield in all, and how many of them have not come yet.
    max_output: u64,
    remaining: u64,
    limit: ExpansionLimit,
    /// The verb of error messages.
    verb: &'static str,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Position of `start` in the stream.
    offset: usize,
    /// A description of the early end, if the compressed file has one.
    truncated: Option<String>,
}

impl<'a> Window<'a> {
    fn new(file: DecompressedStream<'a>, limit: ExpansionLimit) -> Window<'a> {
        let DecompressedStream { stream, max_output, compression } = file;
        Window {
            stream,
            max_output,
            remaining: max_output,
            limit,
            verb: if compression.is_empty() { "read" } else { "decompressed" },
            buffer: vec![0; INITIAL_WINDOW_BYTES],
            start: 0,
            end: 0,
            offset: 0,
            truncated: None,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn skip(&mut self, size: usize) {
        self.start += size;
        self.offset += size;
    }

    /// Fill the window up to `wanted` bytes; return true if the stream ends with them.
    fn fill(&mut self, wanted: usize) -> Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted {
            if self.end == self.buffer.len() {
                // the buffer grows only as bytes arrive, so that a false length in the file cannot exhaust memory
                self.buffer.resize((2 * self.end).min(wanted), 0);
            }
            let room = wanted.min(self.buffer.len()) - self.end;
            let allowed = usize::try_from(self.remaining).map_or(room, |remaining| remaining.min(room));
            if allowed == 0 {
                return match self.stream.fill_buf() {
                    Ok([]) => Ok(true),
                    _ => Err(error_at_byte(
                        self.offset + self.end,
                        self.limit.bomb_message(self.max_output),
                        "a file within that limit; decompress it first, or raise the limit",
                    )),
                };
            }
            match self.stream.read(&mut self.buffer[self.end..self.end + allowed]) {
                Ok(0) => return Ok(true),
                Ok(size) => {
                    self.end += size;
                    self.remaining -= size as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.truncated = Some("the compressed file ends too early".into());
                    return Ok(true);
                }
                Err(error) => return Err(stream_error(self.verb, &error, self.offset + self.end)),
            }
        }
        Ok(false)
    }
}

fn stream_error(verb: &str, error: &std::io::Error, offset: usize) -> ReadError {
    error_at_byte(offset, format!("cannot be {verb}: {error}"), "an undamaged file")
}
