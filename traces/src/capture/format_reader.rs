//! The interface between the chunks of a file and the readers of its format, and checks that the formats share.

use super::bad_record::{bad_record, Reason, RecordResult};
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

/// Check the captured length at `offset` of the file, which says where the next record begins.
#[inline(always)]
pub fn check_captured(offset: usize, captured: u32) -> RecordResult<()> {
    if captured > MAX_CAPTURED {
        let error = error_at_byte(
            offset,
            format!("captured length {captured}"),
            format!("at most {MAX_CAPTURED} bytes are captured of a packet"),
        );
        return Err(bad_record(Reason::ImpossibleLength, error));
    }
    Ok(())
}

/// Check that not more bytes were captured than sent; the two lengths are at `offset` of the file.
#[inline(always)]
pub fn check_sent(offset: usize, captured: u32, wire_length: u32) -> RecordResult<()> {
    if captured > wire_length {
        let error = error_at_byte(
            offset,
            format!("{captured} bytes captured of a packet of {wire_length}"),
            "at most as many bytes captured as sent",
        );
        return Err(bad_record(Reason::CapturedExceedsSent, error));
    }
    Ok(())
}

/// Return the link layer of a link type that is at `offset` of the file, or refuse it.
#[inline(always)]
pub fn require_link_layer(
    offset: usize,
    link_layer: Option<LinkLayer>,
    link_type: u32,
) -> RecordResult<LinkLayer> {
    link_layer.ok_or_else(|| {
        let error = error_at_byte(offset, format!("link type {link_type}"), format!("expected {SUPPORTED}"));
        bad_record(Reason::LinkType(link_type), error)
    })
}
