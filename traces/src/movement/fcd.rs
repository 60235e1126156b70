//! SUMO floating car data: `<fcd-export><timestep time><vehicle id x y/>…`, persons alike.

use super::tracks::{degrees, metres, time};
use super::xml::{attributes, Elements};
use super::{Format, Tracks, Units};
use crate::fault::Problems;
use quick_xml::events::BytesStart;

pub struct Fcd {
    geographic: bool,
    time_ps: Option<i64>,
}

impl Fcd {
    pub fn new(format: Format, tracks: &mut Tracks) -> Self {
        let geographic = format == Format::FcdGeo;
        tracks.format = format.name();
        tracks.units = if geographic { Units::Nanodegrees } else { Units::Millimetres };
        Fcd { geographic, time_ps: None }
    }

    fn sample(
        &self,
        element: &BytesStart,
        line: u64,
        tracks: &mut Tracks,
        problems: &mut Problems,
    ) -> Option<bool> {
        let [id, x, y] = attributes(element, ["id", "x", "y"], line, problems)?;
        let (Some(id), Some(x), Some(y)) = (id, x, y) else {
            problems.add(
                line,
                "a vehicle or person without id, x or y",
                "all three (SUMO: --fcd-output.attributes x,y)",
            );
            return None;
        };
        let mobile = tracks.mobile_of(&id, line, problems);
        let (x, y) = if self.geographic {
            (degrees("x", 180, x.as_bytes(), line, problems), degrees("y", 90, y.as_bytes(), line, problems))
        } else {
            (metres("x", x.as_bytes(), line, problems), metres("y", y.as_bytes(), line, problems))
        };
        Some(tracks.add(mobile?, self.time_ps?, (x?, y?), line, problems))
    }
}

impl Elements for Fcd {
    fn open(
        &mut self,
        depth: usize,
        element: &BytesStart,
        line: u64,
        tracks: &mut Tracks,
        problems: &mut Problems,
    ) -> bool {
        match (depth, element.local_name().as_ref()) {
            (1, b"timestep") => {
                self.time_ps = match attributes(element, ["time"], line, problems) {
                    Some([Some(text)]) => time("time", text.as_bytes(), line, problems),
                    Some([None]) => {
                        problems.add(line, "a timestep without time", "its time in seconds");
                        None
                    }
                    None => None,
                };
            }
            (2, b"vehicle" | b"person") => {
                return self.sample(element, line, tracks, problems).unwrap_or(true)
            }
            (_, b"timestep" | b"vehicle" | b"person") => {
                problems.add(
                    line,
                    "an element in a place where it cannot be",
                    "fcd-export, timestep, vehicle or person",
                );
            }
            _ => {}
        }
        true
    }
}
