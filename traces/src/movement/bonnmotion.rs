//! BonnMotion: a line for each node with the times and positions of its waypoints: `t x y t x y …`.

use super::line_reader::LineReader;
use super::tracks::{Format, TrackBuilder};
use crate::error::BadRecord;
use std::io::BufRead;

/// First line of a file with heights: `t x y z t x y z …`.
const HEADER_3D: &[u8] = b"#3D";
const MAX_WORD: usize = 64;

/// The current waypoint.
#[derive(Default)]
struct Waypoint {
    words: usize,
    time_ps: Option<i64>,
    x: Option<i64>,
    y: Option<i64>,
}

/// Parser state across the bytes of a file.
struct Parser {
    /// Number of nodes so far.
    nodes: u64,
    words_per_waypoint: usize,
    waypoint: Waypoint,
    /// If true, no waypoint of the current node has been read.
    is_first_waypoint: bool,
    /// The mobile node of the current line, None before its first number.
    mobile: Option<u32>,
    word: Vec<u8>,
    in_comment: bool,
    /// The last line without a waypoint; only the end of the file may follow it.
    blank_line: Option<u64>,
}

pub fn read(lines: &mut LineReader, format: Format, builder: &mut TrackBuilder) {
    builder.tracks.format = format.name();
    builder.tracks.stays = true;
    let mut parser = Parser {
        nodes: 0,
        words_per_waypoint: if format == Format::BonnMotion3d { 4 } else { 3 },
        waypoint: Waypoint::default(),
        is_first_waypoint: true,
        mobile: None,
        word: Vec::new(),
        in_comment: false,
        blank_line: None,
    };
    loop {
        // a node's line may be long: only its words are limited
        lines.begin_unit();
        let size = match lines.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => {
                if !bytes
                    .iter()
                    .all(|&byte| parser.add_byte(byte, builder) && !builder.has_too_many_problems())
                {
                    return;
                }
                bytes.len()
            }
            Err(error) => {
                lines.report_error(&error, builder);
                return;
            }
        };
        lines.consume(size);
    }
    if !parser.word.is_empty() || parser.mobile.is_some() {
        parser.add_byte(b'\n', builder);
    }
}

impl Parser {
    /// Add a byte; return false to stop reading.
    fn add_byte(&mut self, byte: u8, builder: &mut TrackBuilder) -> bool {
        let in_word = !byte.is_ascii_whitespace();
        if in_word {
            if self.word.len() == MAX_WORD {
                if self.in_comment {
                    return true;
                }
                builder.report("a word of more than 64 characters", "decimal numbers");
                return false;
            }
            self.in_comment |= self.word.is_empty() && self.mobile.is_none() && byte == b'#';
            self.word.push(byte);
            return true;
        }
        let mut has_room = true;
        if self.in_comment && byte != b'\n' {
            return true;
        }
        if self.in_comment {
            if builder.line == 1 && self.word == HEADER_3D {
                self.words_per_waypoint = 4;
            }
        } else if !self.word.is_empty() {
            has_room = self.add_number(builder);
        }
        if byte == b'\n' {
            self.end_line(builder);
        }
        if byte == b'\n' || !self.in_comment {
            self.word.clear();
        }
        has_room
    }

    fn add_number(&mut self, builder: &mut TrackBuilder) -> bool {
        if let Some(blank_line) = self.blank_line.take() {
            let line = std::mem::replace(&mut builder.line, blank_line);
            builder.report("a line without a waypoint", "at least one waypoint t x y for each node");
            builder.line = line;
        }
        if self.mobile.is_none() {
            self.mobile = builder.intern_mobile(&format!("node{}", self.nodes));
            self.nodes += 1;
        }
        if self.waypoint.words == 0 {
            builder.begin_record();
        }
        match self.waypoint.words {
            0 => self.waypoint.time_ps = builder.parse_time("time", &self.word),
            1 => self.waypoint.x = builder.parse_metres("x", &self.word),
            2 => self.waypoint.y = builder.parse_metres("y", &self.word),
            _ => {
                builder.parse_metres("z", &self.word); // the height is not part of the model
            }
        }
        self.waypoint.words += 1;
        if self.waypoint.words < self.words_per_waypoint {
            return true;
        }
        let Waypoint { time_ps, x, y, .. } = std::mem::take(&mut self.waypoint);
        let (Some(mobile), Some(time_ps), Some(x), Some(y)) = (self.mobile, time_ps, x, y) else {
            return true;
        };
        // a node stands at its first waypoint before it begins to move
        let stands_first = std::mem::take(&mut self.is_first_waypoint) && time_ps > 0;
        (!stands_first || builder.add_sample(mobile, 0, (x, y)))
            && builder.add_sample(mobile, time_ps, (x, y))
    }

    fn end_line(&mut self, builder: &mut TrackBuilder) {
        if self.waypoint.words > 0 {
            let expected = format!(
                "groups of {}: t x y{}",
                self.words_per_waypoint,
                [" z", ""][usize::from(self.words_per_waypoint == 3)]
            );
            let message = format!("{} numbers too many", self.waypoint.words);
            builder.begin_record();
            builder.report_record(BadRecord::FIELDS, message, expected);
        } else if self.mobile.is_none() && !self.in_comment && self.blank_line.is_none() {
            self.blank_line = Some(builder.line);
        }
        self.waypoint = Waypoint::default();
        self.mobile = None;
        self.is_first_waypoint = true;
        self.in_comment = false;
        builder.line += 1;
    }
}
