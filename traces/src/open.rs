//! Files as bytes.

use crate::fault::{at_byte, Checked, Fault};
use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::path::Path;

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
