//! The samples of mobiles: checked as they come, given sorted by mobile.

use crate::decimal;
use crate::fault::{shown, Checked, Fault, Problems};
use crate::names::Names;

/// Samples that fit an array of 8 GiB with their columns.
const MOST_SAMPLES: usize = 1 << 28;
/// Problems after which the rest of a file is not looked at.
const MOST_PROBLEMS: u64 = 1_000;
const MOST_NAME: usize = 256;
const PS_PLACES: i32 = 12;
const MM_PLACES: i32 = 3;
const NANODEGREE_PLACES: i32 = 9;
/// 100,000 km.
const MOST_MM: i128 = 100_000_000_000;

/// What x and y count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Units {
    #[default]
    Millimetres,
    /// x is longitude, y is latitude.
    Nanodegrees,
}

/// Positions at times, by mobile, then by time.
#[derive(Default)]
pub struct Tracks {
    pub format: &'static str,
    pub units: Units,
    /// Whether a mobile stays where its last sample is.
    pub stays: bool,
    /// Picoseconds since 1970 that are 0 of the times, where the file has dates.
    pub epoch_ps: Option<i128>,
    pub names: Names,
    pub mobile: Vec<u32>,
    pub time_ps: Vec<i64>,
    pub x: Vec<i64>,
    pub y: Vec<i64>,
}

/// A file that is being read: samples as they come, and what is wrong with it.
#[derive(Default)]
pub struct Reading {
    pub tracks: Tracks,
    problems: Problems,
    /// The line that problems are about.
    pub line: u64,
    /// Of each mobile: its latest time and place, the line of that, and how many samples it has.
    last: Vec<Last>,
}

struct Last {
    time_ps: i64,
    place: (i64, i64),
    line: u64,
    samples: usize,
}

impl Reading {
    pub fn new() -> Self {
        Reading { line: 1, ..Reading::default() }
    }

    /// The file is refused.
    pub fn fault(self) -> Fault {
        self.problems.fault("line")
    }

    pub fn wrong(&mut self, what: impl Into<String>, right: impl Into<String>) {
        self.problems.add(self.line, what, right);
    }

    /// Whether so much is wrong that there is no sense in going on.
    pub fn is_hopeless(&self) -> bool {
        self.problems.count >= MOST_PROBLEMS
    }

    /// Number of the mobile of that name, if it is one.
    pub fn mobile_of(&mut self, name: &str) -> Option<u32> {
        let sound = !name.is_empty() && name.len() <= MOST_NAME && name.trim() == name;
        if !sound || name.chars().any(char::is_control) {
            self.wrong(format!("name {}", shown(name)), "up to 256 bytes without spaces at the ends");
            return None;
        }
        Some(self.tracks.names.number_of(name))
    }

    /// Add a sample; those of one mobile are in order of time. False where there is no more room.
    pub fn add(&mut self, mobile: u32, time_ps: i64, place: (i64, i64)) -> bool {
        let (line, mobile_index) = (self.line, mobile as usize);
        while self.last.len() <= mobile_index {
            self.last.push(Last { time_ps: -1, place, line, samples: 0 });
        }
        let last = &mut self.last[mobile_index];
        if time_ps < last.time_ps || (time_ps == last.time_ps && place != last.place) {
            let name = shown(&self.tracks.names.names[mobile_index]);
            let what = if time_ps < last.time_ps { "goes back in time" } else { "is in two places" };
            let right = format!("after the {} s of line {}", seconds(last.time_ps), last.line);
            self.wrong(format!("{name} {what} at {} s", seconds(time_ps)), right);
            return true;
        }
        if time_ps == last.time_ps {
            return true;
        }
        if self.tracks.mobile.len() == MOST_SAMPLES {
            self.wrong("more than 268,435,456 samples", "fewer: cut the file");
            return false;
        }
        *last = Last { time_ps, place, line, samples: last.samples + 1 };
        self.tracks.mobile.push(mobile);
        self.tracks.time_ps.push(time_ps);
        self.tracks.x.push(place.0);
        self.tracks.y.push(place.1);
        true
    }

    /// Decimal seconds to the nearest picosecond.
    pub fn time(&mut self, what: &str, text: &[u8]) -> Option<i64> {
        let found =
            decimal::scaled(text, PS_PLACES).and_then(|ps| i64::try_from(ps).ok()).filter(|&ps| ps >= 0);
        if found.is_none() {
            self.wrong(format!("{what} {}", shown_bytes(text)), "decimal seconds from 0 to 9223372");
        }
        found
    }

    /// Decimal metres to the nearest millimetre.
    pub fn metres(&mut self, what: &str, text: &[u8]) -> Option<i64> {
        let found = decimal::scaled(text, MM_PLACES).filter(|mm| mm.abs() <= MOST_MM);
        if found.is_none() {
            self.wrong(format!("{what} {}", shown_bytes(text)), "decimal metres, at most 100000000 from 0");
        }
        found.and_then(|mm| i64::try_from(mm).ok())
    }

    /// Decimal degrees to the nearest nanodegree.
    pub fn degrees(&mut self, what: &str, most: i64, text: &[u8]) -> Option<i64> {
        let limit = i128::from(most) * 1_000_000_000;
        let found = decimal::scaled(text, NANODEGREE_PLACES).filter(|degrees| degrees.abs() <= limit);
        if found.is_none() {
            let right = format!("decimal degrees from -{most} to {most}");
            self.wrong(format!("{what} {}", shown_bytes(text)), right);
        }
        found.and_then(|degrees| i64::try_from(degrees).ok())
    }

    /// The samples of each mobile together in the order of their times, or what is wrong.
    pub fn finish(mut self) -> Checked<Tracks> {
        if self.problems.count == 0 && self.tracks.mobile.is_empty() {
            self.wrong("no mobile is in the file", "a position of one at least");
        }
        if self.problems.count > 0 {
            return Err(self.fault());
        }
        let mut next: Vec<usize> = Vec::with_capacity(self.last.len());
        let mut total = 0;
        for last in &self.last {
            next.push(total);
            total += last.samples;
        }
        let mut tracks = self.tracks;
        let place_of = |&mobile: &u32| {
            let place = next[mobile as usize];
            next[mobile as usize] += 1;
            place
        };
        let places: Vec<usize> = tracks.mobile.iter().map(place_of).collect();
        tracks.mobile = moved(&tracks.mobile, &places);
        tracks.time_ps = moved(&tracks.time_ps, &places);
        tracks.x = moved(&tracks.x, &places);
        tracks.y = moved(&tracks.y, &places);
        Ok(tracks)
    }
}

fn moved<T: Copy + Default>(values: &[T], places: &[usize]) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    for (&value, &place) in values.iter().zip(places) {
        out[place] = value;
    }
    out
}

pub fn shown_bytes(text: &[u8]) -> String {
    shown(&String::from_utf8_lossy(text))
}

pub fn seconds(time_ps: i64) -> String {
    let text = format!("{}.{:012}", time_ps / 1_000_000_000_000, time_ps % 1_000_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
