//! What can be wrong with a file, and how it reaches Python.

use pyo3::prelude::*;
use pyo3::types::PyList;
use std::path::Path;

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

impl Fault {
    pub fn into_py(self, py: Python<'_>, path: &Path) -> PyErr {
        match self.trace_error(py, path) {
            Ok(error) | Err(error) => error,
        }
    }

    fn trace_error(self, py: Python<'_>, path: &Path) -> PyResult<PyErr> {
        let rows = self.problems.into_iter().map(|p| (p.place, p.what, p.right));
        let class = py.import("traces.errors")?.getattr("TraceError")?;
        let problems = PyList::new(py, rows.collect::<Vec<_>>())?;
        let error = class.call1((path.to_string_lossy(), self.unit, problems, self.count))?;
        Ok(PyErr::from_value(error))
    }
}
