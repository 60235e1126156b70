//! SUMO floating car data: `<fcd-export><timestep time><vehicle id x y/>…`, persons likewise.

use super::tracks::{Format, TrackBuilder, Units};
use super::xml::{read_attributes, ElementHandler};
use quick_xml::events::BytesStart;

pub struct FcdHandler {
    geographic: bool,
    /// Time of the current time step, if it is valid.
    time_ps: Option<i64>,
}

impl FcdHandler {
    pub fn new(format: Format, builder: &mut TrackBuilder) -> Self {
        let geographic = format == Format::FcdGeo;
        builder.tracks.format = format.name();
        builder.tracks.units = if geographic { Units::Nanodegrees } else { Units::Millimetres };
        FcdHandler { geographic, time_ps: None }
    }

    fn add_sample(&self, element: &BytesStart, builder: &mut TrackBuilder) -> Option<bool> {
        let [id, x, y] = read_attributes(element, ["id", "x", "y"], builder)?;
        let (Some(id), Some(x), Some(y)) = (id, x, y) else {
            builder.report(
                "a vehicle or person without id, x or y",
                "all three (SUMO: --fcd-output.attributes x,y)",
            );
            return None;
        };
        let mobile = builder.intern_mobile(&id);
        let (x, y) = if self.geographic {
            (builder.parse_degrees("x", 180, x.as_bytes()), builder.parse_degrees("y", 90, y.as_bytes()))
        } else {
            (builder.parse_metres("x", x.as_bytes()), builder.parse_metres("y", y.as_bytes()))
        };
        Some(builder.add_sample(mobile?, self.time_ps?, (x?, y?)))
    }
}

impl ElementHandler for FcdHandler {
    fn open(&mut self, depth: usize, element: &BytesStart, builder: &mut TrackBuilder) -> bool {
        match (depth, element.local_name().as_ref()) {
            (1, b"timestep") => {
                self.time_ps = match read_attributes(element, ["time"], builder) {
                    Some([Some(text)]) => builder.parse_time("time", text.as_bytes()),
                    Some([None]) => {
                        builder.report("a timestep without time", "its time in seconds");
                        None
                    }
                    None => None,
                };
            }
            (2, b"vehicle" | b"person") => return self.add_sample(element, builder).unwrap_or(true),
            (_, b"timestep" | b"vehicle" | b"person") => {
                builder.report(
                    "an element at the wrong depth",
                    "vehicle or person inside timestep inside fcd-export",
                );
            }
            _ => {}
        }
        true
    }
}
