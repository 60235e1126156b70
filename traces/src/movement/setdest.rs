//! ns-2 setdest: `$node_(i) set X_ x` places a node, `$ns_ at t "$node_(i) setdest x y speed"` sends it somewhere.

use super::stream::Stream;
use super::tracks::{seconds, shown_bytes};
use super::{Format, Reading};
use crate::decimal;

const RIGHT: &str = "$node_(i) set X_ x, or $ns_ at t \"$node_(i) setdest x y speed\"";
const PS_PER_S: i128 = 1_000_000_000_000;
const NANO: i128 = 1_000_000;
/// Speeds, in nanometres per second: 1,000,000 km/s.
const MOST_SPEED: i128 = 1_000_000_000_000_000_000;

/// A node on its way, in millimetres and picoseconds.
struct Node {
    mobile: u32,
    x: Option<i64>,
    y: Option<i64>,
    leg: Option<Leg>,
    line: u64,
}

#[derive(Clone, Copy)]
struct Leg {
    start_ps: i64,
    from: (i64, i64),
    arrives_ps: i128,
    to: (i64, i64),
}

impl Leg {
    /// The place at a time from the leg's start on, to the nearest millimetre.
    fn place(&self, time_ps: i64) -> (i64, i64) {
        let whole = self.arrives_ps - i128::from(self.start_ps);
        let part = i128::from(time_ps) - i128::from(self.start_ps);
        if part >= whole {
            return self.to;
        }
        let along = |from: i64, to: i64| {
            let way = i128::from(to) - i128::from(from);
            // way below 2**38 and part below 2**63: the product fits
            i64::try_from(i128::from(from) + (2 * way * part + whole).div_euclid(2 * whole)).unwrap_or(to)
        };
        (along(self.from.0, self.to.0), along(self.from.1, self.to.1))
    }
}

pub fn read(stream: &mut Stream, reading: &mut Reading) {
    reading.tracks.format = Format::Setdest.name();
    reading.tracks.stays = true;
    let mut nodes: Vec<Node> = Vec::new();
    let mut buffer = Vec::new();
    while let Some(text) = stream.next_line(&mut buffer, reading) {
        if reading.is_hopeless() {
            return;
        }
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let quiet = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'{' | b'}');
        let mut words = text.split(quiet).filter(|word| !word.is_empty());
        let words: [&[u8]; 9] = std::array::from_fn(|_| words.next().unwrap_or_default());
        match words {
            [b"$ns_" | b"$ns", b"at", at, node, b"setdest", x, y, speed, b""] => {
                let at = reading.time("time", at);
                let to = reading.metres("x", x).zip(reading.metres("y", y));
                let speed = speed_of(speed, reading);
                let node = node_of(&mut nodes, node, reading);
                let (Some(at), Some(to), Some(speed), Some(node)) = (at, to, speed, node) else { continue };
                if !turn(node, at, to, speed, reading) {
                    return;
                }
            }
            [node, b"set", axis @ (b"X_" | b"Y_" | b"Z_"), value, b"", ..] => {
                let value = reading.metres(&String::from_utf8_lossy(axis), value);
                let Some(node) = node_of(&mut nodes, node, reading) else { continue };
                if node.leg.is_some() {
                    reading.wrong("a node that moves is placed anew", "its place before its first setdest");
                    continue;
                }
                match axis {
                    b"X_" => node.x = value,
                    b"Y_" => node.y = value,
                    _ => {} // the height is not part of the model
                }
            }
            [b"$god_", ..] | [b"$ns_" | b"$ns", b"at", _, b"$god_", ..] => {}
            _ => reading.wrong(format!("statement {}", shown_bytes(text)), RIGHT),
        }
    }
    for node in &nodes {
        if !finish(node, reading) || reading.is_hopeless() {
            return;
        }
    }
}

/// The node of `$node_(i)`.
fn node_of<'n>(nodes: &'n mut Vec<Node>, word: &[u8], reading: &mut Reading) -> Option<&'n mut Node> {
    let number = word.strip_prefix(b"$node_(").and_then(|rest| rest.strip_suffix(b")"));
    let digits =
        number.filter(|digits| (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit));
    let Some(number) = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok()) else {
        reading.wrong(format!("node {}", shown_bytes(word)), RIGHT);
        return None;
    };
    let mobile = reading.mobile_of(&format!("node{number}"))?;
    if mobile as usize == nodes.len() {
        nodes.push(Node { mobile, x: None, y: None, leg: None, line: reading.line });
    }
    nodes.get_mut(mobile as usize)
}

fn speed_of(text: &[u8], reading: &mut Reading) -> Option<i128> {
    let found = decimal::scaled(text, 9).filter(|speed| (0..=MOST_SPEED).contains(speed));
    if found.is_none() {
        reading.wrong(format!("speed {}", shown_bytes(text)), "metres per second, not negative");
    }
    found
}

/// A node turns to a new place at a time. False where there is no more room.
fn turn(node: &mut Node, at: i64, to: (i64, i64), speed: i128, reading: &mut Reading) -> bool {
    let Some(place) = node.x.zip(node.y) else {
        reading.wrong("a node moves that has no place", "its X_ and Y_ before its first setdest");
        return true;
    };
    let leg = node.leg.unwrap_or(Leg { start_ps: 0, from: place, arrives_ps: 0, to: place });
    if at < leg.start_ps {
        let name = &reading.tracks.names.names[node.mobile as usize];
        let what = format!("{name:?} goes back in time");
        let right = format!("at or after the {} s of line {}", seconds(leg.start_ps), node.line);
        reading.wrong(what, right);
        return true;
    }
    let mut room = true;
    if node.leg.is_none() {
        room = reading.add(node.mobile, 0, place);
    }
    if let Ok(arrives) = i64::try_from(leg.arrives_ps) {
        if leg.start_ps < arrives && arrives < at {
            room = room && reading.add(node.mobile, arrives, leg.to);
        }
    }
    let from = leg.place(at);
    room = room && reading.add(node.mobile, at, from);
    let (to, arrives_ps) =
        if speed == 0 { (from, i128::from(at)) } else { (to, arrival(at, from, to, speed)) };
    node.leg = Some(Leg { start_ps: at, from, arrives_ps, to });
    node.line = reading.line;
    room
}

/// When a leg ends, to the nearest picosecond.
fn arrival(at: i64, from: (i64, i64), to: (i64, i64), speed: i128) -> i128 {
    // below 2 * 10**17 nm each way: the sum of squares and the product with 10**12 fit
    let (dx, dy) = (i128::from(to.0 - from.0) * NANO, i128::from(to.1 - from.1) * NANO);
    let distance = (dx * dx + dy * dy).isqrt();
    i128::from(at) + (2 * distance * PS_PER_S + speed) / (2 * speed)
}

/// The last samples of a node. False where there is no more room.
fn finish(node: &Node, reading: &mut Reading) -> bool {
    reading.line = node.line;
    let Some(place) = node.x.zip(node.y) else {
        reading.wrong("a node has no place", "its X_ and Y_");
        return true;
    };
    let Some(leg) = node.leg else {
        return reading.add(node.mobile, 0, place);
    };
    match i64::try_from(leg.arrives_ps) {
        Ok(arrives) => reading.add(node.mobile, arrives, leg.to),
        Err(_) => {
            reading.wrong("a way that takes more than 106 days", "a greater speed");
            true
        }
    }
}
