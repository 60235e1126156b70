//! ns-2 setdest: `$node_(i) set X_ x` places a node, `$ns_ at t "$node_(i) setdest x y speed"` moves it.

use super::line_reader::LineReader;
use super::tracks::{quote_bytes, Format, TrackBuilder};
use crate::decimal::{format_seconds, parse_scaled};
use crate::error::BadRecord;

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
    /// A time at which the node is set to another place, and that place. A statement sets one axis, so it may be incomplete.
    jump: Option<(i64, (i64, i64))>,
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
        let text = strip_comment(text);
        if text.is_empty() {
            continue;
        }
        builder.begin_record();
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
            [b"$ns_" | b"$ns", b"at", at, node, b"set", axis @ (b"X_" | b"Y_" | b"Z_"), value, b"", ..] => {
                let at = builder.parse_time("time", at);
                let value = builder.parse_metres(&String::from_utf8_lossy(axis), value);
                let node = find_node(&mut nodes, node, builder);
                let (Some(at), Some(value), Some(node)) = (at, value, node) else { continue };
                if axis != b"Z_" && !set_place_at(node, at, axis == b"X_", value, builder) {
                    return;
                }
            }
            [node, b"set", axis @ (b"X_" | b"Y_" | b"Z_"), value, b"", ..] => {
                let value = builder.parse_metres(&String::from_utf8_lossy(axis), value);
                let Some(node) = find_node(&mut nodes, node, builder) else { continue };
                if node.leg.is_some() {
                    let message = "a moving node is set to a new place";
                    let expected = "its place before its first setdest, or the time of the jump: $ns_ at t";
                    builder.report_record(BadRecord::STATEMENT, message, expected);
                    continue;
                }
                match axis {
                    b"X_" => node.x = value,
                    b"Y_" => node.y = value,
                    _ => {} // the height is not part of the model
                }
            }
            [b"$god_", ..] | [b"$ns_" | b"$ns", b"at", _, b"$god_", ..] => {}
            // a constant of the script, such as the number of nodes
            [b"set", _, value, b"", ..] if !value.contains(&b'$') && !value.contains(&b'[') => {}
            _ => {
                let message = format!("statement {}", quote_bytes(text));
                builder.report_record(BadRecord::STATEMENT, message, EXPECTED);
            }
        }
    }
    for node in &mut nodes {
        builder.begin_record();
        if !finish_node(node, builder) || builder.has_too_many_problems() {
            return;
        }
    }
}

/// Return a line without its comment, which begins with `#` or `;#`.
fn strip_comment(text: &[u8]) -> &[u8] {
    if text.starts_with(b"#") {
        return b"";
    }
    let is_comment = |&at: &usize| text[at + 1..].trim_ascii_start().starts_with(b"#");
    let separators = memchr::memchr_iter(b';', text).filter(|at| is_comment(at) || at + 1 == text.len());
    separators.min().map_or(text, |at| text[..at].trim_ascii_end())
}

/// Return the node of the word `$node_(i)`, a new one if it is unknown; report another word.
fn find_node<'n>(nodes: &'n mut Vec<Node>, word: &[u8], builder: &mut TrackBuilder) -> Option<&'n mut Node> {
    let number = word.strip_prefix(b"$node_(").and_then(|rest| rest.strip_suffix(b")"));
    let digits =
        number.filter(|digits| (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit));
    let Some(number) = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok()) else {
        builder.report_record(BadRecord::NAME, format!("node {}", quote_bytes(word)), EXPECTED);
        return None;
    };
    let mobile = builder.intern_mobile(&format!("node{number}"))?;
    if mobile as usize == nodes.len() {
        nodes.push(Node { mobile, x: None, y: None, leg: None, jump: None, line: builder.line });
    }
    nodes.get_mut(mobile as usize)
}

fn parse_speed(text: &[u8], builder: &mut TrackBuilder) -> Option<i128> {
    let speed = parse_scaled(text, NM_PLACES).filter(|speed| (0..=MAX_SPEED).contains(speed));
    if speed.is_none() {
        let message = format!("speed {}", quote_bytes(text));
        builder.report_record(BadRecord::STATEMENT, message, "metres per second, not negative");
    }
    speed
}

/// Move a node to a new place from a time on. Return false if the file has too many samples.
fn start_leg(node: &mut Node, at: i64, to: (i64, i64), speed: i128, builder: &mut TrackBuilder) -> bool {
    if node.jump.is_some_and(|(time, _)| time <= at) && !complete_jump(node, builder) {
        return false;
    }
    let Some(leg) = current_leg(node, at, "its X_ and Y_ before its first setdest", builder) else {
        return true;
    };
    let from = leg.position_at(at);
    let has_room = add_way(node, &leg, at, builder) && builder.add_sample(node.mobile, at, from);
    let (to, arrives_ps) =
        if speed == 0 { (from, i128::from(at)) } else { (to, arrival_time(at, from, to, speed)) };
    node.leg = Some(Leg { start_ps: at, from, arrives_ps, to });
    node.line = builder.line;
    has_room
}

/// Return the leg on which a node is at a time, a leg of no length before its first one; report a time before its start.
fn current_leg(node: &Node, at: i64, expected: &str, builder: &mut TrackBuilder) -> Option<Leg> {
    let Some(position) = node.x.zip(node.y) else {
        builder.report_record(BadRecord::POSITION, "a node without a place moves", expected);
        return None;
    };
    let leg = node.leg.unwrap_or(Leg { start_ps: 0, from: position, arrives_ps: 0, to: position });
    let earliest = leg.start_ps.max(node.jump.map_or(0, |(time, _)| time));
    if at < earliest {
        let message = format!("{:?} goes back in time", builder.tracks.names.name(node.mobile));
        let expected = format!("at or after the {} s of line {}", format_seconds(earliest), node.line);
        builder.report_record(BadRecord::BACK_IN_TIME, message, expected);
        return None;
    }
    Some(leg)
}

/// Add the samples of a leg before a time. Return false if the file has too many samples.
fn add_way(node: &Node, leg: &Leg, until: i64, builder: &mut TrackBuilder) -> bool {
    if node.leg.is_none() && !builder.add_sample(node.mobile, 0, leg.from) {
        return false;
    }
    match i64::try_from(leg.arrives_ps) {
        Ok(arrives) if leg.start_ps < arrives && arrives < until => {
            builder.add_sample(node.mobile, arrives, leg.to)
        }
        _ => true,
    }
}

/// Set one axis of the place of a node at a time: it jumps. Return false if the file has too many samples.
fn set_place_at(node: &mut Node, at: i64, is_x: bool, value: i64, builder: &mut TrackBuilder) -> bool {
    if at == 0 && node.leg.is_none() {
        *(if is_x { &mut node.x } else { &mut node.y }) = Some(value);
        return true;
    }
    if node.jump.is_some_and(|(time, _)| time < at) && !complete_jump(node, builder) {
        return false;
    }
    let Some(leg) = current_leg(node, at, "its X_ and Y_ before it is set to another place", builder) else {
        return true;
    };
    if node.leg.is_some_and(|leg| leg.start_ps == at) && node.jump.is_none() {
        let name = builder.tracks.names.name(node.mobile);
        let message = format!("{name:?} is in two places at {} s", format_seconds(at));
        let expected = format!("a later time than that of its setdest in line {}", node.line);
        builder.report_record(BadRecord::TWO_PLACES, message, expected);
        return true;
    }
    let (_, mut place) = node.jump.unwrap_or((at, leg.position_at(at)));
    *(if is_x { &mut place.0 } else { &mut place.1 }) = value;
    node.jump = Some((at, place));
    node.line = builder.line;
    true
}

/// Move a node to the place of its jump: it is absent for the picosecond before. Return false if the file has too many samples.
fn complete_jump(node: &mut Node, builder: &mut TrackBuilder) -> bool {
    let Some((at, to)) = node.jump.take() else { return true };
    let Some(leg) = current_leg(node, at, "", builder) else { return true };
    let before = at - 1;
    let mut has_room = add_way(node, &leg, before, builder);
    if leg.position_at(at) != to {
        has_room = has_room && builder.add_sample(node.mobile, before, leg.position_at(before));
        builder.end_part(node.mobile);
    }
    node.leg = Some(Leg { start_ps: at, from: to, arrives_ps: i128::from(at), to });
    has_room && builder.add_sample(node.mobile, at, to)
}

/// Return the end of a leg, to the nearest picosecond.
fn arrival_time(at: i64, from: (i64, i64), to: (i64, i64), speed: i128) -> i128 {
    // each distance is below 2 * 10**17 nm: the sum of squares and the product with 10**12 fit
    let (dx, dy) = (i128::from(to.0 - from.0) * NM_PER_MM, i128::from(to.1 - from.1) * NM_PER_MM);
    let distance = (dx * dx + dy * dy).isqrt();
    i128::from(at) + (2 * distance * PS_PER_S + speed) / (2 * speed)
}

/// Add the last samples of a node. Return false if the file has too many samples.
fn finish_node(node: &mut Node, builder: &mut TrackBuilder) -> bool {
    builder.line = node.line;
    let Some(position) = node.x.zip(node.y) else {
        builder.report_record(BadRecord::POSITION, "a node without a place", "its X_ and Y_");
        return true;
    };
    if !complete_jump(node, builder) {
        return false;
    }
    let Some(leg) = node.leg else {
        return builder.add_sample(node.mobile, 0, position);
    };
    match i64::try_from(leg.arrives_ps) {
        Ok(arrives) => builder.add_sample(node.mobile, arrives, leg.to),
        Err(_) => {
            let message = "a movement of more than 106 days";
            builder.report_record(BadRecord::STATEMENT, message, "a greater speed");
            true
        }
    }
}
