//! The error of every reader: a list of problems with their positions in the file; and the treatment of bad records.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use std::fmt;
use std::hash::Hash;

/// Problems that are listed in full; further ones are only counted.
const MAX_LISTED_PROBLEMS: usize = 20;

/// One problem of a file.
#[derive(Debug)]
pub struct Problem {
    /// Byte offset from 0 or line number from 1, as `ReadError::unit` says.
    pub position: u64,
    pub message: String,
    /// A description of valid input at this position.
    pub expected: String,
}

/// The reason why a file is refused.
#[derive(Debug)]
pub struct ReadError {
    /// "byte" or "line".
    pub unit: &'static str,
    /// The first problems, in the order of the file.
    pub problems: Vec<Problem>,
    /// Number of all problems, which may exceed `problems.len()`.
    pub count: u64,
}

pub type Result<T> = std::result::Result<T, ReadError>;

/// Build the error for a single problem at a byte offset.
pub fn error_at_byte(offset: usize, message: impl Into<String>, expected: impl Into<String>) -> ReadError {
    let problem = Problem { position: offset as u64, message: message.into(), expected: expected.into() };
    ReadError { unit: "byte", problems: vec![problem], count: 1 }
}

/// Problems collected while a file is read to its end.
#[derive(Default)]
pub struct Problems {
    listed: Vec<Problem>,
    pub count: u64,
}

impl Problems {
    pub fn add(&mut self, position: u64, message: impl Into<String>, expected: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < MAX_LISTED_PROBLEMS {
            self.listed.push(Problem { position, message: message.into(), expected: expected.into() });
        }
    }

    pub fn into_error(self, unit: &'static str) -> ReadError {
        ReadError { unit, problems: self.listed, count: self.count }
    }
}

/// Quote text of a file for a message, shortened to 60 characters.
pub fn quote_excerpt(text: &str) -> String {
    const MAX_CHARACTERS: usize = 60;
    let mut excerpt: String = text.chars().take(MAX_CHARACTERS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    format!("{excerpt:?}")
}

/// Treatment of a wrong record in a file whose other records are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRecord {
    /// It is a problem of the file.
    #[default]
    Refuse,
    /// It is left out and counted.
    Skip,
    /// In a text file, it is left out and counted if it contradicts an earlier record; any other is a problem of the file.
    /// In a capture, it is left out with the rest of the file.
    KeepFirst,
}

impl OnBadRecord {
    pub fn from_name(name: &str) -> Option<OnBadRecord> {
        match name {
            "refuse" => Some(OnBadRecord::Refuse),
            "skip" => Some(OnBadRecord::Skip),
            "keep-first" => Some(OnBadRecord::KeepFirst),
            _ => None,
        }
    }

    /// Return true if a bad record is left out.
    pub fn leaves_out(self, reason: BadRecord) -> bool {
        self == OnBadRecord::Skip || (self == OnBadRecord::KeepFirst && reason.contradicts)
    }
}

/// The reason why a record of a text file is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BadRecord {
    pub text: &'static str,
    /// If true, it is bad only because of an earlier record.
    pub contradicts: bool,
}

impl BadRecord {
    pub const NO_TIME: BadRecord = BadRecord::own("a record without a time");
    pub const TIME: BadRecord = BadRecord::own("a time that cannot be read");
    pub const POSITION: BadRecord = BadRecord::own("a position that is missing or cannot be read");
    pub const NAME: BadRecord = BadRecord::own("a name that is missing or cannot be used");
    pub const STATEMENT: BadRecord = BadRecord::own("a line that cannot be read");
    pub const FIELDS: BadRecord = BadRecord::own("a wrong number of fields");
    pub const ORDER: BadRecord = BadRecord::own("times in an impossible order");
    pub const BACK_IN_TIME: BadRecord = BadRecord::of_two("a time before that of an earlier record");
    pub const TWO_PLACES: BadRecord = BadRecord::of_two("a second position at one time");
    pub const OVERLAP: BadRecord = BadRecord::of_two("an attachment that overlaps an earlier one");

    const fn own(text: &'static str) -> BadRecord {
        BadRecord { text, contradicts: false }
    }

    const fn of_two(text: &'static str) -> BadRecord {
        BadRecord { text, contradicts: true }
    }
}

impl fmt::Display for BadRecord {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.text)
    }
}

/// Numbers of records that were left out, by reason, in the order of first appearance.
#[derive(Debug)]
pub struct Skipped<R = BadRecord>(IndexMap<R, u64, DefaultHashBuilder>);

impl<R> Default for Skipped<R> {
    fn default() -> Self {
        Skipped(IndexMap::default())
    }
}

impl<R: Eq + Hash> Skipped<R> {
    pub fn add(&mut self, reason: R) {
        *self.0.entry(reason).or_default() += 1;
    }

    pub fn iter(&self) -> impl Iterator<Item = (&R, u64)> + '_ {
        self.0.iter().map(|(reason, &count)| (reason, count))
    }
}
