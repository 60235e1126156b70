//! Association logs.

use super::{make_skipped, read_without_gil, set_arrays};
use crate::associations;
use crate::error::OnBadRecord;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Read an association log.
#[pyfunction]
pub fn read_associations<'py>(
    py: Python<'py>,
    path: PathBuf,
    begin_ps: Option<i128>,
    on_bad_record: OnBadRecord,
) -> PyResult<Bound<'py, PyDict>> {
    let log = read_without_gil(py, &path, |file| associations::read(file, begin_ps, on_bad_record))?;
    let columns = PyDict::new(py);
    columns.set_item("begin_ps", log.begin_ps)?;
    columns.set_item("skipped", make_skipped(py, &log.skipped)?)?;
    set_arrays!(columns, log, mobile, router, up_ps, down_ps, predict_ps, going_down_ps);
    columns.set_item("mobile_names", log.mobiles.into_names())?;
    columns.set_item("router_names", log.routers.into_names())?;
    Ok(columns)
}
