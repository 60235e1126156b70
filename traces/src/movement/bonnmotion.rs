//! BonnMotion: a line for each node, times and places of its waypoints: `t x y t x y …`.

use super::stream::Stream;
use super::{Format, Reading};
use std::io::BufRead;

/// First line of a file with heights: `t x y z t x y z …`.
pub const IN_3D: &[u8] = b"#3D";
const MOST_WORD: usize = 64;

/// The waypoint that is being read.
#[derive(Default)]
struct Waypoint {
    words: usize,
    time_ps: Option<i64>,
    x: Option<i64>,
    y: Option<i64>,
}

struct Lines {
    node: u64,
    words_of_waypoint: usize,
    waypoint: Waypoint,
    mobile: Option<u32>,
    word: Vec<u8>,
    comment: bool,
    /// A line without a waypoint, which only the end of the file may follow.
    blank: Option<u64>,
}

pub fn read(stream: &mut Stream, reading: &mut Reading) {
    reading.tracks.format = Format::BonnMotion.name();
    reading.tracks.stays = true;
    let mut lines = Lines {
        node: 0,
        words_of_waypoint: 3,
        waypoint: Waypoint::default(),
        mobile: None,
        word: Vec::new(),
        comment: false,
        blank: None,
    };
    loop {
        // a node's line may be long: only its words are bounded
        stream.begin_unit();
        let size = match stream.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => {
                if !bytes.iter().all(|&byte| lines.byte(byte, reading) && !reading.is_hopeless()) {
                    return;
                }
                bytes.len()
            }
            Err(error) => {
                stream.failed(&error, reading);
                return;
            }
        };
        stream.consume(size);
    }
    if !lines.word.is_empty() || lines.mobile.is_some() {
        lines.byte(b'\n', reading);
    }
}

impl Lines {
    /// Take a byte; false where there is no sense in going on.
    fn byte(&mut self, byte: u8, reading: &mut Reading) -> bool {
        let in_word = !byte.is_ascii_whitespace();
        if in_word {
            if self.word.len() == MOST_WORD {
                if self.comment {
                    return true;
                }
                reading.wrong("a word of more than 64 characters", "decimal numbers");
                return false;
            }
            self.comment |= self.word.is_empty() && self.mobile.is_none() && byte == b'#';
            self.word.push(byte);
            return true;
        }
        let mut room = true;
        if self.comment && byte != b'\n' {
            return true;
        }
        if self.comment {
            if reading.line == 1 && self.word == IN_3D {
                self.words_of_waypoint = 4;
            }
        } else if !self.word.is_empty() {
            room = self.number(reading);
        }
        if byte == b'\n' {
            self.end_line(reading);
        }
        if byte == b'\n' || !self.comment {
            self.word.clear();
        }
        room
    }

    fn number(&mut self, reading: &mut Reading) -> bool {
        if let Some(blank) = self.blank.take() {
            let line = std::mem::replace(&mut reading.line, blank);
            reading.wrong("a line without a waypoint", "t x y of one at least, for each node");
            reading.line = line;
        }
        if self.mobile.is_none() {
            self.mobile = reading.mobile_of(&format!("node{}", self.node));
            self.node += 1;
        }
        match self.waypoint.words {
            0 => self.waypoint.time_ps = reading.time("time", &self.word),
            1 => self.waypoint.x = reading.metres("x", &self.word),
            2 => self.waypoint.y = reading.metres("y", &self.word),
            _ => {
                reading.metres("z", &self.word); // the height is not part of the model
            }
        }
        self.waypoint.words += 1;
        if self.waypoint.words < self.words_of_waypoint {
            return true;
        }
        let Waypoint { time_ps, x, y, .. } = std::mem::take(&mut self.waypoint);
        let (Some(mobile), Some(time_ps), Some(x), Some(y)) = (self.mobile, time_ps, x, y) else {
            return true;
        };
        reading.add(mobile, time_ps, (x, y))
    }

    fn end_line(&mut self, reading: &mut Reading) {
        if self.waypoint.words > 0 {
            let right = format!(
                "groups of {}: t x y{}",
                self.words_of_waypoint,
                [" z", ""][usize::from(self.words_of_waypoint == 3)]
            );
            reading.wrong(format!("{} numbers too many", self.waypoint.words), right);
        } else if self.mobile.is_none() && !self.comment && self.blank.is_none() {
            self.blank = Some(reading.line);
        }
        self.waypoint = Waypoint::default();
        self.mobile = None;
        self.comment = false;
        reading.line += 1;
    }
}
