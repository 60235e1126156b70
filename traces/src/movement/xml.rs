//! XML as a stream: no document type, no entities but the five of XML, bounded depth and sizes.

use super::fcd::Fcd;
use super::gpx::Gpx;
use super::stream::Stream;
use super::{Format, Reading};
use crate::fault::shown;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::Reader;
use std::borrow::Cow;

const MOST_DEPTH: usize = 64;
const NO_ENTITIES: &str =
    "none but &lt; &gt; &amp; &apos; &quot;, and no document type: entities can grow without end";

/// What a format makes of elements.
pub trait Elements {
    /// An element begins, at a depth that is 0 for the root. False where there is no sense in going on.
    fn open(&mut self, depth: usize, element: &BytesStart, reading: &mut Reading) -> bool;
    fn close(&mut self, _reading: &mut Reading) {}
    fn text(&mut self, _text: &[u8]) {}
    fn end(&mut self, _reading: &mut Reading) {}
}

/// Read until the end or until there is no sense in going on; `format` None takes the root element's word.
pub fn read(stream: &mut Stream, format: Option<Format>, reading: &mut Reading) {
    let mut reader = Reader::from_reader(stream);
    let mut buffer = Vec::new();
    let mut elements: Option<Box<dyn Elements>> = None;
    let mut depth = 0;
    loop {
        buffer.clear();
        reader.get_mut().begin_unit();
        reading.line = reader.get_ref().line();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(Error::Io(error)) => return reader.get_ref().failed(&error, reading),
            Err(error) => return reading.wrong(format!("is not XML: {error}"), "well-formed XML"),
        };
        let go_on = match event {
            Event::Start(ref element) | Event::Empty(ref element) => {
                let single = matches!(event, Event::Empty(_));
                if depth == MOST_DEPTH {
                    return reading.wrong("elements 64 deep", "movement, which is not deep");
                }
                let known = match &mut elements {
                    Some(known) => known,
                    None => match of_root(element, format, reading) {
                        Some(found) => elements.insert(found),
                        None => return not_known(element, format, reading),
                    },
                };
                let go_on = known.open(depth, element, reading);
                if single {
                    known.close(reading);
                } else {
                    depth += 1;
                }
                go_on
            }
            Event::End(_) => {
                // the reader has seen that it closes what is open
                depth = depth.saturating_sub(1);
                if let Some(known) = &mut elements {
                    known.close(reading);
                }
                true
            }
            Event::Text(text) => {
                if let Some(known) = &mut elements {
                    known.text(&text);
                }
                true
            }
            Event::DocType(_) => return reading.wrong("has a document type", NO_ENTITIES),
            Event::GeneralRef(name) if !predefined(&name) => {
                let what = format!("entity {}", shown(&String::from_utf8_lossy(&name)));
                return reading.wrong(what, NO_ENTITIES);
            }
            Event::Eof => break,
            _ => true,
        };
        if !go_on || reading.is_hopeless() {
            return;
        }
    }
    reading.line = reader.get_ref().line();
    if depth > 0 {
        return reading.wrong("the file ends inside an element", "a file that was written to its end");
    }
    match elements {
        Some(mut known) => known.end(reading),
        None => reading.wrong("no element is in the file", "SUMO floating car data or GPX"),
    }
}

fn of_root(root: &BytesStart, format: Option<Format>, reading: &mut Reading) -> Option<Box<dyn Elements>> {
    match (root.local_name().as_ref(), format) {
        (b"fcd-export", None | Some(Format::Fcd | Format::FcdGeo)) => {
            Some(Box::new(Fcd::new(format.unwrap_or(Format::Fcd), reading)))
        }
        (b"gpx", None | Some(Format::Gpx)) => Some(Box::new(Gpx::new(reading))),
        _ => None,
    }
}

fn not_known(root: &BytesStart, format: Option<Format>, reading: &mut Reading) {
    let found = String::from_utf8_lossy(root.local_name().as_ref()).into_owned();
    let right = match format {
        None => "fcd-export (SUMO floating car data) or gpx",
        Some(Format::Gpx) => "gpx",
        Some(_) => "fcd-export",
    };
    reading.wrong(format!("root element {}", shown(&found)), right);
}

fn predefined(name: &[u8]) -> bool {
    name.starts_with(b"#") || matches!(name, b"lt" | b"gt" | b"amp" | b"apos" | b"quot")
}

/// The values of the named attributes, each at most once; the others are not looked at.
pub fn attributes<'a, const N: usize>(
    element: &'a BytesStart,
    names: [&str; N],
    reading: &mut Reading,
) -> Option<[Option<Cow<'a, str>>; N]> {
    let mut found = [const { None }; N];
    let right = "well-formed XML";
    for attribute in element.attributes().with_checks(false) {
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(error) => {
                reading.wrong(format!("an attribute is not XML: {error}"), right);
                return None;
            }
        };
        let Some(which) = names.iter().position(|name| name.as_bytes() == attribute.key.as_ref()) else {
            continue;
        };
        let text = match std::str::from_utf8(&attribute.value) {
            Ok(text) => text,
            Err(_) => {
                reading.wrong(format!("{} is not UTF-8", names[which]), right);
                return None;
            }
        };
        if found[which].is_some() {
            reading.wrong(format!("{} stands twice", names[which]), "once");
            return None;
        }
        match quick_xml::escape::unescape(text) {
            Ok(value) => found[which] = Some(Cow::Owned(value.into_owned())),
            Err(error) => {
                reading.wrong(format!("{}: {error}", names[which]), NO_ENTITIES);
                return None;
            }
        }
    }
    Some(found)
}
