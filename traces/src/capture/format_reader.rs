//! The interface between the chunks of a file and the readers of its format, and checks that the formats share.

use super::link_layer::{LinkLayer, SUPPORTED};
use super::state::{CaptureState, Sink};
use crate::error::{error_at_byte, Result};

/// libpcap refuses longer records too.
const MAX_CAPTURED: u32 = 262_144;

/// A contiguous part of the decompressed file.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    pub bytes: &'a [u8],
    /// Position in the file.
    pub offset: usize,
    pub is_last: bool,
}

/// The reader of a format, which receives the file chunk by chunk.
pub trait FormatReader {
    /// Read what is complete in a chunk and return the number of bytes used; the next chunk begins behind them.
    fn read_chunk<S: Sink>(&mut self, chunk: Chunk, state: &mut CaptureState<S>) -> Result<usize>;
}

/// Check the two lengths of a packet, which are at `offset` of the file.
#[inline(always)]
pub fn check_lengths(offset: usize, captured: u32, wire_length: u32) -> Result<()> {
    if captured > MAX_CAPTURED {
        return Err(error_at_byte(
            offset,
            format!("captured length {captured}"),
            format!("at most {MAX_CAPTURED} bytes are captured of a packet"),
        ));
    }
    if captured > wire_length {
        return Err(error_at_byte(
            offset,
            format!("{captured} bytes captured of a packet of {wire_length}"),
            "at most as many bytes captured as sent",
        ));
    }
    Ok(())
}

/// Return the link layer of a link type that is at `offset` of the file, or refuse it.
pub fn require_link_layer(offset: usize, link_type: u32) -> Result<LinkLayer> {
    LinkLayer::from_link_type(link_type).ok_or_else(|| {
        error_at_byte(offset, format!("link type {link_type}"), format!("expected {SUPPORTED}"))
    })
}
