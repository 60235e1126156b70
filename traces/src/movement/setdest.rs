//! ns-2 setdest: `$node_(i) set X_ x` places a node, `$ns_ at t "$node_(i) setdest x y speed"` moves it.

use super::line_reader::LineReader;
use super::tracks::{quote_bytes, Format, TrackBuilder};
use crate::decimal::{format_seconds, parse_scaled};

const EXPECTED: &str = "$node_(i) set X_ x, or $ns_ at t \"$node_(i) setdest x y speed\"";
const PS_PER_S: i128 = 1_000_000_000_000;
const NM_PER_MM: i128 = 1_000_000;
const NM_PLACES: i32 = 9;
/// 1,000,000 km/s, in nanometres per second.
const MAX_SPEED: i128 = 1_000_000_000_000_000_000;

/// A node, in millimetres and picoseconds.
struct Node {
    mobile: u32,
    x: Option<i64>,
    y: Option<i64>,
    /// The current movement, None before the first one.
    leg: Option<Leg>,
    line: u64,
}

/// A movement on a straight line at constant speed.
#[derive(Clone, Copy)]
struct Leg {
    start_ps: i64,
    from: (i64, i64),
    arrives_ps: i128,
    to: (i64, i64),
}

impl Leg {
    /// Return the position at a time not before the leg's start, to the nearest millimetre.
    fn position_at(&self, time_ps: i64) -> (i64, i64) {
        let duration = self.arrives_ps - i128::from(self.start_ps);
        let elapsed = i128::from(time_ps) - i128::from(self.start_ps);
        if elapsed >= duration {
            return self.to;
        }
        let interpolate = |from: i64, to: i64| {
            let distance = i128::from(to) - i128::from(from);
            // the distance is below 2**38 and the elapsed time below 2**63: the product fits
            let rounded = (2 * distance * elapsed + duration).div_euclid(2 * duration);
            i64::try_from(i128::from(from) + rounded).unwrap_or(to)
        };
        (interpolate(self.from.0, self.to.0), interpolate(self.from.1, self.to.1))
    }
}

pub fn read(lines: &mut LineReader, builder: &mut TrackBuilder) {
    builder.tracks.format = Format::Setdest.name();
    builder.tracks.stays = true;
    let mut nodes: Vec<Node> = Vec::new();
    let mut buffer = Vec::new();
    while let Some(text) = lines.next_line(&mut buffer, builder) {
        if builder.has_too_many_problems() {
            return;
        }
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let is_separator = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'{' | b'}');
        let mut words = text.split(is_separator).filter(|word| !word.is_empty());
        let words: [&[u8]; 9] = std::array::from_fn(|_| words.next().unwrap_or_default());
        match words {
            [b"$ns_" | b"$ns", b"at", at, node, b"setdest", x, y, speed, b""] => {
                let at = builder.parse_time("time", at);
                let to = builder.parse_metres("x", x).zip(builder.parse_metres("y", y));
                let speed = parse_speed(speed, builder);
                let node = find_node(&mut nodes, node, builder);
                let (Some(at), Some(to), Some(speed), Some(node)) = (at, to, speed, node) else { continue };
                if !start_leg(node, at, to, speed, builder) {
                    return;
                }
            }
            [node, b"set", axis @ (b"X_" | b"Y_" | b"Z_"), value, b"", ..] => {
                let value = builder.parse_metres(&String::from_utf8_lossy(axis), value);
                let Some(node) = find_node(&mut nodes, node, builder) else { continue };
                if node.leg.is_some() {
                    builder
                        .report("a moving node is set to a new place", "its place before its first setdest");
                    continue;
                }
                match axis {
                    b"X_" => node.x = value,
                    b"Y_" => node.y = value,
                    _ => {} // the height is not part of the model
                }
            }
            [b"$god_", ..] | [b"$ns_" | b"$ns", b"at", _, b"$god_", ..] => {}
            _ => builder.report(format!("statement {}", quote_bytes(text)), EXPECTED),
        }
    }
    for node in &nodes {
        if !finish_node(node, builder) || builder.has_too_many_problems() {
            return;
        }
    }
}

/// Return the node of the word `$node_(i)`, a new one if it is unknown; report another word.
fn find_node<'n>(nodes: &'n mut Vec<Node>, word: &[u8], builder: &mut TrackBuilder) -> Option<&'n mut Node> {
    let number = word.strip_prefix(b"$node_(").and_then(|rest| rest.strip_suffix(b")"));
    let digits =
        number.filter(|digits| (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit));
    let Some(number) = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok()) else {
        builder.report(format!("node {}", quote_bytes(word)), EXPECTED);
        return None;
    };
    let mobile = builder.intern_mobile(&format!("node{number}"))?;
    if mobile as usize == nodes.len() {
        nodes.push(Node { mobile, x: None, y: None, leg: None, line: builder.line });
    }
    nodes.get_mut(mobile as usize)
}

fn parse_speed(text: &[u8], builder: &mut TrackBuilder) -> Option<i128> {
    let speed = parse_scaled(text, NM_PLACES).filter(|speed| (0..=MAX_SPEED).contains(speed));
    if speed.is_none() {
        builder.report(format!("speed {}", quote_bytes(text)), "metres per second, not negative");
    }
    speed
}

/// Move a node to a new place from a time on. Return false if the file has too many samples.
fn start_leg(node: &mut Node, at: i64, to: (i64, i64), speed: i128, builder: &mut TrackBuilder) -> bool {
    let Some(position) = node.x.zip(node.y) else {
        builder.report("a node without a place moves", "its X_ and Y_ before its first setdest");
        return true;
    };
    let leg = node.leg.unwrap_or(Leg { start_ps: 0, from: position, arrives_ps: 0, to: position });
    if at < leg.start_ps {
        let name = builder.tracks.names.name(node.mobile);
        let message = format!("{name:?} goes back in time");
        let expected = format!("at or after the {} s of line {}", format_seconds(leg.start_ps), node.line);
        builder.report(message, expected);
        return true;
    }
    let mut has_room = true;
    if node.leg.is_none() {
        has_room = builder.add_sample(node.mobile, 0, position);
    }
    if let Ok(arrives) = i64::try_from(leg.arrives_ps) {
        if leg.start_ps < arrives && arrives < at {
            has_room = has_room && builder.add_sample(node.mobile, arrives, leg.to);
        }
    }
    let from = leg.position_at(at);
    has_room = has_room && builder.add_sample(node.mobile, at, from);
    let (to, arrives_ps) =
        if speed == 0 { (from, i128::from(at)) } else { (to, arrival_time(at, from, to, speed)) };
    node.leg = Some(Leg { start_ps: at, from, arrives_ps, to });
    node.line = builder.line;
    has_room
}

/// Return the end of a leg, to the nearest picosecond.
fn arrival_time(at: i64, from: (i64, i64), to: (i64, i64), speed: i128) -> i128 {
    // each distance is below 2 * 10**17 nm: the sum of squares and the product with 10**12 fit
    let (dx, dy) = (i128::from(to.0 - from.0) * NM_PER_MM, i128::from(to.1 - from.1) * NM_PER_MM);
    let distance = (dx * dx + dy * dy).isqrt();
    i128::from(at) + (2 * distance * PS_PER_S + speed) / (2 * speed)
}

/// Add the last samples of a node. Return false if the file has too many samples.
fn finish_node(node: &Node, builder: &mut TrackBuilder) -> bool {
    builder.line = node.line;
    let Some(position) = node.x.zip(node.y) else {
        builder.report("a node without a place", "its X_ and Y_");
        return true;
    };
    let Some(leg) = node.leg else {
        return builder.add_sample(node.mobile, 0, position);
    };
    match i64::try_from(leg.arrives_ps) {
        Ok(arrives) => builder.add_sample(node.mobile, arrives, leg.to),
        Err(_) => {
            builder.report("a movement of more than 106 days", "a greater speed");
            true
        }
    }
}
