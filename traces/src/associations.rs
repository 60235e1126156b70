//! Association logs: intervals in which mobile nodes were attached to routers.

use crate::decimal::format_seconds;
use crate::error::{quote_excerpt, BadRecord, OnBadRecord, Problems, Result, Skipped};
use crate::interner::Interner;
use csv::ByteRecord;
use hashbrown::HashMap;

pub const HEADER: [&str; 6] = ["mobile", "router", "up_s", "down_s", "predict_s", "going_down_s"];
/// Value of a time whose field is empty.
pub const NO_TIME: i64 = -1;
const PS_PER_S: i128 = 1_000_000_000_000;
/// Seconds of the greatest time in 64 bits.
const MAX_S: i128 = 9_223_372;
/// Year 5138: larger UNIX times count milliseconds or finer units.
const MAX_UNIX_S: i128 = 100_000_000_000;
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
    /// The time of the file that is 0 in the columns, in picoseconds.
    pub begin_ps: i128,
    pub skipped: Skipped,
}

/// A time that a later line must not precede, and the line that stated it.
struct Bound {
    time_ps: i128,
    line: u64,
}

/// Time of a link without an end.
const FOREVER: i128 = i128::MAX;

/// The four times of a line, in picoseconds of the file; all but `up` may be missing.
#[derive(Clone, Copy)]
struct Times {
    up: i128,
    down: Option<i128>,
    predict: Option<i128>,
    going_down: Option<i128>,
}

impl Times {
    fn end(&self) -> i128 {
        self.down.unwrap_or(FOREVER)
    }
}

/// A problem of a line.
struct LineProblem {
    reason: BadRecord,
    message: String,
    expected: String,
}

/// The problems of one line.
#[derive(Default)]
struct LineProblems(Vec<LineProblem>);

impl LineProblems {
    fn add(&mut self, reason: BadRecord, message: impl Into<String>, expected: impl Into<String>) {
        self.0.push(LineProblem { reason, message: message.into(), expected: expected.into() });
    }
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

/// An attachment with the times of the file.
struct Row {
    mobile: u32,
    router: u32,
    times: Times,
    line: u64,
}

/// Checks lines against earlier ones and collects them.
#[derive(Default)]
struct LogBuilder {
    log: Associations,
    rows: Vec<Row>,
    problems: Problems,
    on_bad_record: OnBadRecord,
    /// Start of each mobile's latest attachment.
    latest_up: HashMap<u32, Bound>,
    /// End of the attachments of each mobile at each router.
    attached_until: HashMap<(u32, u32), Bound>,
}

/// Read an association log; report every wrong line.
///
/// `begin_ps` is the time of the file that becomes 0, None for that of the first link. What is earlier is left out.
pub fn read(file: &[u8], begin_ps: Option<i128>, on_bad_record: OnBadRecord) -> Result<Associations> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut builder = LogBuilder { on_bad_record, ..LogBuilder::default() };
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
    if !has_header && builder.problems.count == 0 {
        builder.problems.add(1, "the file is empty", format!("it begins with the line {}", HEADER.join(",")));
    }
    let begin = begin_ps.or_else(|| builder.rows.iter().map(|row| row.times.up).min()).unwrap_or(0);
    builder.add_columns(begin);
    if builder.problems.count > 0 {
        return Err(builder.problems.into_error("line"));
    }
    Ok(builder.log)
}

impl LogBuilder {
    fn add_line(&mut self, record: &ByteRecord, line: u64) {
        let mut problems = LineProblems::default();
        if record.len() != HEADER.len() {
            let expected = format!("{}: {}", HEADER.len(), HEADER.join(","));
            problems.add(BadRecord::FIELDS, format!("{} fields", record.len()), expected);
            return self.report(problems, line);
        }
        let mobile = parse_name(record, 0, &mut problems);
        let router = parse_name(record, 1, &mut problems);
        let times = parse_times(record, &mut problems);
        if let (Some(mobile), Some(router)) = (mobile, router) {
            // names are numbered even if the times are wrong: a later line of the mobile is checked all the same
            let mobile = self.log.mobiles.intern(&mobile);
            let router = self.log.routers.intern(&router);
            if let Some(times) = times {
                self.check_against_earlier_lines(mobile, router, &times, line, &mut problems);
                if problems.0.is_empty() {
                    self.rows.push(Row { mobile, router, times, line });
                }
            }
        }
        self.report(problems, line);
    }

    /// Report the problems of a line, or leave the line out.
    fn report(&mut self, problems: LineProblems, line: u64) {
        let Some(first) = problems.0.first() else { return };
        if problems.0.iter().all(|problem| self.on_bad_record.leaves_out(problem.reason)) {
            return self.log.skipped.add(first.reason);
        }
        for problem in problems.0 {
            self.problems.add(line, problem.message, problem.expected);
        }
    }

    fn check_against_earlier_lines(
        &mut self,
        mobile: u32,
        router: u32,
        times: &Times,
        line: u64,
        problems: &mut LineProblems,
    ) {
        let precedes = |bound: &&Bound| times.up < bound.time_ps;
        if let Some(latest) = self.latest_up.get(&mobile).filter(precedes) {
            let expected = format!(
                "at or after the {} s of line {}, the mobile's line before",
                format_seconds(latest.time_ps),
                latest.line
            );
            let message = format!("up_s {} goes back in time", format_seconds(times.up));
            problems.add(BadRecord::BACK_IN_TIME, message, expected);
        } else if let Some(attached) = self.attached_until.get(&(mobile, router)).filter(precedes) {
            let end = if attached.time_ps == FOREVER {
                "the end".into()
            } else {
                format!("{} s", format_seconds(attached.time_ps))
            };
            let expected =
                format!("after {end}, until when line {} attaches this mobile to this router", attached.line);
            let message = format!("up_s {} overlaps", format_seconds(times.up));
            problems.add(BadRecord::OVERLAP, message, expected);
        }
        if problems.0.iter().any(|problem| self.on_bad_record.leaves_out(problem.reason)) {
            return;
        }
        self.latest_up.insert(mobile, Bound { time_ps: times.up, line });
        let until = times.end();
        let attached = self.attached_until.entry((mobile, router)).or_insert(Bound { time_ps: until, line });
        if until > attached.time_ps {
            *attached = Bound { time_ps: until, line };
        }
    }

    /// Turn the rows into columns whose times count from `begin`.
    fn add_columns(&mut self, begin: i128) {
        let first_s = self.rows.iter().map(|row| row.times.up).min().unwrap_or(0) / PS_PER_S;
        let mut fits = true;
        let log = &mut self.log;
        log.begin_ps = begin;
        for Row { mobile, router, times, line } in std::mem::take(&mut self.rows) {
            if times.end() <= begin && times.up < begin {
                continue;
            }
            let mut shift = |name: &str, time: Option<i128>| match time {
                Some(time) => i64::try_from(time - begin).unwrap_or_else(|_| {
                    if std::mem::take(&mut fits) {
                        let message =
                            format!("{name} {:?} is more than 106 days after 0", format_seconds(time));
                        let expected =
                            format!("at most {MAX_S} s; for UNIX times a begin such as \"{first_s}s\"");
                        self.problems.add(line, message, expected);
                    }
                    NO_TIME
                }),
                None => NO_TIME,
            };
            let up = shift("up_s", Some(times.up)).max(0);
            let down = shift("down_s", times.down);
            let event = |time: i64| if time < 0 { NO_TIME } else { time };
            let predict = event(shift("predict_s", times.predict));
            let going_down = event(shift("going_down_s", times.going_down));
            log.mobile.push(mobile);
            log.router.push(router);
            log.up_ps.push(up);
            log.down_ps.push(down);
            log.predict_ps.push(predict);
            log.going_down_ps.push(going_down);
        }
    }
}

fn parse_name(record: &ByteRecord, column: usize, problems: &mut LineProblems) -> Option<String> {
    let expected = "a name in UTF-8 without spaces at its ends";
    match std::str::from_utf8(&record[column]) {
        Ok(name) if !name.is_empty() && name.trim() == name => Some(name.to_owned()),
        Ok(name) => {
            problems.add(BadRecord::NAME, format!("{} {}", HEADER[column], quote_excerpt(name)), expected);
            None
        }
        Err(_) => {
            problems.add(BadRecord::NAME, format!("{} is not UTF-8", HEADER[column]), expected);
            None
        }
    }
}

/// Parse the four times; return None if one is no number or their order is impossible.
fn parse_times(record: &ByteRecord, problems: &mut LineProblems) -> Option<Times> {
    const UP: usize = 2; // the one time that must not be empty
    let count_before = problems.0.len();
    let mut parse = |column: usize| {
        let text = &record[column];
        if text.is_empty() && column != UP {
            return None;
        }
        parse_picoseconds(text)
            .map_err(|expected| {
                let text = String::from_utf8_lossy(text);
                let message = format!("{} {}", HEADER[column], quote_excerpt(&text));
                problems.add(BadRecord::TIME, message, expected);
            })
            .ok()
    };
    let (up, down, predict, going_down) = (parse(UP), parse(3), parse(4), parse(5));
    if problems.0.len() > count_before {
        return None;
    }
    let times = Times { up: up?, down, predict, going_down };
    let (up, end) = (times.up, times.end());
    let mut add = |message: String, expected: String| problems.add(BadRecord::ORDER, message, expected);
    if let Some(down) = down.filter(|&down| down < up) {
        let expected = format!("at or after up_s {}", format_seconds(up));
        add(format!("down_s {} is before up_s", format_seconds(down)), expected);
    } else if let Some(going_down) = going_down.filter(|time| !(up..=end).contains(time)) {
        let to = down.map_or("the end".into(), |down| format!("down_s {}", format_seconds(down)));
        let expected = format!("from up_s {} to {to}", format_seconds(up));
        add(format!("going_down_s {} is outside the attachment", format_seconds(going_down)), expected);
    }
    if let Some(predict) = predict {
        if let Some(going_down) = going_down.filter(|&going_down| predict > going_down) {
            let expected = format!("at or before going_down_s {}", format_seconds(going_down));
            add(format!("predict_s {} is after going_down_s", format_seconds(predict)), expected);
        } else if predict > end {
            let expected = format!("at or before down_s {}", format_seconds(end));
            add(format!("predict_s {} is after down_s", format_seconds(predict)), expected);
        }
    }
    (problems.0.len() == count_before).then_some(times)
}

/// Parse decimal seconds exactly to picoseconds; return a description of valid input as the error.
fn parse_picoseconds(text: &[u8]) -> std::result::Result<i128, String> {
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
    let append = |sum: i128, &digit: &u8| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'));
    let time = padded.into_iter().try_fold(0, append).filter(|&time| time < MAX_UNIX_S * PS_PER_S);
    time.ok_or_else(|| {
        format!("at most {MAX_S} s; UNIX times in seconds, not in milliseconds or finer units")
    })
}
