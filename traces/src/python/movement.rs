//! Movement files.

use super::{make_skipped, read_without_gil, set_arrays};
use crate::error::{OnBadRecord, Problems};
use crate::io::decompress::read_decompressed;
use crate::movement::{self, Format, Units};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::PathBuf;

/// Return the decompressed bytes of a file, or the first `max` of them; if `partial`, also of a file that breaks off.
#[pyfunction]
pub fn read_bytes(py: Python<'_>, path: PathBuf, max: u64, partial: bool) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = read_without_gil(py, &path, |file| {
        read_decompressed(file, max, partial).map_err(|error| {
            let mut problems = Problems::default();
            problems.add(1, format!("cannot be read: {error}"), "an undamaged file");
            problems.into_error("line")
        })
    })?;
    Ok(PyBytes::new(py, &bytes))
}

/// Read a movement file in the named format. If `content` is present, it is read in place of the file.
#[pyfunction]
pub fn read_movement<'py>(
    py: Python<'py>,
    path: PathBuf,
    format: &str,
    on_bad_record: OnBadRecord,
    content: Option<Vec<u8>>,
) -> PyResult<Bound<'py, PyDict>> {
    let format = Format::from_name(format)
        .ok_or_else(|| PyValueError::new_err(format!("unknown movement format {format:?}")))?;
    let tracks = match content {
        Some(content) => {
            super::run_without_gil(py, &path, |_| movement::read(&content, format, on_bad_record))?
        }
        None => read_without_gil(py, &path, |file| movement::read(file, format, on_bad_record))?,
    };
    let columns = PyDict::new(py);
    columns.set_item("format", tracks.format)?;
    columns.set_item("geographic", tracks.units == Units::Nanodegrees)?;
    columns.set_item("stays", tracks.stays)?;
    columns.set_item("epoch_ps", tracks.epoch_ps)?;
    columns.set_item("skipped", make_skipped(py, &tracks.skipped)?)?;
    let distances = tracks.distances.map(|d| (d.all, d.stated, d.within_degrees));
    columns.set_item("distances", distances)?;
    set_arrays!(columns, tracks, mobile, time_ps, x, y, breaks);
    columns.set_item("mobile_names", tracks.names.into_names())?;
    Ok(columns)
}
