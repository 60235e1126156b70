//! Samples of mobile nodes, checked as they are added and returned sorted by mobile node; formats of movement files by name.

use crate::decimal::{format_seconds, parse_scaled};
use crate::error::{quote_excerpt, BadRecord, OnBadRecord, Problems, Result, Skipped};
use crate::interner::Interner;
use hashbrown::HashSet;

/// Samples whose columns take 8 GiB.
const MAX_SAMPLES: usize = 1 << 28;
/// Problems after which reading stops.
const MAX_PROBLEMS: u64 = 1_000;
const MAX_NAME: usize = 256;
const PS_PLACES: i32 = 12;
const MM_PLACES: i32 = 3;
const NANODEGREE_PLACES: i32 = 9;
const NANODEGREES_PER_DEGREE: i128 = 1_000_000_000;
/// Before the internal name of a person, which no name in a file can contain.
pub const PERSON_MARK: char = '\u{1}';
/// Before the final name of a person if a vehicle has the same name.
pub const PERSON_PREFIX: &str = "person:";
/// 100,000 km.
const MAX_MM: i128 = 100_000_000_000;

/// The format of a movement file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Fcd,
    /// Floating car data whose x and y are longitude and latitude.
    FcdGeo,
    FcdCsv,
    FcdCsvGeo,
    Gpx,
    Setdest,
    BonnMotion,
    /// Waypoints with heights: `t x y z`.
    BonnMotion3d,
}

impl Format {
    /// All formats with their names in Python.
    pub const ALL: [(&'static str, Format); 8] = [
        ("fcd", Format::Fcd),
        ("fcd-geo", Format::FcdGeo),
        ("fcd-csv", Format::FcdCsv),
        ("fcd-csv-geo", Format::FcdCsvGeo),
        ("gpx", Format::Gpx),
        ("setdest", Format::Setdest),
        ("bonnmotion", Format::BonnMotion),
        ("bonnmotion-3d", Format::BonnMotion3d),
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
    /// Rows before which the mobile node was absent since its previous sample.
    pub breaks: Vec<i64>,
    /// Distances by which the unit of floating car data can be judged.
    pub distances: Option<Distances>,
    pub skipped: Skipped,
}

/// Distances between samples of floating car data, with x and y taken for metres and for degrees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Distances {
    /// Over all legs: the time in seconds, the distance in metres if x and y are metres, and if they are degrees.
    pub all: [f64; 3],
    /// Over the legs whose ends have a speed: the distance in metres by that speed, then as in `all`.
    pub stated: [f64; 3],
    /// If true, each x could be a longitude and each y a latitude.
    pub within_degrees: bool,
}

/// Samples in the order of the file, and the problems of the file.
#[derive(Default)]
pub struct TrackBuilder {
    pub tracks: Tracks,
    problems: Problems,
    on_bad_record: OnBadRecord,
    /// If true, the current record has been counted as bad.
    record_is_bad: bool,
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
    /// If true, the next sample follows an absence.
    part_ends: bool,
}

impl TrackBuilder {
    pub fn new(on_bad_record: OnBadRecord) -> Self {
        TrackBuilder { line: 1, on_bad_record, ..TrackBuilder::default() }
    }

    /// Begin a new record: a bad one is counted once.
    pub fn begin_record(&mut self) {
        self.record_is_bad = false;
    }

    /// Report a problem that concerns the current record alone: leave the record out, or refuse the file.
    pub fn report_record(
        &mut self,
        reason: BadRecord,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        if !self.on_bad_record.leaves_out(reason) {
            self.report(message, expected);
        }
        self.skip_record(reason);
    }

    /// Count the current record as left out because of an earlier bad one, unless the file is refused anyway.
    pub fn skip_record(&mut self, reason: BadRecord) {
        if self.on_bad_record.leaves_out(reason) && !self.record_is_bad {
            self.record_is_bad = true;
            self.tracks.skipped.add(reason);
        }
    }

    /// Mark the mobile node as absent until its next sample.
    pub fn end_part(&mut self, mobile: u32) {
        if let Some(latest) = self.latest.get_mut(mobile as usize) {
            latest.part_ends = true;
        }
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
        self.check_name(name).then(|| self.tracks.names.intern(name))
    }

    fn check_name(&mut self, name: &str) -> bool {
        let valid = !name.is_empty() && name.len() <= MAX_NAME && name.trim() == name;
        if !valid || name.chars().any(char::is_control) {
            let message = format!("name {}", quote_excerpt(name));
            self.report_record(BadRecord::NAME, message, "up to 256 bytes without spaces at the ends");
            return false;
        }
        true
    }

    /// Add a sample, which must not precede the mobile node's latest one. Return false if the file has too many samples.
    pub fn add_sample(&mut self, mobile: u32, time_ps: i64, position: (i64, i64)) -> bool {
        let (line, mobile_index) = (self.line, mobile as usize);
        while self.latest.len() <= mobile_index {
            self.latest.push(LatestSample { time_ps: -1, position, line, samples: 0, part_ends: false });
        }
        let latest = &mut self.latest[mobile_index];
        if time_ps < latest.time_ps || (time_ps == latest.time_ps && position != latest.position) {
            let (reason, what) = if time_ps < latest.time_ps {
                (BadRecord::BACK_IN_TIME, "goes back in time")
            } else {
                (BadRecord::TWO_PLACES, "is in two places")
            };
            let name = quote_excerpt(&self.tracks.names.name(mobile).replace(PERSON_MARK, PERSON_PREFIX));
            let expected = format!("after the {} s of line {}", format_seconds(latest.time_ps), latest.line);
            self.report_record(reason, format!("{name} {what} at {} s", format_seconds(time_ps)), expected);
            return true;
        }
        if time_ps == latest.time_ps {
            latest.part_ends = false; // the same place at the same time: it was not absent
            return true;
        }
        if self.tracks.mobile.len() == MAX_SAMPLES {
            self.report("more than 268,435,456 samples", "fewer: split the file");
            return false;
        }
        if latest.part_ends && latest.samples > 0 {
            self.tracks.breaks.push(self.tracks.mobile.len() as i64);
        }
        *latest = LatestSample { time_ps, position, line, samples: latest.samples + 1, part_ends: false };
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
            let message = format!("{field} {}", quote_bytes(text));
            self.report_record(BadRecord::TIME, message, "decimal seconds from 0 to 9223372");
        }
        time_ps
    }

    /// Parse decimal metres and round them to the nearest millimetre.
    pub fn parse_metres(&mut self, field: &str, text: &[u8]) -> Option<i64> {
        let mm = parse_scaled(text, MM_PLACES).filter(|mm| mm.abs() <= MAX_MM);
        if mm.is_none() {
            let message = format!("{field} {}", quote_bytes(text));
            self.report_record(BadRecord::POSITION, message, "decimal metres, at most 100000000 from 0");
        }
        mm.and_then(|mm| i64::try_from(mm).ok())
    }

    /// Parse decimal degrees from -`max` to `max` and round them to the nearest nanodegree.
    pub fn parse_degrees(&mut self, field: &str, max: i64, text: &[u8]) -> Option<i64> {
        let limit = i128::from(max) * NANODEGREES_PER_DEGREE;
        let degrees = parse_scaled(text, NANODEGREE_PLACES).filter(|degrees| degrees.abs() <= limit);
        if degrees.is_none() {
            let expected = format!("decimal degrees from -{max} to {max}");
            self.report_record(BadRecord::POSITION, format!("{field} {}", quote_bytes(text)), expected);
        }
        degrees.and_then(|degrees| i64::try_from(degrees).ok())
    }

    /// Return the number of a person. A person is another mobile node than a vehicle of the same name.
    pub fn intern_person(&mut self, name: &str) -> Option<u32> {
        self.check_name(name).then(|| self.tracks.names.intern(&format!("{PERSON_MARK}{name}")))
    }

    /// Give persons their names without the mark; with a prefix where a vehicle has the name.
    pub fn name_persons(&mut self) {
        let names = std::mem::take(&mut self.tracks.names).into_names();
        let mut taken: HashSet<String> =
            names.iter().filter(|name| !name.starts_with(PERSON_MARK)).cloned().collect();
        for name in names {
            let mut final_name = name;
            if let Some(person) = final_name.strip_prefix(PERSON_MARK).map(str::to_owned) {
                final_name = person;
                while !taken.insert(final_name.clone()) {
                    final_name.insert_str(0, PERSON_PREFIX);
                }
            }
            self.tracks.names.intern(&final_name);
        }
    }

    /// Return the samples sorted by mobile node, or the problems.
    pub fn finish(mut self) -> Result<Tracks> {
        if self.problems.count == 0 && self.tracks.mobile.is_empty() {
            self.report("the file has no mobile node", "a position of at least one");
        }
        if self.problems.count > 0 {
            return Err(self.problems.into_error("line"));
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
        tracks.breaks = tracks.breaks.iter().map(|&row| rows[row as usize] as i64).collect();
        tracks.breaks.sort_unstable();
        drop_unused_names(&mut tracks, &self.latest);
        Ok(tracks)
    }
}

/// Drop the names of mobile nodes without a sample, all of whose records were left out.
fn drop_unused_names(tracks: &mut Tracks, latest: &[LatestSample]) {
    let has_sample = |mobile: usize| latest.get(mobile).is_some_and(|latest| latest.samples > 0);
    let names = std::mem::take(&mut tracks.names).into_names();
    let mut renumbered = Vec::with_capacity(names.len());
    for (mobile, name) in names.into_iter().enumerate() {
        renumbered.push(if has_sample(mobile) { tracks.names.intern(&name) } else { 0 });
    }
    for mobile in &mut tracks.mobile {
        *mobile = renumbered[*mobile as usize];
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
