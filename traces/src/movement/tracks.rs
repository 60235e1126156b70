//! The samples of mobiles: checked as they come, given sorted by mobile.

use crate::decimal;
use crate::fault::{shown, Problems};
use crate::names::Names;

/// Samples that fit an array of 8 GiB with their columns.
const MOST_SAMPLES: usize = 1 << 28;
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

/// Positions at times; after `sorted` by mobile, then by time.
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
    /// Of each mobile: its latest time and place, the line of that, and how many samples it has.
    last: Vec<Last>,
}

struct Last {
    time_ps: i64,
    place: (i64, i64),
    line: u64,
    samples: usize,
}

impl Tracks {
    pub fn is_empty(&self) -> bool {
        self.mobile.is_empty()
    }

    /// Number of the mobile of that name, if it is one.
    pub fn mobile_of(&mut self, name: &str, line: u64, problems: &mut Problems) -> Option<u32> {
        let sound = !name.is_empty() && name.len() <= MOST_NAME && name.trim() == name;
        if !sound || name.chars().any(char::is_control) {
            problems.add(line, format!("name {}", shown(name)), "up to 256 bytes without spaces at the ends");
            return None;
        }
        Some(self.names.number_of(name))
    }

    /// Add a sample; those of one mobile are in order of time. False where there is no more room.
    pub fn add(
        &mut self,
        mobile: u32,
        time_ps: i64,
        place: (i64, i64),
        line: u64,
        problems: &mut Problems,
    ) -> bool {
        let mobile_index = mobile as usize;
        while self.last.len() <= mobile_index {
            self.last.push(Last { time_ps: -1, place, line, samples: 0 });
        }
        let last = &mut self.last[mobile_index];
        if time_ps < last.time_ps || (time_ps == last.time_ps && place != last.place) {
            let name = shown(&self.names.names[mobile_index]);
            let what = if time_ps < last.time_ps { "goes back in time" } else { "is in two places" };
            let right = format!("after the {} s of line {}", seconds(last.time_ps), last.line);
            problems.add(line, format!("{name} {what} at {} s", seconds(time_ps)), right);
            return true;
        }
        if time_ps == last.time_ps {
            return true;
        }
        if self.mobile.len() == MOST_SAMPLES {
            problems.add(line, "more than 268,435,456 samples", "fewer: cut the file");
            return false;
        }
        *last = Last { time_ps, place, line, samples: last.samples + 1 };
        self.mobile.push(mobile);
        self.time_ps.push(time_ps);
        self.x.push(place.0);
        self.y.push(place.1);
        true
    }

    /// The same samples, those of each mobile together in the order of their times.
    pub fn sorted(mut self) -> Self {
        let mut next: Vec<usize> = Vec::with_capacity(self.last.len());
        let mut total = 0;
        for last in &self.last {
            next.push(total);
            total += last.samples;
        }
        let places: Vec<usize> = self
            .mobile
            .iter()
            .map(|&mobile| {
                let place = next[mobile as usize];
                next[mobile as usize] += 1;
                place
            })
            .collect();
        self.mobile = moved(&self.mobile, &places);
        self.time_ps = moved(&self.time_ps, &places);
        self.x = moved(&self.x, &places);
        self.y = moved(&self.y, &places);
        self
    }
}

fn moved<T: Copy + Default>(values: &[T], places: &[usize]) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    for (&value, &place) in values.iter().zip(places) {
        out[place] = value;
    }
    out
}

/// Decimal seconds to the nearest picosecond.
pub fn time(what: &str, text: &[u8], line: u64, problems: &mut Problems) -> Option<i64> {
    let found = decimal::scaled(text, PS_PLACES).and_then(|ps| i64::try_from(ps).ok()).filter(|&ps| ps >= 0);
    if found.is_none() {
        problems.add(line, format!("{what} {}", shown_bytes(text)), "decimal seconds from 0 to 9223372");
    }
    found
}

/// Decimal metres to the nearest millimetre.
pub fn metres(what: &str, text: &[u8], line: u64, problems: &mut Problems) -> Option<i64> {
    let found = decimal::scaled(text, MM_PLACES).filter(|mm| mm.abs() <= MOST_MM);
    if found.is_none() {
        problems.add(
            line,
            format!("{what} {}", shown_bytes(text)),
            "decimal metres, at most 100000000 from 0",
        );
    }
    found.and_then(|mm| i64::try_from(mm).ok())
}

/// Decimal degrees to the nearest nanodegree.
pub fn degrees(what: &str, most: i64, text: &[u8], line: u64, problems: &mut Problems) -> Option<i64> {
    let limit = i128::from(most) * 1_000_000_000;
    let found = decimal::scaled(text, NANODEGREE_PLACES).filter(|degrees| degrees.abs() <= limit);
    if found.is_none() {
        let right = format!("decimal degrees from -{most} to {most}");
        problems.add(line, format!("{what} {}", shown_bytes(text)), right);
    }
    found.and_then(|degrees| i64::try_from(degrees).ok())
}

pub fn shown_bytes(text: &[u8]) -> String {
    shown(&String::from_utf8_lossy(text))
}

pub fn seconds(time_ps: i64) -> String {
    let text = format!("{}.{:012}", time_ps / 1_000_000_000_000, time_ps % 1_000_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
