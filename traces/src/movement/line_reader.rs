//! Bytes of a movement file: decompressed as they are read, with lines counted and limits kept.

use super::Reading;
use crate::decompress::{self, Growth};
use std::io::{self, BufRead, Read};

/// Bytes of one line or one piece of XML.
const MOST_UNIT: usize = 1 << 20;

type Source<'a> = Box<dyn BufRead + 'a>;

pub struct Stream<'a> {
    source: Source<'a>,
    line: u64,
    left: u64,
    unit_left: usize,
    refused: Option<(String, &'static str)>,
}

impl<'a> Stream<'a> {
    pub fn open(file: &'a [u8], reading: &mut Reading) -> Option<Self> {
        let (source, left): (Source<'a>, u64) =
            match decompress::open(file, file.len() as u64, Growth::default()) {
                Ok(found) => (found.stream, found.most),
                Err(error) => {
                    reading.wrong(format!("cannot be decompressed: {error}"), "a sound file");
                    return None;
                }
            };
        Some(Stream { source, line: 1, left, unit_left: MOST_UNIT, refused: None })
    }

    /// The first bytes, up to `most`, that are read all the same later.
    pub fn head(&mut self, most: usize, reading: &mut Reading) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        if let Err(error) = (&mut self.source).take(most as u64).read_to_end(&mut head) {
            self.failed(&error, reading);
            return None;
        }
        let rest = std::mem::replace(&mut self.source, Box::new(io::empty()));
        self.source = Box::new(io::Cursor::new(head.clone()).chain(rest));
        Some(head)
    }

    /// The line that is read next, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// A new line or piece of XML begins.
    pub fn begin_unit(&mut self) {
        self.unit_left = MOST_UNIT;
    }

    /// What an error of reading means.
    pub fn failed(&self, error: &io::Error, reading: &mut Reading) {
        reading.line = self.line;
        match &self.refused {
            Some((what, right)) => reading.wrong(what.as_str(), *right),
            None => reading.wrong(format!("cannot be read: {error}"), "a sound file"),
        }
    }

    /// The next line without its end; None at the end of the file, or where it cannot be read.
    pub fn next_line<'b>(&mut self, buffer: &'b mut Vec<u8>, reading: &mut Reading) -> Option<&'b [u8]> {
        self.begin_unit();
        reading.line = self.line;
        buffer.clear();
        match self.read_until(b'\n', buffer) {
            Ok(0) => None,
            Ok(_) => Some(buffer.trim_ascii()),
            Err(error) => {
                self.failed(&error, reading);
                None
            }
        }
    }

    fn refuse(&mut self, what: String, right: &'static str) -> io::Error {
        self.refused = Some((what, right));
        io::Error::other(right)
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.fill_buf()?.read(into)?;
        self.consume(size);
        Ok(size)
    }
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(
                self.refuse(Growth::default().bomb(0), "a file that is what it seems; decompress it first")
            );
        }
        if self.unit_left == 0 {
            return Err(self.refuse("a line or element of more than 1 MiB".into(), "a shorter one"));
        }
        let most = self.unit_left.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let bytes = self.source.fill_buf()?;
        Ok(&bytes[..bytes.len().min(most)])
    }

    fn consume(&mut self, size: usize) {
        if size == 0 {
            return;
        }
        // what was filled is still there: this reads nothing
        if let Ok(bytes) = self.source.fill_buf() {
            self.line += memchr::memchr_iter(b'\n', &bytes[..size.min(bytes.len())]).count() as u64;
        }
        self.left -= size as u64;
        self.unit_left -= size;
        self.source.consume(size);
    }
}
