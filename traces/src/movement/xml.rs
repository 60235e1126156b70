//! Streaming XML: no document type, only the five predefined entities, bounded depth and sizes.

use super::line_reader::LineReader;
use super::tracks::{quote_bytes, TrackBuilder};
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::Reader;
use std::borrow::Cow;

const MAX_DEPTH: usize = 64;
const PREDEFINED_ENTITIES_ONLY: &str =
    "none but &lt; &gt; &amp; &apos; &quot;, and no document type: entities can grow without end";

/// The interpretation of a format's elements.
pub trait ElementHandler {
    /// Handle the start of an element at a depth, which is 0 for the root. Return false to stop reading.
    fn open(&mut self, depth: usize, element: &BytesStart, builder: &mut TrackBuilder) -> bool;
    fn close(&mut self, _builder: &mut TrackBuilder) {}
    fn text(&mut self, _text: &[u8]) {}
    /// Handle the end of the file.
    fn end(&mut self, _builder: &mut TrackBuilder) {}
}

/// Read a file with the handler that `choose_handler` returns for the name of the root element, or report the names that it
/// expects.
pub fn read(
    lines: &mut LineReader,
    builder: &mut TrackBuilder,
    choose_handler: impl Fn(&[u8], &mut TrackBuilder) -> Result<Box<dyn ElementHandler>, &'static str>,
) {
    let mut reader = Reader::from_reader(lines);
    let mut buffer = Vec::new();
    let mut handler: Option<Box<dyn ElementHandler>> = None;
    let mut depth = 0;
    loop {
        buffer.clear();
        reader.get_mut().begin_unit();
        builder.line = reader.get_ref().line();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(Error::Io(error)) => return reader.get_ref().report_error(&error, builder),
            Err(error) => return builder.report(format!("is not XML: {error}"), "well-formed XML"),
        };
        let go_on = match event {
            Event::Start(ref element) | Event::Empty(ref element) => {
                if depth == MAX_DEPTH {
                    return builder.report("elements 64 deep", "at most 63 levels of elements");
                }
                let handler = match &mut handler {
                    Some(handler) => handler,
                    None => match choose_handler(element.local_name().as_ref(), builder) {
                        Ok(chosen) => handler.insert(chosen),
                        Err(expected) => {
                            let name = quote_bytes(element.local_name().as_ref());
                            return builder.report(format!("root element {name}"), expected);
                        }
                    },
                };
                let go_on = handler.open(depth, element, builder);
                if matches!(event, Event::Empty(_)) {
                    handler.close(builder);
                } else {
                    depth += 1;
                }
                go_on
            }
            Event::End(_) => {
                // the XML reader has checked that an element of this name is open
                depth = depth.saturating_sub(1);
                if let Some(handler) = &mut handler {
                    handler.close(builder);
                }
                true
            }
            Event::Text(text) => {
                if let Some(handler) = &mut handler {
                    handler.text(&text);
                }
                true
            }
            Event::DocType(_) => return builder.report("has a document type", PREDEFINED_ENTITIES_ONLY),
            Event::GeneralRef(name) if !is_predefined_entity(&name) => {
                return builder.report(format!("entity {}", quote_bytes(&name)), PREDEFINED_ENTITIES_ONLY);
            }
            Event::Eof => break,
            _ => true,
        };
        if !go_on || builder.has_too_many_problems() {
            return;
        }
    }
    builder.line = reader.get_ref().line();
    if depth > 0 {
        return builder.report("the file ends inside an element", "a file that was written to its end");
    }
    match handler {
        Some(mut handler) => handler.end(builder),
        None => builder.report("the file has no element", "SUMO floating car data or GPX"),
    }
}

fn is_predefined_entity(name: &[u8]) -> bool {
    name.starts_with(b"#") || matches!(name, b"lt" | b"gt" | b"amp" | b"apos" | b"quot")
}

/// Return the values of the named attributes, each of which may occur once; ignore the others. Return None after reporting a
/// problem.
pub fn read_attributes<'a, const N: usize>(
    element: &'a BytesStart,
    names: [&str; N],
    builder: &mut TrackBuilder,
) -> Option<[Option<Cow<'a, str>>; N]> {
    let mut values = [const { None }; N];
    let expected = "well-formed XML";
    for attribute in element.attributes().with_checks(false) {
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(error) => {
                builder.report(format!("an attribute is not XML: {error}"), expected);
                return None;
            }
        };
        let Some(which) = names.iter().position(|name| name.as_bytes() == attribute.key.as_ref()) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(&attribute.value) else {
            builder.report(format!("{} is not UTF-8", names[which]), expected);
            return None;
        };
        if values[which].is_some() {
            builder.report(format!("{} occurs twice", names[which]), "once");
            return None;
        }
        match quick_xml::escape::unescape(text) {
            Ok(value) => values[which] = Some(Cow::Owned(value.into_owned())),
            Err(error) => {
                builder.report(format!("{}: {error}", names[which]), PREDEFINED_ENTITIES_ONLY);
                return None;
            }
        }
    }
    Some(values)
}
