//! Input files: opening and hashing, decompression, integers in either byte order.

pub mod byte_order;
pub mod decompress;
#[cfg(feature = "python")]
pub mod file;
