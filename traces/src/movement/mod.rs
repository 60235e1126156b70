//! Movement files: where mobiles are when.

mod bonnmotion;
mod fcd;
mod gpx;
mod setdest;
mod stream;
mod tracks;
mod xml;

use crate::fault::Checked;
use stream::Stream;
use tracks::Reading;
pub use tracks::{Tracks, Units};

/// Bytes of a file, after decompression, that say what it is.
const HEAD: usize = 4096;

/// What a movement file is, as Python names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Fcd,
    /// Floating car data whose x and y are longitude and latitude.
    FcdGeo,
    Gpx,
    Setdest,
    BonnMotion,
}

impl Format {
    pub const ALL: [(&'static str, Format); 5] = [
        ("fcd", Format::Fcd),
        ("fcd-geo", Format::FcdGeo),
        ("gpx", Format::Gpx),
        ("setdest", Format::Setdest),
        ("bonnmotion", Format::BonnMotion),
    ];

    pub fn of_name(name: &str) -> Option<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|&(_, format)| format)
    }

    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("", |&(name, _)| name)
    }
}

/// What the first bytes of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Xml,
    Setdest,
    BonnMotion,
    Associations,
    Other,
}

/// What a file looks like, decompressed where it has to be.
pub fn look(file: &[u8]) -> Checked<Look> {
    let mut reading = Reading::new();
    match Stream::open(file, &mut reading).and_then(|mut stream| stream.head(HEAD, &mut reading)) {
        Some(head) => Ok(look_of(&head)),
        None => Err(reading.fault()),
    }
}

fn look_of(head: &[u8]) -> Look {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if head.trim_ascii_start().starts_with(b"<") {
        return Look::Xml;
    }
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first =
        lines.find(|line| !line.is_empty() && (!line.starts_with(b"#") || *line == bonnmotion::IN_3D));
    let Some(first) = first else { return Look::Other };
    let word = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if first.starts_with(b"mobile,") {
        Look::Associations
    } else if first == bonnmotion::IN_3D
        || (word.len() < first.len() && crate::decimal::scaled(word, 0).is_some())
    {
        Look::BonnMotion
    } else if word.starts_with(b"$") {
        Look::Setdest
    } else {
        Look::Other
    }
}

/// Read a movement file of the format that is given, or that it shows to have.
pub fn read(file: &[u8], format: Option<Format>) -> Checked<Tracks> {
    let mut reading = Reading::new();
    if let Some(mut stream) = Stream::open(file, &mut reading) {
        read_as(&mut stream, format, &mut reading);
    }
    reading.finish()
}

fn read_as(stream: &mut Stream, format: Option<Format>, reading: &mut Reading) {
    let look = match format {
        Some(Format::Setdest) => Look::Setdest,
        Some(Format::BonnMotion) => Look::BonnMotion,
        Some(_) => Look::Xml,
        None => match stream.head(HEAD, reading) {
            Some(head) => look_of(&head),
            None => return,
        },
    };
    match look {
        Look::Xml => xml::read(stream, format, reading),
        Look::Setdest => setdest::read(stream, reading),
        Look::BonnMotion => bonnmotion::read(stream, reading),
        Look::Associations => reading
            .wrong("the file is an association log", "a file of positions; associations are read as such"),
        Look::Other => reading.wrong(
            "the file is no movement that is known",
            "SUMO floating car data, ns-2 setdest, BonnMotion or GPX; plain, gzip or Zstandard",
        ),
    }
}
