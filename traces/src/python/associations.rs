//! Association logs.

use super::{read_without_gil, set_arrays};
use crate::associations;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Read an association log.
#[pyfunction]
pub fn read_associations(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let log = read_without_gil(py, &path, associations::read)?;
    let columns = PyDict::new(py);
    set_arrays!(columns, log, mobile, router, up_ps, down_ps, predict_ps, going_down_ps);
    columns.set_item("mobile_names", log.mobiles.into_names())?;
    columns.set_item("router_names", log.routers.into_names())?;
    Ok(columns)
}
