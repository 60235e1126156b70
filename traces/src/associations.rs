//! Association logs: intervals in which mobile nodes were attached to routers.

use crate::decimal::format_seconds;
use crate::error::{quote_excerpt, Problems, Result};
use crate::interner::Interner;
use csv::ByteRecord;
use hashbrown::HashMap;

pub const HEADER: [&str; 6] = ["mobile", "router", "up_s", "down_s", "predict_s", "going_down_s"];
/// Value of a time whose field is empty.
pub const NO_TIME: i64 = -1;
const PS_PER_S: i64 = 1_000_000_000_000;
const PS_DIGITS: usize = 12;

/// Columns of a log, one entry for each attachment in the order of the file.
#[derive(Default)]
pub struct Associations {
    pub mobile: Vec<u32>,
    pub router: Vec<u32>,
    pub up_ps: Vec<i64>,
    pub down_ps: Vec<i64>,
    pub predict_ps: Vec<i64>,
    pub going_down_ps: Vec<i64>,
    pub mobiles: Interner,
    pub routers: Interner,
}

/// A time that a later line must not precede, and the line that stated it.
struct Bound {
    time_ps: i64,
    line: u64,
}

/// The four times of a line, in picoseconds.
struct Times {
    up: i64,
    down: i64,
    predict: i64,
    going_down: i64,
}

/// Line numbers of ascending offsets. The CSV reader's own numbers are one short behind CR LF.
struct LineCounter<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// Return the line of the first record at or after `offset`.
    fn line_at(&mut self, offset: u64) -> u64 {
        let is_line_end = |&&byte: &&u8| matches!(byte, b'\r' | b'\n');
        let offset = (offset as usize).min(self.file.len());
        let start = offset + self.file[offset..].iter().take_while(is_line_end).count();
        self.line += self.file[self.at..start].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.at = start;
        self.line
    }
}

/// Checks lines against earlier ones and collects their columns.
#[derive(Default)]
struct LogBuilder {
    log: Associations,
    problems: Problems,
    /// Start of each mobile's latest attachment.
    latest_up: HashMap<u32, Bound>,
    /// End of the attachments of each mobile at each router.
    attached_until: HashMap<(u32, u32), Bound>,
}

/// Read an association log; report every wrong line.
pub fn read(file: &[u8]) -> Result<Associations> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut builder = LogBuilder::default();
    let mut record = ByteRecord::new();
    let mut lines = LineCounter { file, at: 0, line: 1 };
    let mut has_header = false;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = lines.line_at(reader.position().byte());
                builder.problems.add(line, format!("cannot be read: {error}"), "a file that can be read");
                break;
            }
        }
        let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
        if has_header {
            builder.add_line(&record, line);
            continue;
        }
        has_header = true;
        if !record.iter().eq(HEADER.iter().map(|name| name.as_bytes())) {
            let columns = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
            let expected = format!("the columns are {}", HEADER.join(","));
            builder.problems.add(line, format!("columns {}", quote_excerpt(&columns)), expected);
            break;
        }
    }
    let LogBuilder { log, mut problems, .. } = builder;
    if !has_header && problems.count == 0 {
        problems.add(1, "the file is empty", format!("it begins with the line {}", HEADER.join(",")));
    }
    if problems.count > 0 {
        return Err(problems.into_error("line"));
    }
    Ok(log)
}

impl LogBuilder {
    fn add_line(&mut self, record: &ByteRecord, line: u64) {
        if record.len() != HEADER.len() {
            let expected = format!("{}: {}", HEADER.len(), HEADER.join(","));
            self.problems.add(line, format!("{} fields", record.len()), expected);
            return;
        }
        let mobile = parse_name(record, 0, line, &mut self.problems);
        let router = parse_name(record, 1, line, &mut self.problems);
        let times = parse_times(record, line, &mut self.problems);
        let (Some(mobile), Some(router)) = (mobile, router) else { return };
        let mobile = self.log.mobiles.intern(&mobile);
        let router = self.log.routers.intern(&router);
        let Some(times) = times else { return };
        self.check_against_earlier_lines(mobile, router, &times, line);
        self.log.mobile.push(mobile);
        self.log.router.push(router);
        self.log.up_ps.push(times.up);
        self.log.down_ps.push(times.down);
        self.log.predict_ps.push(times.predict);
        self.log.going_down_ps.push(times.going_down);
    }

    fn check_against_earlier_lines(&mut self, mobile: u32, router: u32, times: &Times, line: u64) {
        let precedes = |bound: &&Bound| times.up < bound.time_ps;
        if let Some(latest) = self.latest_up.get(&mobile).filter(precedes) {
            let expected = format!(
                "at or after the {} s of line {}, the mobile's line before",
                format_seconds(latest.time_ps),
                latest.line
            );
            self.problems.add(line, format!("up_s {} goes back in time", format_seconds(times.up)), expected);
        } else if let Some(attached) = self.attached_until.get(&(mobile, router)).filter(precedes) {
            let end = if attached.time_ps == i64::MAX {
                "the end".into()
            } else {
                format!("{} s", format_seconds(attached.time_ps))
            };
            let expected =
                format!("after {end}, until when line {} attaches this mobile to this router", attached.line);
            self.problems.add(line, format!("up_s {} overlaps", format_seconds(times.up)), expected);
        }
        self.latest_up.insert(mobile, Bound { time_ps: times.up, line });
        let until = if times.down == NO_TIME { i64::MAX } else { times.down };
        let attached = self.attached_until.entry((mobile, router)).or_insert(Bound { time_ps: until, line });
        if until > attached.time_ps {
            *attached = Bound { time_ps: until, line };
        }
    }
}

fn parse_name(record: &ByteRecord, column: usize, line: u64, problems: &mut Problems) -> Option<String> {
    let expected = "a name in UTF-8 without spaces at its ends";
    match std::str::from_utf8(&record[column]) {
        Ok(name) if !name.is_empty() && name.trim() == name => Some(name.to_owned()),
        Ok(name) => {
            problems.add(line, format!("{} {}", HEADER[column], quote_excerpt(name)), expected);
            None
        }
        Err(_) => {
            problems.add(line, format!("{} is not UTF-8", HEADER[column]), expected);
            None
        }
    }
}

/// Parse the four times; return None if one is no number or their order is impossible.
fn parse_times(record: &ByteRecord, line: u64, problems: &mut Problems) -> Option<Times> {
    const UP: usize = 2; // the one time that must not be empty
    let count_before = problems.count;
    let mut parse = |column: usize| {
        let text = &record[column];
        if text.is_empty() && column != UP {
            return NO_TIME;
        }
        parse_picoseconds(text).unwrap_or_else(|expected| {
            let text = String::from_utf8_lossy(text);
            problems.add(line, format!("{} {}", HEADER[column], quote_excerpt(&text)), expected);
            NO_TIME
        })
    };
    let times = Times { up: parse(UP), down: parse(3), predict: parse(4), going_down: parse(5) };
    if problems.count > count_before {
        return None;
    }
    let Times { up, down, predict, going_down } = times;
    let end = if down == NO_TIME { i64::MAX } else { down };
    if down != NO_TIME && down < up {
        let expected = format!("at or after up_s {}", format_seconds(up));
        problems.add(line, format!("down_s {} is before up_s", format_seconds(down)), expected);
    } else if going_down != NO_TIME && !(up..=end).contains(&going_down) {
        let to = if down == NO_TIME { "the end".into() } else { format!("down_s {}", format_seconds(down)) };
        let expected = format!("from up_s {} to {to}", format_seconds(up));
        let message = format!("going_down_s {} is outside the attachment", format_seconds(going_down));
        problems.add(line, message, expected);
    }
    if predict != NO_TIME {
        if going_down != NO_TIME && predict > going_down {
            let expected = format!("at or before going_down_s {}", format_seconds(going_down));
            problems.add(
                line,
                format!("predict_s {} is after going_down_s", format_seconds(predict)),
                expected,
            );
        } else if predict > end {
            let expected = format!("at or before down_s {}", format_seconds(down));
            problems.add(line, format!("predict_s {} is after down_s", format_seconds(predict)), expected);
        }
    }
    (problems.count == count_before).then_some(times)
}

/// Parse decimal seconds exactly to picoseconds; return a description of valid input as the error.
fn parse_picoseconds(text: &[u8]) -> std::result::Result<i64, String> {
    let point = text.iter().position(|&byte| byte == b'.');
    let (integer, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[..0]),
    };
    let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if integer.is_empty()
        || (point.is_some() && fraction.is_empty())
        || !all_digits(integer)
        || !all_digits(fraction)
    {
        return Err("decimal seconds such as 12.5, not negative".to_owned());
    }
    if fraction.iter().skip(PS_DIGITS).any(|&digit| digit != b'0') {
        return Err(format!("at most {PS_DIGITS} decimals: the unit of time is the picosecond"));
    }
    let padded = integer.iter().chain(fraction.iter().chain(std::iter::repeat(&b'0')).take(PS_DIGITS));
    let append = |sum: i64, &digit: &u8| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'));
    padded.into_iter().try_fold(0, append).ok_or_else(|| format!("at most {} s", i64::MAX / PS_PER_S))
}
