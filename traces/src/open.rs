//! Files as bytes.

use crate::fault::{at_byte, Checked, Fault};
use memmap2::Mmap;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// A file mapped into memory.
pub struct Map(Mmap);

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl crate::capture::Mapped for Map {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the pages back: a capture may be larger than memory.
    fn release(&self, end: usize) {
        // SAFETY: the map is of a file and read-only, so a page that is asked for after all is read again.
        #[cfg(unix)]
        let _ = unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, 0, end) };
    }
}

fn refused(what: String, right: &str) -> Fault {
    at_byte(0, what, right)
}

/// A regular file mapped into memory.
pub fn map(path: &Path) -> Checked<Map> {
    let found = std::fs::metadata(path).map_err(|error| {
        refused(format!("cannot be opened: {error}"), "the path of a file that can be read")
    })?;
    // a pipe would wait for its writer, and neither it nor a device can be mapped
    if !found.is_file() {
        return Err(refused(
            "is not a regular file".into(),
            "the path of a file; save a pipe's output first",
        ));
    }
    let file = File::open(path).map_err(|error| {
        refused(format!("cannot be opened: {error}"), "the path of a file that can be read")
    })?;
    // SAFETY: the map is read-only and private to this call; that nobody shortens the file meanwhile is documented
    // as the caller's part.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| {
        refused(format!("cannot be mapped: {error}"), "a file on a file system that can map it")
    })?;
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Sequential);
    Ok(Map(map))
}
