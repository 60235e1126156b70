//! The functions and classes of `handoff_traces._native`. Results are dictionaries of plain values and numpy arrays.

pub mod associations;
pub mod capture;
pub mod movement;
pub mod wire;
pub mod writer;

use crate::error::{error_at_byte, OnBadRecord, ReadError, Result, Skipped};
use crate::io::file::map_file;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::fmt::Display;
use std::hash::Hash;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::Mutex;

/// Set each field of a struct as a numpy array in a dictionary, under the name of the field.
macro_rules! set_arrays {
    ($dict:expr, $columns:expr, $($field:ident),+ $(,)?) => {
        $($dict.set_item(stringify!($field), numpy::IntoPyArray::into_pyarray($columns.$field, $dict.py()))?;)+
    };
}
use set_arrays;

impl FromPyObject<'_, '_> for OnBadRecord {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, '_, PyAny>) -> PyResult<OnBadRecord> {
        let name: &str = name.extract()?;
        OnBadRecord::from_name(name).ok_or_else(|| {
            PyValueError::new_err(format!("on_bad_record {name:?} is not one of refuse, skip, keep-first"))
        })
    }
}

/// Return the numbers of records that were left out, by reason.
fn make_skipped<'py, R: Eq + Hash + Display>(
    py: Python<'py>,
    skipped: &Skipped<R>,
) -> PyResult<Bound<'py, PyDict>> {
    let counts = PyDict::new(py);
    for (reason, count) in skipped.iter() {
        counts.set_item(reason.to_string(), count)?;
    }
    Ok(counts)
}

/// Read a mapped file without the GIL.
fn read_without_gil<T: Send>(
    py: Python<'_>,
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T> + Send,
) -> PyResult<T> {
    run_without_gil(py, path, |_| read(&map_file(path)?))
}

/// Run work on a file without the GIL; raise an error or a panic of the work as a TraceError.
///
/// The work receives a function that it must call regularly. If it returns true, a signal has arrived (Ctrl-C) and the work must
/// return; the exception of the signal's handler is raised.
fn run_without_gil<T: Send>(
    py: Python<'_>,
    path: &Path,
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T> + Send,
) -> PyResult<T> {
    let exception = Mutex::new(None);
    let should_stop = || match Python::attach(|py| py.check_signals()) {
        Ok(()) => false,
        Err(error) => exception.lock().map(|mut slot| *slot = Some(error)).is_ok(),
    };
    let result = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| work(&should_stop))).unwrap_or_else(|_| {
            Err(error_at_byte(0, "the reader failed on this file", "please report it: this is a bug"))
        })
    });
    if let Ok(Some(error)) = exception.into_inner() {
        return Err(error);
    }
    result.map_err(|error| match make_trace_error(error, py, path) {
        Ok(error) | Err(error) => error,
    })
}

fn make_trace_error(error: ReadError, py: Python<'_>, path: &Path) -> PyResult<PyErr> {
    let rows = error.problems.into_iter().map(|p| (p.position, p.message, p.expected));
    let class = py.import("handoff_traces.errors")?.getattr("TraceError")?;
    let problems = PyList::new(py, rows.collect::<Vec<_>>())?;
    let instance = class.call1((path.to_string_lossy(), error.unit, problems, error.count))?;
    Ok(PyErr::from_value(instance))
}
