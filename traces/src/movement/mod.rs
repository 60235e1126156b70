//! Movement files: positions of mobile nodes over time.

mod bonnmotion;
mod fcd;
mod gpx;
mod line_reader;
mod setdest;
mod tracks;
mod xml;

use crate::decimal;
use crate::error::Result;
use line_reader::LineReader;
use tracks::TrackBuilder;
use xml::ElementHandler;

pub use tracks::{Format, Tracks, Units};

/// Decompressed bytes at the beginning of a file that determine its kind.
const HEAD_BYTES: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The kind of a file, as its first bytes show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Xml,
    Setdest,
    BonnMotion,
    Associations,
    Other,
}

/// Detect the kind of a file, decompressed if need be.
pub fn detect_kind(file: &[u8]) -> Result<FileKind> {
    let mut builder = TrackBuilder::new();
    match LineReader::open(file, &mut builder).and_then(|mut reader| reader.peek(HEAD_BYTES, &mut builder)) {
        Some(head) => Ok(kind_of_head(&head)),
        None => Err(builder.into_error()),
    }
}

fn kind_of_head(head: &[u8]) -> FileKind {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    if head.trim_ascii_start().starts_with(b"<") {
        return FileKind::Xml;
    }
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first =
        lines.find(|line| !line.is_empty() && (!line.starts_with(b"#") || *line == bonnmotion::HEADER_3D));
    let Some(first) = first else { return FileKind::Other };
    let word = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if first.starts_with(b"mobile,") {
        FileKind::Associations
    } else if first == bonnmotion::HEADER_3D
        || (word.len() < first.len() && decimal::parse_scaled(word, 0).is_some())
    {
        FileKind::BonnMotion
    } else if word.starts_with(b"$") {
        FileKind::Setdest
    } else {
        FileKind::Other
    }
}

/// Read a movement file in the stated format, or in the format that its content shows.
pub fn read(file: &[u8], format: Option<Format>) -> Result<Tracks> {
    let mut builder = TrackBuilder::new();
    if let Some(mut reader) = LineReader::open(file, &mut builder) {
        read_format(&mut reader, format, &mut builder);
    }
    builder.finish()
}

fn read_format(reader: &mut LineReader, format: Option<Format>, builder: &mut TrackBuilder) {
    let kind = match format {
        Some(Format::Setdest) => FileKind::Setdest,
        Some(Format::BonnMotion) => FileKind::BonnMotion,
        Some(_) => FileKind::Xml,
        None => match reader.peek(HEAD_BYTES, builder) {
            Some(head) => kind_of_head(&head),
            None => return,
        },
    };
    match kind {
        FileKind::Xml => xml::read(reader, builder, |root, builder| choose_handler(root, format, builder)),
        FileKind::Setdest => setdest::read(reader, builder),
        FileKind::BonnMotion => bonnmotion::read(reader, builder),
        FileKind::Associations => builder
            .report("the file is an association log", "a file of positions; pass this one as associations"),
        FileKind::Other => builder.report(
            "the file is not in a known movement format",
            "SUMO floating car data, ns-2 setdest, BonnMotion or GPX; plain, gzip or Zstandard",
        ),
    }
}

/// Choose the handler of an XML file from the name of its root element; return the names that are expected if there is none.
fn choose_handler(
    root: &[u8],
    format: Option<Format>,
    builder: &mut TrackBuilder,
) -> std::result::Result<Box<dyn ElementHandler>, &'static str> {
    match (root, format) {
        (b"fcd-export", None | Some(Format::Fcd | Format::FcdGeo)) => {
            Ok(Box::new(fcd::FcdHandler::new(format.unwrap_or(Format::Fcd), builder)))
        }
        (b"gpx", None | Some(Format::Gpx)) => Ok(Box::new(gpx::GpxHandler::new(builder))),
        (_, None) => Err("fcd-export (SUMO floating car data) or gpx"),
        (_, Some(Format::Gpx)) => Err("gpx"),
        (_, Some(_)) => Err("fcd-export"),
    }
}
