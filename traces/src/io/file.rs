//! Regular files: opened, mapped into memory, hashed.

use crate::error::{error_at_byte, Result};
use memmap2::Mmap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Open a regular file and return it with its size.
///
/// Other kinds are refused: a pipe would block until its writer appears, and neither a pipe nor a device can be read twice.
pub fn open_regular(path: &Path) -> Result<(File, u64)> {
    let open_error = |error: io::Error| {
        error_at_byte(0, format!("cannot be opened: {error}"), "the path of a file that can be read")
    };
    let metadata = std::fs::metadata(path).map_err(open_error)?;
    if !metadata.is_file() {
        return Err(error_at_byte(
            0,
            "is not a regular file",
            "the path of a file; save a pipe's output first",
        ));
    }
    Ok((File::open(path).map_err(open_error)?, metadata.len()))
}

/// Map a regular file into memory.
pub fn map_file(path: &Path) -> Result<Mmap> {
    let (file, _) = open_regular(path)?;
    // SAFETY: the map is read-only and private to this call; the documentation forbids the caller to let anyone shorten the
    // file meanwhile.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| {
        error_at_byte(0, format!("cannot be mapped: {error}"), "a file on a file system that can map it")
    })?;
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(map)
}

/// Size and modification time of a file, which change when its content does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    pub size: u64,
    pub mtime_ns: i64,
}

impl FileState {
    pub fn read(file: &File) -> io::Result<FileState> {
        let metadata = file.metadata()?;
        Ok(FileState { size: metadata.len(), mtime_ns: unix_nanoseconds(metadata.modified()?) })
    }
}

fn unix_nanoseconds(time: SystemTime) -> i64 {
    let difference = |earlier: SystemTime, later: SystemTime| {
        later.duration_since(earlier).ok().and_then(|duration| i64::try_from(duration.as_nanos()).ok())
    };
    difference(UNIX_EPOCH, time).or_else(|| difference(time, UNIX_EPOCH).map(|ns| -ns)).unwrap_or(i64::MAX)
}

/// A file whose bytes are hashed (BLAKE3) as they are read.
pub struct HashingReader {
    file: File,
    hasher: blake3::Hasher,
}

impl HashingReader {
    pub fn new(file: File) -> HashingReader {
        HashingReader { file, hasher: blake3::Hasher::new() }
    }

    /// Read the rest of the file; return the file and the hash of its content in hexadecimal.
    pub fn finish(mut self) -> io::Result<(File, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.file, self.hasher.finalize().to_hex().to_string()))
    }
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.file.read(buffer)?;
        self.hasher.update(&buffer[..size]);
        Ok(size)
    }
}
