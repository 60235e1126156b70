//! The error of every reader: a list of problems with their positions in the file.

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
