//! GPX: `<gpx><trk><trkseg><trkpt lat lon><time>…`; each track is a mobile node.

use super::tracks::{quote_bytes, Format, TrackBuilder, Units};
use super::xml::{read_attributes, ElementHandler};
use crate::decimal;
use crate::error::BadRecord;
use quick_xml::events::BytesStart;

const PS_PLACES: i32 = 12;
const MINUTE_PS: i128 = 60_000_000_000_000;
const DAY_PS: i128 = 86_400_000_000_000_000;
/// Bytes of the text of a time that are kept; a valid one is shorter.
const MAX_TIME_TEXT: usize = 64;

pub struct GpxHandler {
    tracks: u64,
    point: Option<Point>,
    /// Text of the current time element.
    text: Vec<u8>,
    /// The open elements.
    path: Vec<Element>,
    /// All samples of the file. Their times count from 1970 and fit 64 bits only once the earliest is known.
    samples: Vec<Sample>,
    /// If true, the next sample is the first one of a segment: the receiver was off or without reception before.
    begins_segment: bool,
    /// First route or waypoint outside tracks: its name and line.
    outside_tracks: Option<(&'static str, u64)>,
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
    position: Option<(i64, i64)>,
    time_ps: Option<i128>,
    /// If true, the point has a time element, valid or not.
    has_time: bool,
}

struct Sample {
    mobile: u32,
    time_ps: i128,
    position: (i64, i64),
    begins_segment: bool,
    line: u64,
}

impl GpxHandler {
    pub fn new(builder: &mut TrackBuilder) -> Self {
        builder.tracks.format = Format::Gpx.name();
        builder.tracks.units = Units::Nanodegrees;
        GpxHandler {
            tracks: 0,
            point: None,
            text: Vec::new(),
            path: Vec::new(),
            samples: Vec::new(),
            begins_segment: false,
            outside_tracks: None,
        }
    }
}

impl ElementHandler for GpxHandler {
    fn open(&mut self, _: usize, element: &BytesStart, builder: &mut TrackBuilder) -> bool {
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
            Segment => self.begins_segment = true,
            Other if self.path.len() == 2 => {
                let name = match element.local_name().as_ref() {
                    b"rte" => "a route (rte)",
                    b"wpt" => "a waypoint (wpt)",
                    _ => return true,
                };
                self.outside_tracks.get_or_insert((name, builder.line));
            }
            TrackPoint => {
                builder.begin_record();
                let position = match read_attributes(element, ["lat", "lon"], builder) {
                    Some([Some(lat), Some(lon)]) => {
                        let lat = builder.parse_degrees("lat", 90, lat.as_bytes());
                        builder.parse_degrees("lon", 180, lon.as_bytes()).zip(lat)
                    }
                    Some(_) => {
                        let expected = "both, in degrees";
                        builder.report_record(BadRecord::POSITION, "a trkpt without lat or lon", expected);
                        None
                    }
                    None => None,
                };
                self.point = Some(Point { position, time_ps: None, has_time: false });
            }
            Time => self.text.clear(),
            _ => {}
        }
        true
    }

    fn text(&mut self, text: &[u8]) {
        if self.path.last() == Some(&Element::Time) && self.text.len() < MAX_TIME_TEXT {
            self.text.extend_from_slice(&text[..text.len().min(MAX_TIME_TEXT)]);
        }
    }

    fn close(&mut self, builder: &mut TrackBuilder) {
        match self.path.pop() {
            Some(Element::Time) => {
                if let Some(point) = &mut self.point {
                    point.has_time = true;
                    point.time_ps = parse_date_time(self.text.trim_ascii());
                    if point.time_ps.is_none() {
                        let expected = "a date and time such as 2026-11-24T09:47:00Z";
                        let message = format!("time {}", quote_bytes(&self.text));
                        builder.report_record(BadRecord::TIME, message, expected);
                    }
                }
            }
            Some(Element::Point) => {
                let Some(point) = self.point.take() else { return };
                if !point.has_time {
                    builder.report_record(
                        BadRecord::NO_TIME,
                        "a trkpt without time",
                        "the time of each point",
                    );
                }
                let mobile = builder.intern_mobile(&format!("track{}", self.tracks - 1));
                if let (Some(mobile), Some(position), Some(time_ps)) = (mobile, point.position, point.time_ps)
                {
                    let begins_segment = std::mem::take(&mut self.begins_segment);
                    let line = builder.line;
                    self.samples.push(Sample { mobile, time_ps, position, begins_segment, line });
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, builder: &mut TrackBuilder) {
        let Some(earliest) = self.samples.iter().map(|sample| sample.time_ps).min() else {
            if let (0, Some((name, line))) = (self.tracks, self.outside_tracks) {
                builder.line = line;
                let expected = "a track (trk), whose points have times";
                builder.report(format!("the file has no track, but {name}, which is no movement"), expected);
            }
            return;
        };
        builder.tracks.epoch_ps = Some(earliest);
        for sample in &self.samples {
            builder.line = sample.line;
            builder.begin_record();
            if sample.begins_segment {
                builder.end_part(sample.mobile);
            }
            let Ok(time_ps) = i64::try_from(sample.time_ps - earliest) else {
                builder.report("is more than 106 days after the earliest point", "a shorter file");
                return;
            };
            if !builder.add_sample(sample.mobile, time_ps, sample.position) || builder.has_too_many_problems()
            {
                return;
            }
        }
    }
}

/// Parse an xsd:dateTime as picoseconds since 1970; without a zone it is UTC, as GPX states.
fn parse_date_time(text: &[u8]) -> Option<i128> {
    let parse_number = |part: &[u8], size: usize, max: i64| -> Option<i64> {
        let valid = part.len() == size && part.iter().all(u8::is_ascii_digit);
        let value = valid.then(|| part.iter().fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0')))?;
        (value <= max).then_some(value)
    };
    if text.len() < 19 || [4, 7, 10, 13, 16].map(|at| text[at]) != *b"--T::" {
        return None;
    }
    let (year, month, day) = (
        parse_number(&text[..4], 4, 9999)?,
        parse_number(&text[5..7], 2, 12)?,
        parse_number(&text[8..10], 2, 31)?,
    );
    let (hour, minute) = (parse_number(&text[11..13], 2, 23)?, parse_number(&text[14..16], 2, 59)?);
    let rest = &text[17..];
    let end = rest.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')).unwrap_or(rest.len());
    let (second, zone) = rest.split_at(end);
    // 60 is a leap second
    if parse_number(&second[..2.min(second.len())], 2, 60).is_none()
        || !second.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    {
        return None;
    }
    let offset_minutes = match zone {
        [] | [b'Z'] => 0,
        [sign, h1, h2, b':', m1, m2] => {
            let minutes = parse_number(&[*h1, *h2], 2, 14)? * 60 + parse_number(&[*m1, *m2], 2, 59)?;
            if *sign == b'+' {
                minutes
            } else {
                -minutes
            }
        }
        _ => return None,
    };
    let days = i128::from(days_since_1970(year, month, day)?);
    let minutes = i128::from(hour * 60 + minute - offset_minutes);
    Some(days * DAY_PS + minutes * MINUTE_PS + decimal::parse_scaled(second, PS_PLACES)?)
}

/// Return the days from 1970 to a date of the Gregorian calendar; None if there is no such date.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    /// Days from 1 January of year 1 to 1970.
    const DAYS_BEFORE_1970: i64 = 719_162;
    let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap_year { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months_before = usize::try_from(month - 1).ok()?;
    if day < 1 || day > *lengths.get(months_before)? {
        return None;
    }
    let years_before = year - 1;
    let leap_days = years_before.div_euclid(4) - years_before.div_euclid(100) + years_before.div_euclid(400);
    let days_of_months = lengths[..months_before].iter().sum::<i64>();
    Some(years_before * 365 + leap_days - DAYS_BEFORE_1970 + days_of_months + day - 1)
}
