//! Bad records: the treatment of records that cannot be read, and their number by reason.

use super::opaque::Opaque;
use crate::error::{OnBadRecord, ReadError, Result, Skipped};
use std::fmt;

/// Why a record is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    Fraction,
    CapturedExceedsSent,
    ImpossibleLength,
    LinkType(u32),
    NoInterface,
    DamagedInterface,
    DamagedBlock,
    Time,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Reason::Fraction => "the fraction of a second is 1 s or more",
            Reason::CapturedExceedsSent => "more bytes were captured than sent",
            Reason::ImpossibleLength => "the length of the record is impossible",
            Reason::LinkType(number) => return write!(out, "link type {number} is not supported"),
            Reason::NoInterface => "the interface is not described",
            Reason::DamagedInterface => "the description of the interface is damaged",
            Reason::DamagedBlock => "the block is damaged",
            Reason::Time => "the time is not within 292 years of 1970",
        })
    }
}

/// Why a reader cannot read a record.
pub enum RecordError {
    /// The record is bad.
    Bad(Reason, ReadError),
    /// No policy helps, as at a limit.
    Fatal(ReadError),
}

impl RecordError {
    #[cold]
    pub fn fatal(error: ReadError) -> Box<RecordError> {
        Box::new(RecordError::Fatal(error))
    }
}

/// Boxed, because the result is returned for every packet and an error is rare.
pub type RecordResult<T> = std::result::Result<T, Box<RecordError>>;

impl From<ReadError> for Box<RecordError> {
    fn from(error: ReadError) -> Box<RecordError> {
        RecordError::fatal(error)
    }
}

/// Build the error for a bad record.
#[cold]
pub fn bad_record(reason: Reason, error: ReadError) -> Box<RecordError> {
    Box::new(RecordError::Bad(reason, error))
}

/// Records left out, and packets whose content is not looked into.
#[derive(Default)]
pub struct LeftOut {
    pub policy: OnBadRecord,
    pub skipped: Skipped<Reason>,
    opaque: [u64; Opaque::COUNT],
}

impl LeftOut {
    /// Count a record that cannot be read, or refuse the file.
    #[cold]
    pub fn handle(&mut self, error: RecordError) -> Result<()> {
        let (reason, mut error) = match error {
            RecordError::Fatal(error) => return Err(error),
            RecordError::Bad(reason, error) => (reason, error),
        };
        if self.policy == OnBadRecord::Refuse {
            for problem in &mut error.problems {
                problem.expected.push_str(" (on_bad_record = 'skip' leaves such records out)");
            }
            return Err(error);
        }
        self.skipped.add(reason);
        Ok(())
    }

    /// Count a packet whose content is not looked into.
    #[cold]
    pub fn count_opaque(&mut self, opaque: Opaque) {
        self.opaque[opaque as usize] += 1;
    }

    /// Return the packets whose content is not looked into, by what it is.
    pub fn opaque(&self) -> Vec<(&'static str, u64)> {
        Opaque::ALL
            .iter()
            .map(|&opaque| (opaque.name(), self.opaque[opaque as usize]))
            .filter(|row| row.1 > 0)
            .collect()
    }
}
