//! Association logs: which mobile was attached to which router, from when to when.

use crate::fault::{shown, Checked, Problems};
use crate::names::Names;
use csv::ByteRecord;
use hashbrown::HashMap;

pub const HEADER: [&str; 6] = ["mobile", "router", "up_s", "down_s", "predict_s", "going_down_s"];
/// Stands for an empty field.
pub const NONE: i64 = -1;
const PS_PER_S: i64 = 1_000_000_000_000;
const PS_DIGITS: usize = 12;

#[derive(Default)]
pub struct Associations {
    pub mobile: Vec<u32>,
    pub router: Vec<u32>,
    pub up_ps: Vec<i64>,
    pub down_ps: Vec<i64>,
    pub predict_ps: Vec<i64>,
    pub going_down_ps: Vec<i64>,
    pub mobiles: Names,
    pub routers: Names,
}

/// Where an earlier line said something of this mobile, or of this mobile at this router.
struct Earlier {
    time_ps: i64,
    line: u64,
}

struct Row {
    up: i64,
    down: i64,
    predict: i64,
    going_down: i64,
}

/// Line numbers of ascending offsets; the reader's own are one short behind CR LF.
struct Lines<'a> {
    file: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// Line of the first record at or after `offset`.
    fn number(&mut self, offset: u64) -> u64 {
        let blank = |&&byte: &&u8| matches!(byte, b'\r' | b'\n');
        let offset = (offset as usize).min(self.file.len());
        let start = offset + self.file[offset..].iter().take_while(blank).count();
        self.line += self.file[self.at..start].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.at = start;
        self.line
    }
}

pub fn read(file: &[u8]) -> Checked<Associations> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut log = Associations::default();
    let mut problems = Problems::default();
    let mut last_up: HashMap<u32, Earlier> = HashMap::new();
    let mut busy_until: HashMap<(u32, u32), Earlier> = HashMap::new();
    let mut record = ByteRecord::new();
    let mut lines = Lines { file, at: 0, line: 1 };
    let mut header_read = false;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                problems.add(
                    lines.number(reader.position().byte()),
                    format!("cannot be read: {error}"),
                    "a file that can be read",
                );
                break;
            }
        }
        let line = lines.number(record.position().map_or(0, csv::Position::byte));
        if !header_read {
            header_read = true;
            if !record.iter().eq(HEADER.iter().map(|name| name.as_bytes())) {
                let found = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
                let right = format!("the columns are {}", HEADER.join(","));
                problems.add(line, format!("columns {}", shown(&found)), right);
                break;
            }
            continue;
        }
        if record.len() != HEADER.len() {
            let right = format!("{}: {}", HEADER.len(), HEADER.join(","));
            problems.add(line, format!("{} fields", record.len()), right);
            continue;
        }
        let mobile = name(&record, 0, line, &mut problems);
        let router = name(&record, 1, line, &mut problems);
        let times = times(&record, line, &mut problems);
        let (Some(mobile), Some(router)) = (mobile, router) else { continue };
        let mobile = log.mobiles.number_of(&mobile);
        let router = log.routers.number_of(&router);
        let Some(row) = times else { continue };

        if let Some(last) = last_up.get(&mobile).filter(|last| row.up < last.time_ps) {
            let right = format!(
                "at or after the {} s of line {}, the mobile's line before",
                seconds(last.time_ps),
                last.line
            );
            problems.add(line, format!("up_s {} goes back in time", seconds(row.up)), right);
        } else if let Some(busy) = busy_until.get(&(mobile, router)).filter(|busy| row.up < busy.time_ps) {
            let end = if busy.time_ps == i64::MAX {
                "the end".into()
            } else {
                format!("{} s", seconds(busy.time_ps))
            };
            let right =
                format!("after {end}, until when line {} attaches this mobile to this router", busy.line);
            problems.add(line, format!("up_s {} overlaps", seconds(row.up)), right);
        }
        last_up.insert(mobile, Earlier { time_ps: row.up, line });
        let until = if row.down == NONE { i64::MAX } else { row.down };
        let busy = busy_until.entry((mobile, router)).or_insert(Earlier { time_ps: until, line });
        if until > busy.time_ps {
            *busy = Earlier { time_ps: until, line };
        }
        log.mobile.push(mobile);
        log.router.push(router);
        log.up_ps.push(row.up);
        log.down_ps.push(row.down);
        log.predict_ps.push(row.predict);
        log.going_down_ps.push(row.going_down);
    }
    if !header_read && problems.count == 0 {
        problems.add(1, "the file is empty", format!("it begins with the line {}", HEADER.join(",")));
    }
    if problems.count > 0 {
        return Err(problems.fault("line"));
    }
    Ok(log)
}

fn name(record: &ByteRecord, column: usize, line: u64, problems: &mut Problems) -> Option<String> {
    let right = "a name in UTF-8 without spaces at its ends";
    match std::str::from_utf8(&record[column]) {
        Ok(name) if !name.is_empty() && name.trim() == name => Some(name.to_owned()),
        Ok(name) => {
            problems.add(line, format!("{} {}", HEADER[column], shown(name)), right);
            None
        }
        Err(_) => {
            problems.add(line, format!("{} is not UTF-8", HEADER[column]), right);
            None
        }
    }
}

/// The four times, if they are numbers and in an order that can be.
fn times(record: &ByteRecord, line: u64, problems: &mut Problems) -> Option<Row> {
    let before = problems.count;
    let mut read = |column: usize| {
        let text = &record[column];
        if text.is_empty() && column != 2 {
            return NONE;
        }
        picoseconds(text).unwrap_or_else(|right| {
            let text = String::from_utf8_lossy(text);
            problems.add(line, format!("{} {}", HEADER[column], shown(&text)), right);
            NONE
        })
    };
    let row = Row { up: read(2), down: read(3), predict: read(4), going_down: read(5) };
    if problems.count > before {
        return None;
    }
    let Row { up, down, predict, going_down } = row;
    let end = if down == NONE { i64::MAX } else { down };
    if down != NONE && down < up {
        let right = format!("at or after up_s {}", seconds(up));
        problems.add(line, format!("down_s {} is before up_s", seconds(down)), right);
    } else if going_down != NONE && !(up..=end).contains(&going_down) {
        let to = if down == NONE { "the end".into() } else { format!("down_s {}", seconds(down)) };
        let right = format!("from up_s {} to {to}", seconds(up));
        problems.add(line, format!("going_down_s {} is outside the attachment", seconds(going_down)), right);
    }
    if predict != NONE {
        if going_down != NONE && predict > going_down {
            let right = format!("at or before going_down_s {}", seconds(going_down));
            problems.add(line, format!("predict_s {} is after going_down_s", seconds(predict)), right);
        } else if predict > end {
            let right = format!("at or before down_s {}", seconds(down));
            problems.add(line, format!("predict_s {} is after down_s", seconds(predict)), right);
        }
    }
    (problems.count == before).then_some(row)
}

/// Decimal seconds as picoseconds, exactly; or what would be right.
fn picoseconds(text: &[u8]) -> Result<i64, String> {
    let not_decimal = || "decimal seconds such as 12.5, not negative".to_string();
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[..0]),
    };
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || (point.is_some() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(not_decimal());
    }
    if fraction.iter().skip(PS_DIGITS).any(|&digit| digit != b'0') {
        return Err(format!("at most {PS_DIGITS} decimals: time is kept in picoseconds"));
    }
    let padded = whole.iter().chain(fraction.iter().chain(std::iter::repeat(&b'0')).take(PS_DIGITS));
    let sum = |sum: i64, &digit: &u8| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'));
    padded.into_iter().try_fold(0, sum).ok_or_else(|| format!("at most {} s", i64::MAX / PS_PER_S))
}

fn seconds(time_ps: i64) -> String {
    let text = format!("{}.{:012}", time_ps / PS_PER_S, time_ps % PS_PER_S);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
