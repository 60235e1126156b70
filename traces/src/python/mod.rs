//! What Python calls: bytes in, dictionaries of columns out.

mod captures;

use crate::associations;
use crate::fault::{at_byte, Checked, Fault};
use crate::movement::{self, Format, Look, Units};
use crate::open;
use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use captures::*;

/// Read a mapped file.
fn unlocked<T: Send>(
    py: Python<'_>,
    path: &Path,
    read: impl FnOnce(&[u8]) -> Checked<T> + Send,
) -> PyResult<T> {
    guarded(py, path, |_| read(&open::map(path)?))
}

/// Work on a file without the interpreter's lock; a fault, or a panic, becomes a TraceError.
///
/// The work is given a question that it asks now and then: whether to stop, because a signal came (Ctrl-C).
fn guarded<T: Send>(
    py: Python<'_>,
    path: &Path,
    work: impl FnOnce(&dyn Fn() -> bool) -> Checked<T> + Send,
) -> PyResult<T> {
    let raised = Mutex::new(None);
    let stop = || match Python::attach(|py| py.check_signals()) {
        Ok(()) => false,
        Err(error) => raised.lock().map(|mut raised| *raised = Some(error)).is_ok(),
    };
    let result = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| work(&stop))).unwrap_or_else(|_| {
            Err(at_byte(0, "the reader failed on this file", "please report it: no input may do that"))
        })
    });
    if let Ok(Some(error)) = raised.into_inner() {
        return Err(error);
    }
    result.map_err(|fault| match trace_error(fault, py, path) {
        Ok(error) | Err(error) => error,
    })
}

fn trace_error(fault: Fault, py: Python<'_>, path: &Path) -> PyResult<PyErr> {
    let rows = fault.problems.into_iter().map(|p| (p.place, p.what, p.right));
    let class = py.import("traces.errors")?.getattr("TraceError")?;
    let problems = PyList::new(py, rows.collect::<Vec<_>>())?;
    let error = class.call1((path.to_string_lossy(), fault.unit, problems, fault.count))?;
    Ok(PyErr::from_value(error))
}

#[pyfunction]
pub fn read_associations<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    let log = unlocked(py, &path, associations::read)?;
    let columns = PyDict::new(py);
    columns.set_item("mobile", log.mobile.into_pyarray(py))?;
    columns.set_item("router", log.router.into_pyarray(py))?;
    columns.set_item("up_ps", log.up_ps.into_pyarray(py))?;
    columns.set_item("down_ps", log.down_ps.into_pyarray(py))?;
    columns.set_item("predict_ps", log.predict_ps.into_pyarray(py))?;
    columns.set_item("going_down_ps", log.going_down_ps.into_pyarray(py))?;
    columns.set_item("mobile_names", log.mobiles.names)?;
    columns.set_item("router_names", log.routers.names)?;
    Ok(columns)
}

/// What a file looks like: "movement", "associations" or "other".
#[pyfunction]
pub fn look(py: Python<'_>, path: PathBuf) -> PyResult<&'static str> {
    Ok(match unlocked(py, &path, movement::look)? {
        Look::Xml | Look::Setdest | Look::BonnMotion => "movement",
        Look::Associations => "associations",
        Look::Other => "other",
    })
}

#[pyfunction]
pub fn read_movement<'py>(
    py: Python<'py>,
    path: PathBuf,
    format: Option<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let named = format.as_deref().map(|name| {
        Format::of_name(name).ok_or_else(|| PyValueError::new_err(format!("no movement format {name:?}")))
    });
    let format = named.transpose()?;
    let tracks = unlocked(py, &path, |file| movement::read(file, format))?;
    let columns = PyDict::new(py);
    columns.set_item("format", tracks.format)?;
    columns.set_item("geographic", tracks.units == Units::Nanodegrees)?;
    columns.set_item("stays", tracks.stays)?;
    columns.set_item("epoch_ps", tracks.epoch_ps)?;
    columns.set_item("mobile", tracks.mobile.into_pyarray(py))?;
    columns.set_item("time_ps", tracks.time_ps.into_pyarray(py))?;
    columns.set_item("x", tracks.x.into_pyarray(py))?;
    columns.set_item("y", tracks.y.into_pyarray(py))?;
    columns.set_item("mobile_names", tracks.names.names)?;
    Ok(columns)
}
