//! Movement files: where mobiles are when.

mod bonnmotion;
mod fcd;
mod gpx;
mod setdest;
mod stream;
mod tracks;
mod xml;

use crate::fault::{Checked, Problems};
use stream::Stream;
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
    let mut problems = Problems::default();
    let head = Stream::open(file, &mut problems).and_then(|mut stream| stream.head(HEAD, &mut problems));
    head.map(|head| look_of(&head)).ok_or_else(|| problems.fault("line"))
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
    let mut problems = Problems::default();
    let tracks = read_into(file, format, &mut problems);
    match tracks {
        Some(tracks) if problems.count == 0 => Ok(tracks.sorted()),
        _ => Err(problems.fault("line")),
    }
}

fn read_into(file: &[u8], format: Option<Format>, problems: &mut Problems) -> Option<Tracks> {
    let mut stream = Stream::open(file, problems)?;
    let mut tracks = Tracks::default();
    let format = match format {
        Some(format) => Some(format),
        None => match look_of(&stream.head(HEAD, problems)?) {
            Look::Xml => None, // its root element says which
            Look::Setdest => Some(Format::Setdest),
            Look::BonnMotion => Some(Format::BonnMotion),
            Look::Associations => {
                problems.add(
                    1,
                    "the file is an association log",
                    "a file of positions; associations are read as such",
                );
                return None;
            }
            Look::Other => {
                let right =
                    "SUMO floating car data, ns-2 setdest, BonnMotion or GPX; plain, gzip or Zstandard";
                problems.add(1, "the file is no movement that is known", right);
                return None;
            }
        },
    };
    match format {
        Some(Format::Setdest) => setdest::read(&mut stream, &mut tracks, problems),
        Some(Format::BonnMotion) => bonnmotion::read(&mut stream, &mut tracks, problems),
        _ => xml::read(&mut stream, format, &mut tracks, problems),
    }
    if problems.count == 0 && tracks.is_empty() {
        problems.add(stream.line(), "no mobile is in the file", "a position of one at least");
    }
    Some(tracks)
}
