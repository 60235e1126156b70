//! Movement files: positions of mobile nodes over time.

mod bonnmotion;
mod fcd;
mod gpx;
mod line_reader;
mod setdest;
mod tracks;
mod xml;

use crate::error::{OnBadRecord, Result};
use line_reader::LineReader;
use tracks::TrackBuilder;
use xml::ElementHandler;

pub use tracks::{Distances, Format, Tracks, Units};

/// Read a movement file. `format` is what the file is said to be: nothing is guessed here.
pub fn read(file: &[u8], format: Format, on_bad_record: OnBadRecord) -> Result<Tracks> {
    let mut builder = TrackBuilder::new(on_bad_record);
    if let Some(mut reader) = LineReader::open(file, &mut builder) {
        read_format(&mut reader, format, &mut builder);
    }
    builder.finish()
}

fn read_format(reader: &mut LineReader, format: Format, builder: &mut TrackBuilder) {
    match format {
        Format::Fcd | Format::FcdGeo | Format::Gpx => {
            xml::read(reader, builder, |root, builder| choose_handler(root, format, builder));
        }
        Format::FcdCsv | Format::FcdCsvGeo => fcd::read_csv(reader, format, builder),
        Format::Setdest => setdest::read(reader, builder),
        Format::BonnMotion | Format::BonnMotion3d => bonnmotion::read(reader, format, builder),
    }
}

/// Choose the handler of an XML file from the name of its root element; return the name that is expected if it is another.
fn choose_handler(
    root: &[u8],
    format: Format,
    builder: &mut TrackBuilder,
) -> std::result::Result<Box<dyn ElementHandler>, &'static str> {
    match (root, format) {
        (b"fcd-export", Format::Fcd | Format::FcdGeo) => Ok(Box::new(fcd::FcdHandler::new(format, builder))),
        (b"gpx", Format::Gpx) => Ok(Box::new(gpx::GpxHandler::new(builder))),
        (_, Format::Gpx) => Err("gpx"),
        _ => Err("fcd-export"),
    }
}
