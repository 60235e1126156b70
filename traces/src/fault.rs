//! What can be wrong with a file.

/// Problems told in full; the others are counted.
const MAX_PROBLEMS: usize = 20;

/// One thing wrong: at which byte or line, what it is and what would be right.
#[derive(Debug)]
pub struct Problem {
    pub place: u64,
    pub what: String,
    pub right: String,
}

/// The file is refused. `place` of the problems counts bytes from 0 or lines from 1.
#[derive(Debug)]
pub struct Fault {
    pub unit: &'static str,
    pub problems: Vec<Problem>,
    /// All problems found, of which `problems` holds the first.
    pub count: u64,
}

pub type Checked<T> = Result<T, Fault>;

/// A fault at one byte.
pub fn at_byte(offset: usize, what: impl Into<String>, right: impl Into<String>) -> Fault {
    let problem = Problem { place: offset as u64, what: what.into(), right: right.into() };
    Fault { unit: "byte", problems: vec![problem], count: 1 }
}

/// Problems of a file that is read to its end.
#[derive(Default)]
pub struct Problems {
    first: Vec<Problem>,
    pub count: u64,
}

impl Problems {
    pub fn add(&mut self, place: u64, what: impl Into<String>, right: impl Into<String>) {
        self.count += 1;
        if self.first.len() < MAX_PROBLEMS {
            self.first.push(Problem { place, what: what.into(), right: right.into() });
        }
    }

    pub fn fault(self, unit: &'static str) -> Fault {
        Fault { unit, problems: self.first, count: self.count }
    }
}

/// Text of the file, quoted and not longer than a message bears.
pub fn shown(text: &str) -> String {
    let mut quoted: String = text.chars().take(60).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    format!("{quoted:?}")
}
