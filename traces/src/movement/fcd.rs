//! SUMO floating car data: `<fcd-export><timestep time><vehicle id x y/>…`, persons likewise; and the same as CSV.

use super::line_reader::LineReader;
use super::tracks::{Distances, Format, TrackBuilder, Units};
use super::xml::{read_attributes, ElementHandler};
use crate::error::BadRecord;
use quick_xml::events::BytesStart;
use std::borrow::Cow;

/// Length of a degree of a great circle on the mean Earth.
const METRES_PER_DEGREE: f64 = 111_195.08;
const TIME_COLUMNS: [&str; 3] = ["timestep_time", "time", "timestep"];
const SEPARATORS: [u8; 4] = [b';', b',', b'\t', b'|'];

/// The kind of thing that a sample describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Traveller {
    Vehicle,
    Person,
}

/// The texts of a sample.
struct SampleText<'a> {
    traveller: Traveller,
    id: &'a str,
    x: &'a str,
    y: &'a str,
    speed: Option<&'a str>,
}

/// The last sample of a mobile node as floating point: time, x, y, speed (NaN if it is not stated).
type RoughSample = [f64; 4];

/// Samples of vehicles and persons, whatever the notation of the file.
struct Samples {
    geographic: bool,
    distances: Distances,
    latest: Vec<Option<RoughSample>>,
}

impl Samples {
    fn new(format: Format, builder: &mut TrackBuilder) -> Self {
        let geographic = matches!(format, Format::FcdGeo | Format::FcdCsvGeo);
        builder.tracks.format = format.name();
        builder.tracks.units = if geographic { Units::Nanodegrees } else { Units::Millimetres };
        let distances = Distances { within_degrees: true, ..Distances::default() };
        Samples { geographic, distances, latest: Vec::new() }
    }

    /// Add a sample; return None after reporting a problem, and Some(false) if the file has too many samples.
    fn add(&mut self, time_ps: Option<i64>, text: &SampleText, builder: &mut TrackBuilder) -> Option<bool> {
        let mobile = match text.traveller {
            Traveller::Vehicle => builder.intern_mobile(text.id),
            Traveller::Person => builder.intern_person(text.id),
        };
        let (x, y) = if self.geographic {
            let x = builder.parse_degrees("x", 180, text.x.as_bytes());
            (x, builder.parse_degrees("y", 90, text.y.as_bytes()))
        } else {
            (builder.parse_metres("x", text.x.as_bytes()), builder.parse_metres("y", text.y.as_bytes()))
        };
        let (mobile, time_ps, position) = (mobile?, time_ps?, (x?, y?));
        let count = builder.tracks.mobile.len();
        let has_room = builder.add_sample(mobile, time_ps, position);
        if builder.tracks.mobile.len() > count {
            self.add_distances(mobile as usize, time_ps, text);
        }
        Some(has_room)
    }

    /// Add the leg from the latest sample of a mobile node to the one that was added to its track.
    fn add_distances(&mut self, mobile: usize, time_ps: i64, text: &SampleText) {
        let (Ok(x), Ok(y)) = (text.x.parse::<f64>(), text.y.parse::<f64>()) else { return };
        let speed = text.speed.and_then(|speed| speed.parse().ok()).filter(|speed: &f64| speed.is_finite());
        let sample = [time_ps as f64 / 1e12, x, y, speed.unwrap_or(f64::NAN)];
        self.distances.within_degrees &= x.abs() <= 180.0 && y.abs() <= 90.0;
        if self.latest.len() <= mobile {
            self.latest.resize(mobile + 1, None);
        }
        let Some(before) = self.latest[mobile].replace(sample) else { return };
        let [dt, dx, dy, _]: RoughSample = std::array::from_fn(|i| sample[i] - before[i]);
        let in_metres = dx.hypot(dy);
        let in_degrees = if self.distances.within_degrees {
            let dx = dx.abs().min(360.0 - dx.abs()); // the shorter way around, as across the date line
            METRES_PER_DEGREE * (dx * y.to_radians().cos()).hypot(dy)
        } else {
            0.0
        };
        let sum = |sums: &mut [f64; 3], first: f64| {
            for (total, value) in sums.iter_mut().zip([first, in_metres, in_degrees]) {
                *total += value;
            }
        };
        sum(&mut self.distances.all, dt);
        let mean_speed = (before[3] + sample[3]) / 2.0;
        if !mean_speed.is_nan() {
            sum(&mut self.distances.stated, mean_speed * dt);
        }
    }

    fn finish(&self, builder: &mut TrackBuilder) {
        builder.tracks.distances = Some(self.distances);
        builder.name_persons();
    }
}

pub struct FcdHandler {
    samples: Samples,
    /// Time of the current time step, if it is valid.
    time_ps: Option<i64>,
}

impl FcdHandler {
    pub fn new(format: Format, builder: &mut TrackBuilder) -> Self {
        FcdHandler { samples: Samples::new(format, builder), time_ps: None }
    }

    fn add_sample(
        &mut self,
        traveller: Traveller,
        element: &BytesStart,
        builder: &mut TrackBuilder,
    ) -> Option<bool> {
        builder.begin_record();
        let [id, x, y, speed] = read_attributes(element, ["id", "x", "y", "speed"], builder)?;
        let (Some(id), Some(x), Some(y)) = (id, x, y) else {
            builder.report_record(
                BadRecord::POSITION,
                "a vehicle or person without id, x or y",
                "all three (SUMO: --fcd-output.attributes x,y)",
            );
            return None;
        };
        if self.time_ps.is_none() {
            builder.skip_record(BadRecord::NO_TIME);
        }
        let text = SampleText { traveller, id: &id, x: &x, y: &y, speed: speed.as_deref() };
        self.samples.add(self.time_ps, &text, builder)
    }
}

impl ElementHandler for FcdHandler {
    fn open(&mut self, depth: usize, element: &BytesStart, builder: &mut TrackBuilder) -> bool {
        match (depth, element.local_name().as_ref()) {
            (1, b"timestep") => {
                builder.begin_record();
                self.time_ps = match read_attributes(element, ["time"], builder) {
                    Some([Some(text)]) => builder.parse_time("time", text.as_bytes()),
                    Some([None]) => {
                        builder.report_record(
                            BadRecord::NO_TIME,
                            "a timestep without time",
                            "its time in seconds",
                        );
                        None
                    }
                    None => None,
                };
            }
            (2, b"vehicle") => {
                return self.add_sample(Traveller::Vehicle, element, builder).unwrap_or(true);
            }
            (2, b"person") => return self.add_sample(Traveller::Person, element, builder).unwrap_or(true),
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

    fn end(&mut self, builder: &mut TrackBuilder) {
        self.samples.finish(builder);
    }
}

/// Columns of a traveller's sample in a CSV file.
struct Columns {
    traveller: Traveller,
    id: usize,
    x: usize,
    y: usize,
    speed: Option<usize>,
}

/// Read floating car data as CSV, as SUMO and its `xml2csv.py` write it.
pub fn read_csv(lines: &mut LineReader, format: Format, builder: &mut TrackBuilder) {
    let mut samples = Samples::new(format, builder);
    let mut buffer = Vec::new();
    let Some(header) = lines.next_row(&mut buffer, builder).map(<[u8]>::to_vec) else { return };
    let count = |separator: u8| header.iter().filter(|&&byte| byte == separator).count();
    let separator = SEPARATORS.into_iter().max_by_key(|&separator| (count(separator), separator == b';'));
    let separator = separator.unwrap_or(b';');
    let names = split_fields(&header, separator);
    let find = |name: &str| names.iter().position(|field| field == name);
    let time = TIME_COLUMNS.iter().find_map(|name| find(name));
    let columns = |traveller: Traveller, prefix: &str| {
        let find = |name: &str| find(&format!("{prefix}{name}"));
        Some(Columns { traveller, id: find("id")?, x: find("x")?, y: find("y")?, speed: find("speed") })
    };
    let travellers: Vec<Columns> = [
        columns(Traveller::Vehicle, "vehicle_"),
        columns(Traveller::Person, "person_"),
        columns(Traveller::Vehicle, ""),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (Some(time), false) = (time, travellers.is_empty()) else {
        return builder.report(
            format!("columns {}", super::tracks::quote_bytes(&header)),
            "timestep_time, vehicle_id, vehicle_x and vehicle_y, or person_…, or time, id, x and y",
        );
    };
    while let Some(line) = lines.next_row(&mut buffer, builder) {
        if builder.has_too_many_problems() {
            return;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        builder.begin_record();
        let fields = split_fields(line, separator);
        if fields.len() != names.len() {
            let message = format!("{} fields", fields.len());
            builder.report_record(BadRecord::FIELDS, message, format!("{}, as in the header", names.len()));
            continue;
        }
        let present = travellers.iter().filter(|columns| !fields[columns.id].is_empty());
        let mut time_ps = None;
        for (i, columns) in present.enumerate() {
            if i == 0 {
                time_ps = builder.parse_time("time", fields[time].as_bytes());
            }
            let text = SampleText {
                traveller: columns.traveller,
                id: &fields[columns.id],
                x: &fields[columns.x],
                y: &fields[columns.y],
                speed: columns.speed.map(|column| &*fields[column]),
            };
            if samples.add(time_ps, &text, builder) == Some(false) {
                return;
            }
        }
    }
    samples.finish(builder);
}

/// Split a line of a CSV file into its fields, which may be quoted.
fn split_fields(line: &[u8], separator: u8) -> Vec<Cow<'_, str>> {
    let is_quoted = line.contains(&b'"');
    let mut in_quotes = false;
    let fields = line.split(|&byte| {
        in_quotes ^= byte == b'"';
        byte == separator && !in_quotes
    });
    let unquote = |field: Cow<str>| match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.into_owned(),
    };
    let text = |field| String::from_utf8_lossy(field);
    fields.map(|field| if is_quoted { Cow::Owned(unquote(text(field))) } else { text(field) }).collect()
}
