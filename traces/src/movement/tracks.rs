//! Samples of mobile nodes, checked as they are added and returned sorted by mobile node; formats of movement files by name.

use crate::decimal::{format_seconds, parse_scaled};
use crate::error::{quote_excerpt, Problems, ReadError, Result};
use crate::interner::Interner;

/// Samples whose columns take 8 GiB.
const MAX_SAMPLES: usize = 1 << 28;
/// Problems after which reading stops.
const MAX_PROBLEMS: u64 = 1_000;
const MAX_NAME: usize = 256;
const PS_PLACES: i32 = 12;
const MM_PLACES: i32 = 3;
const NANODEGREE_PLACES: i32 = 9;
const NANODEGREES_PER_DEGREE: i128 = 1_000_000_000;
/// 100,000 km.
const MAX_MM: i128 = 100_000_000_000;

/// The format of a movement file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Fcd,
    /// Floating car data whose x and y are longitude and latitude.
    FcdGeo,
    Gpx,
    Setdest,
    BonnMotion,
}

impl Format {
    /// All formats with their names in Python.
    pub const ALL: [(&'static str, Format); 5] = [
        ("fcd", Format::Fcd),
        ("fcd-geo", Format::FcdGeo),
        ("gpx", Format::Gpx),
        ("setdest", Format::Setdest),
        ("bonnmotion", Format::BonnMotion),
    ];

    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|&(_, format)| format)
    }

    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("", |&(name, _)| name)
    }
}

/// The unit of x and y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Units {
    #[default]
    Millimetres,
    /// x is longitude, y is latitude.
    Nanodegrees,
}

/// Columns of samples, sorted by mobile node, then time.
#[derive(Default)]
pub struct Tracks {
    pub format: &'static str,
    pub units: Units,
    /// If true, a mobile node stays at its last position; else it disappears.
    pub stays: bool,
    /// Time 0 in picoseconds since 1970, for a file with dates.
    pub epoch_ps: Option<i128>,
    pub names: Interner,
    pub mobile: Vec<u32>,
    pub time_ps: Vec<i64>,
    pub x: Vec<i64>,
    pub y: Vec<i64>,
}

/// Samples in the order of the file, and the problems of the file.
#[derive(Default)]
pub struct TrackBuilder {
    pub tracks: Tracks,
    problems: Problems,
    /// The line of the problems that are reported next.
    pub line: u64,
    /// The latest sample of each mobile node.
    latest: Vec<LatestSample>,
}

struct LatestSample {
    time_ps: i64,
    position: (i64, i64),
    line: u64,
    /// Number of samples of the mobile node so far.
    samples: usize,
}

impl TrackBuilder {
    pub fn new() -> Self {
        TrackBuilder { line: 1, ..TrackBuilder::default() }
    }

    pub fn into_error(self) -> ReadError {
        self.problems.into_error("line")
    }

    /// Report a problem of the current line.
    pub fn report(&mut self, message: impl Into<String>, expected: impl Into<String>) {
        self.problems.add(self.line, message, expected);
    }

    /// Return true if further reading would only add more problems.
    pub fn has_too_many_problems(&self) -> bool {
        self.problems.count >= MAX_PROBLEMS
    }

    /// Return the number of the mobile node with this name; report an invalid name.
    pub fn intern_mobile(&mut self, name: &str) -> Option<u32> {
        let valid = !name.is_empty() && name.len() <= MAX_NAME && name.trim() == name;
        if !valid || name.chars().any(char::is_control) {
            let message = format!("name {}", quote_excerpt(name));
            self.report(message, "up to 256 bytes without spaces at the ends");
            return None;
        }
        Some(self.tracks.names.intern(name))
    }

    /// Add a sample, which must not precede the mobile node's latest one. Return false if the file has too many samples.
    pub fn add_sample(&mut self, mobile: u32, time_ps: i64, position: (i64, i64)) -> bool {
        let (line, mobile_index) = (self.line, mobile as usize);
        while self.latest.len() <= mobile_index {
            self.latest.push(LatestSample { time_ps: -1, position, line, samples: 0 });
        }
        let latest = &mut self.latest[mobile_index];
        if time_ps < latest.time_ps || (time_ps == latest.time_ps && position != latest.position) {
            let name = quote_excerpt(self.tracks.names.name(mobile));
            let what = if time_ps < latest.time_ps { "goes back in time" } else { "is in two places" };
            let expected = format!("after the {} s of line {}", format_seconds(latest.time_ps), latest.line);
            self.report(format!("{name} {what} at {} s", format_seconds(time_ps)), expected);
            return true;
        }
        if time_ps == latest.time_ps {
            return true;
        }
        if self.tracks.mobile.len() == MAX_SAMPLES {
            self.report("more than 268,435,456 samples", "fewer: split the file");
            return false;
        }
        *latest = LatestSample { time_ps, position, line, samples: latest.samples + 1 };
        self.tracks.mobile.push(mobile);
        self.tracks.time_ps.push(time_ps);
        self.tracks.x.push(position.0);
        self.tracks.y.push(position.1);
        true
    }

    /// Parse decimal seconds and round them to the nearest picosecond.
    pub fn parse_time(&mut self, field: &str, text: &[u8]) -> Option<i64> {
        let time_ps =
            parse_scaled(text, PS_PLACES).and_then(|ps| i64::try_from(ps).ok()).filter(|&ps| ps >= 0);
        if time_ps.is_none() {
            self.report(format!("{field} {}", quote_bytes(text)), "decimal seconds from 0 to 9223372");
        }
        time_ps
    }

    /// Parse decimal metres and round them to the nearest millimetre.
    pub fn parse_metres(&mut self, field: &str, text: &[u8]) -> Option<i64> {
        let mm = parse_scaled(text, MM_PLACES).filter(|mm| mm.abs() <= MAX_MM);
        if mm.is_none() {
            let message = format!("{field} {}", quote_bytes(text));
            self.report(message, "decimal metres, at most 100000000 from 0");
        }
        mm.and_then(|mm| i64::try_from(mm).ok())
    }

    /// Parse decimal degrees from -`max` to `max` and round them to the nearest nanodegree.
    pub fn parse_degrees(&mut self, field: &str, max: i64, text: &[u8]) -> Option<i64> {
        let limit = i128::from(max) * NANODEGREES_PER_DEGREE;
        let degrees = parse_scaled(text, NANODEGREE_PLACES).filter(|degrees| degrees.abs() <= limit);
        if degrees.is_none() {
            let expected = format!("decimal degrees from -{max} to {max}");
            self.report(format!("{field} {}", quote_bytes(text)), expected);
        }
        degrees.and_then(|degrees| i64::try_from(degrees).ok())
    }

    /// Return the samples sorted by mobile node, or the problems.
    pub fn finish(mut self) -> Result<Tracks> {
        if self.problems.count == 0 && self.tracks.mobile.is_empty() {
            self.report("the file has no mobile node", "a position of at least one");
        }
        if self.problems.count > 0 {
            return Err(self.into_error());
        }
        // counting sort: each mobile node's samples are already in the order of their times
        let mut next_row: Vec<usize> = Vec::with_capacity(self.latest.len());
        let mut total = 0;
        for latest in &self.latest {
            next_row.push(total);
            total += latest.samples;
        }
        let mut tracks = self.tracks;
        let take_row = |&mobile: &u32| {
            let row = next_row[mobile as usize];
            next_row[mobile as usize] += 1;
            row
        };
        let rows: Vec<usize> = tracks.mobile.iter().map(take_row).collect();
        tracks.mobile = scatter(&tracks.mobile, &rows);
        tracks.time_ps = scatter(&tracks.time_ps, &rows);
        tracks.x = scatter(&tracks.x, &rows);
        tracks.y = scatter(&tracks.y, &rows);
        Ok(tracks)
    }
}

fn scatter<T: Copy + Default>(values: &[T], rows: &[usize]) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    for (&value, &row) in values.iter().zip(rows) {
        out[row] = value;
    }
    out
}

pub fn quote_bytes(text: &[u8]) -> String {
    quote_excerpt(&String::from_utf8_lossy(text))
}
