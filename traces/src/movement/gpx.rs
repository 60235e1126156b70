//! GPX: `<gpx><trk><trkseg><trkpt lat lon><time>…`; each track is a mobile.

use super::tracks::shown_bytes;
use super::xml::{attributes, Elements};
use super::{Format, Reading, Units};
use crate::decimal;
use quick_xml::events::BytesStart;

const DAY_PS: i128 = 86_400_000_000_000_000;

pub struct Gpx {
    tracks: u64,
    point: Option<Point>,
    text: Vec<u8>,
    /// Names of the elements that are open, as far as they matter.
    path: Vec<Element>,
    /// Times since 1970: they need more than 64 bits until the first is known.
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Root,
    Track,
    Segment,
    Point,
    Time,
    Other,
}

struct Point {
    place: Option<(i64, i64)>,
    time: Option<i128>,
    timed: bool,
}

struct Sample {
    mobile: u32,
    time_ps: i128,
    place: (i64, i64),
    line: u64,
}

impl Gpx {
    pub fn new(reading: &mut Reading) -> Self {
        reading.tracks.format = Format::Gpx.name();
        reading.tracks.units = Units::Nanodegrees;
        Gpx { tracks: 0, point: None, text: Vec::new(), path: Vec::new(), samples: Vec::new() }
    }
}

impl Elements for Gpx {
    fn open(&mut self, _: usize, element: &BytesStart, reading: &mut Reading) -> bool {
        use Element::{Other, Point as TrackPoint, Root, Segment, Time, Track};
        let here = match (self.path.as_slice(), element.local_name().as_ref()) {
            ([], _) => Root,
            ([Root], b"trk") => Track,
            ([Root, Track], b"trkseg") => Segment,
            ([Root, Track, Segment], b"trkpt") => TrackPoint,
            ([Root, Track, Segment, TrackPoint], b"time") => Time,
            _ => Other,
        };
        self.path.push(here);
        match here {
            Track => self.tracks += 1,
            TrackPoint => {
                let place = match attributes(element, ["lat", "lon"], reading) {
                    Some([Some(lat), Some(lon)]) => {
                        let lat = reading.degrees("lat", 90, lat.as_bytes());
                        reading.degrees("lon", 180, lon.as_bytes()).zip(lat)
                    }
                    Some(_) => {
                        reading.wrong("a trkpt without lat or lon", "both, in degrees");
                        None
                    }
                    None => None,
                };
                self.point = Some(Point { place, time: None, timed: false });
            }
            Time => self.text.clear(),
            _ => {}
        }
        true
    }

    fn text(&mut self, text: &[u8]) {
        if self.path.last() == Some(&Element::Time) && self.text.len() < 64 {
            self.text.extend_from_slice(&text[..text.len().min(64)]);
        }
    }

    fn close(&mut self, reading: &mut Reading) {
        match self.path.pop() {
            Some(Element::Time) => {
                if let Some(point) = &mut self.point {
                    point.timed = true;
                    point.time = instant(self.text.trim_ascii());
                    if point.time.is_none() {
                        let right = "a date and time such as 2026-11-24T09:47:00Z";
                        reading.wrong(format!("time {}", shown_bytes(&self.text)), right);
                    }
                }
            }
            Some(Element::Point) => {
                let Some(point) = self.point.take() else { return };
                if !point.timed {
                    reading.wrong("a trkpt without time", "the time of each point");
                }
                let mobile = reading.mobile_of(&format!("track{}", self.tracks - 1));
                if let (Some(mobile), Some(place), Some(time_ps)) = (mobile, point.place, point.time) {
                    self.samples.push(Sample { mobile, time_ps, place, line: reading.line });
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, reading: &mut Reading) {
        let Some(first) = self.samples.iter().map(|sample| sample.time_ps).min() else { return };
        reading.tracks.epoch_ps = Some(first);
        for sample in &self.samples {
            reading.line = sample.line;
            let Ok(time_ps) = i64::try_from(sample.time_ps - first) else {
                reading.wrong("is more than 106 days after the earliest point", "a shorter file");
                return;
            };
            if !reading.add(sample.mobile, time_ps, sample.place) || reading.is_hopeless() {
                return;
            }
        }
    }
}

/// Picoseconds since 1970 of an xsd:dateTime; without a zone it is UTC, as GPX says.
fn instant(text: &[u8]) -> Option<i128> {
    let number = |part: &[u8], size: usize, most: i64| -> Option<i64> {
        let right = part.len() == size && part.iter().all(u8::is_ascii_digit);
        let value = right.then(|| part.iter().fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0')))?;
        (value <= most).then_some(value)
    };
    if text.len() < 19 || [4, 7, 10, 13, 16].map(|at| text[at]) != *b"--T::" {
        return None;
    }
    let (year, month, day) =
        (number(&text[..4], 4, 9999)?, number(&text[5..7], 2, 12)?, number(&text[8..10], 2, 31)?);
    let (hour, minute) = (number(&text[11..13], 2, 23)?, number(&text[14..16], 2, 59)?);
    let rest = &text[17..];
    let end = rest.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')).unwrap_or(rest.len());
    let (second, zone) = rest.split_at(end);
    if number(&second[..2.min(second.len())], 2, 60).is_none()
        || !second.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    {
        return None;
    }
    let offset_minutes = match zone {
        [] | [b'Z'] => 0,
        [sign, h1, h2, b':', m1, m2] => {
            let size = number(&[*h1, *h2], 2, 14)? * 60 + number(&[*m1, *m2], 2, 59)?;
            if *sign == b'+' {
                size
            } else {
                -size
            }
        }
        _ => return None,
    };
    let days = i128::from(days_since_1970(year, month, day)?);
    let minutes = i128::from(hour * 60 + minute - offset_minutes);
    Some(days * DAY_PS + minutes * 60_000_000_000_000 + decimal::scaled(second, 12)?)
}

/// Days of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month - 1).ok()?;
    if day < 1 || day > *lengths.get(before)? {
        return None;
    }
    let past = year - 1; // leap days lie in the years before
    let days_before_year = past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    Some(days_before_year - 719_162 + lengths[..before].iter().sum::<i64>() + day - 1)
}
