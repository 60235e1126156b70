//! Files as bytes.

use crate::fault::{at_byte, Checked, Fault};
use memmap2::Mmap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

fn refused(what: String, right: &str) -> Fault {
    at_byte(0, what, right)
}

/// A regular file and its size.
pub fn regular(path: &Path) -> Checked<(File, u64)> {
    let unopened = |error: io::Error| {
        refused(format!("cannot be opened: {error}"), "the path of a file that can be read")
    };
    let found = std::fs::metadata(path).map_err(unopened)?;
    // a pipe would wait for its writer, and neither it nor a device has an end or can be read twice
    if !found.is_file() {
        return Err(refused(
            "is not a regular file".into(),
            "the path of a file; save a pipe's output first",
        ));
    }
    Ok((File::open(path).map_err(unopened)?, found.len()))
}

/// A regular file mapped into memory.
pub fn map(path: &Path) -> Checked<Mmap> {
    let (file, _) = regular(path)?;
    // SAFETY: the map is read-only and private to this call; that nobody shortens the file meanwhile is documented
    // as the caller's part.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| {
        refused(format!("cannot be mapped: {error}"), "a file on a file system that can map it")
    })?;
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(map)
}

/// What tells one state of a file from another without reading it: bytes, and when it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub size: u64,
    pub mtime_ns: i64,
}

impl State {
    pub fn of(file: &File) -> io::Result<State> {
        let found = file.metadata()?;
        Ok(State { size: found.len(), mtime_ns: nanoseconds(found.modified()?) })
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = |earlier: SystemTime, later: SystemTime| {
        later.duration_since(earlier).ok().and_then(|since| i64::try_from(since.as_nanos()).ok())
    };
    since(UNIX_EPOCH, time).or_else(|| since(time, UNIX_EPOCH).map(|before| -before)).unwrap_or(i64::MAX)
}

/// A file that is hashed as it is read (BLAKE3).
pub struct Hashed {
    file: File,
    hasher: blake3::Hasher,
}

impl Hashed {
    pub fn new(file: File) -> Hashed {
        Hashed { file, hasher: blake3::Hasher::new() }
    }

    /// Read what is left; the file and the hash of all of it.
    pub fn finish(mut self) -> io::Result<(File, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.file, self.hasher.finalize().to_hex().to_string()))
    }
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.file.read(into)?;
        self.hasher.update(&into[..size]);
        Ok(size)
    }
}
