//! Decompressed bytes of a movement file, with lines counted and sizes limited.

use super::tracks::TrackBuilder;
use crate::io::decompress::{open_decompressed, ExpansionLimit};
use std::io::{self, BufRead, Read};

/// Bytes of one line or one piece of XML.
const MAX_UNIT_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

type Source<'a> = Box<dyn BufRead + 'a>;

pub struct LineReader<'a> {
    source: Source<'a>,
    line: u64,
    /// Bytes that may still come from the file, and from the current line or piece of XML.
    remaining: u64,
    unit_remaining: usize,
    /// Message and expectation of the limit that was exceeded.
    limit_problem: Option<(String, &'static str)>,
}

impl<'a> LineReader<'a> {
    /// Open a file; report the problem and return None if it cannot be decompressed.
    pub fn open(file: &'a [u8], builder: &mut TrackBuilder) -> Option<Self> {
        match open_decompressed(file, file.len() as u64, ExpansionLimit::default()) {
            Ok(mut opened) => {
                if opened.stream.fill_buf().is_ok_and(|bytes| bytes.starts_with(BYTE_ORDER_MARK)) {
                    opened.stream.consume(BYTE_ORDER_MARK.len());
                }
                Some(LineReader {
                    source: opened.stream,
                    line: 1,
                    remaining: opened.max_output,
                    unit_remaining: MAX_UNIT_BYTES,
                    limit_problem: None,
                })
            }
            Err(error) => {
                builder.report(format!("cannot be decompressed: {error}"), "an undamaged file");
                None
            }
        }
    }

    /// Return the number of the line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Begin a new line or piece of XML, which may again have `MAX_UNIT_BYTES`.
    pub fn begin_unit(&mut self) {
        self.unit_remaining = MAX_UNIT_BYTES;
    }

    /// Report a read error at the current line, or the limit that caused it.
    pub fn report_error(&self, error: &io::Error, builder: &mut TrackBuilder) {
        builder.line = self.line;
        match &self.limit_problem {
            Some((message, expected)) => builder.report(message.as_str(), *expected),
            None => builder.report(format!("cannot be read: {error}"), "an undamaged file"),
        }
    }

    /// Read the next line without the spaces at its ends; return None at the end of the file, and after reporting an error.
    pub fn next_line<'b>(&mut self, buffer: &'b mut Vec<u8>, builder: &mut TrackBuilder) -> Option<&'b [u8]> {
        self.next_row(buffer, builder).map(<[u8]>::trim_ascii)
    }

    /// Read the next line, as `next_line`, with the spaces at its ends: they may separate empty fields.
    pub fn next_row<'b>(&mut self, buffer: &'b mut Vec<u8>, builder: &mut TrackBuilder) -> Option<&'b [u8]> {
        self.begin_unit();
        builder.line = self.line;
        buffer.clear();
        match self.read_until(b'\n', buffer) {
            Ok(0) => None,
            Ok(_) => {
                let line = buffer.strip_suffix(b"\n").unwrap_or(buffer);
                Some(line.strip_suffix(b"\r").unwrap_or(line))
            }
            Err(error) => {
                self.report_error(&error, builder);
                None
            }
        }
    }

    fn limit_error(&mut self, message: String, expected: &'static str) -> io::Error {
        self.limit_problem = Some((message, expected));
        io::Error::other(expected)
    }
}

impl Read for LineReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.fill_buf()?.read(buffer)?;
        self.consume(size);
        Ok(size)
    }
}

impl BufRead for LineReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.remaining == 0 {
            let message = ExpansionLimit::default().bomb_message(0);
            return Err(self.limit_error(message, "a file within that limit; decompress it first"));
        }
        if self.unit_remaining == 0 {
            return Err(self.limit_error("a line or element of more than 1 MiB".into(), "a shorter one"));
        }
        let max = self.unit_remaining.min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
        let bytes = self.source.fill_buf()?;
        Ok(&bytes[..bytes.len().min(max)])
    }

    fn consume(&mut self, size: usize) {
        if size == 0 {
            return;
        }
        // the bytes are still in the source's buffer: this call reads nothing
        if let Ok(bytes) = self.source.fill_buf() {
            self.line += memchr::memchr_iter(b'\n', &bytes[..size.min(bytes.len())]).count() as u64;
        }
        self.remaining -= size as u64;
        self.unit_remaining -= size;
        self.source.consume(size);
    }
}
