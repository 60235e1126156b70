//! Movement files.

use super::{read_without_gil, set_arrays};
use crate::movement::{self, FileKind, Format, Units};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Return the kind of a file: "movement", "associations" or "other".
#[pyfunction]
pub fn detect_format(py: Python<'_>, path: PathBuf) -> PyResult<&'static str> {
    Ok(match read_without_gil(py, &path, movement::detect_kind)? {
        FileKind::Xml | FileKind::Setdest | FileKind::BonnMotion => "movement",
        FileKind::Associations => "associations",
        FileKind::Other => "other",
    })
}

/// Read a movement file in the named format, or in the format that its content shows.
#[pyfunction]
pub fn read_movement(py: Python<'_>, path: PathBuf, format: Option<String>) -> PyResult<Bound<'_, PyDict>> {
    let format = format.as_deref().map(|name| {
        Format::from_name(name)
            .ok_or_else(|| PyValueError::new_err(format!("unknown movement format {name:?}")))
    });
    let format = format.transpose()?;
    let tracks = read_without_gil(py, &path, |file| movement::read(file, format))?;
    let columns = PyDict::new(py);
    columns.set_item("format", tracks.format)?;
    columns.set_item("geographic", tracks.units == Units::Nanodegrees)?;
    columns.set_item("stays", tracks.stays)?;
    columns.set_item("epoch_ps", tracks.epoch_ps)?;
    set_arrays!(columns, tracks, mobile, time_ps, x, y);
    columns.set_item("mobile_names", tracks.names.into_names())?;
    Ok(columns)
}
