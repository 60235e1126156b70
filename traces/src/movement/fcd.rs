//! SUMO floating car data: `<fcd-export><timestep time><vehicle id x y/>…`, persons alike.

use super::xml::{attributes, Elements};
use super::{Format, Reading, Units};
use quick_xml::events::BytesStart;

pub struct Fcd {
    geographic: bool,
    time_ps: Option<i64>,
}

impl Fcd {
    pub fn new(format: Format, reading: &mut Reading) -> Self {
        let geographic = format == Format::FcdGeo;
        reading.tracks.format = format.name();
        reading.tracks.units = if geographic { Units::Nanodegrees } else { Units::Millimetres };
        Fcd { geographic, time_ps: None }
    }

    fn sample(&self, element: &BytesStart, reading: &mut Reading) -> Option<bool> {
        let [id, x, y] = attributes(element, ["id", "x", "y"], reading)?;
        let (Some(id), Some(x), Some(y)) = (id, x, y) else {
            reading.wrong(
                "a vehicle or person without id, x or y",
                "all three (SUMO: --fcd-output.attributes x,y)",
            );
            return None;
        };
        let mobile = reading.mobile_of(&id);
        let (x, y) = if self.geographic {
            (reading.degrees("x", 180, x.as_bytes()), reading.degrees("y", 90, y.as_bytes()))
        } else {
            (reading.metres("x", x.as_bytes()), reading.metres("y", y.as_bytes()))
        };
        Some(reading.add(mobile?, self.time_ps?, (x?, y?)))
    }
}

impl Elements for Fcd {
    fn open(&mut self, depth: usize, element: &BytesStart, reading: &mut Reading) -> bool {
        match (depth, element.local_name().as_ref()) {
            (1, b"timestep") => {
                self.time_ps = match attributes(element, ["time"], reading) {
                    Some([Some(text)]) => reading.time("time", text.as_bytes()),
                    Some([None]) => {
                        reading.wrong("a timestep without time", "its time in seconds");
                        None
                    }
                    None => None,
                };
            }
            (2, b"vehicle" | b"person") => return self.sample(element, reading).unwrap_or(true),
            (_, b"timestep" | b"vehicle" | b"person") => {
                reading.wrong(
                    "an element in a place where it cannot be",
                    "fcd-export, timestep, vehicle or person",
                );
            }
            _ => {}
        }
        true
    }
}
