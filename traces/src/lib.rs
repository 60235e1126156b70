//! Native part of the Python package `traces`: readers that give columns.

pub mod associations;
mod bytes;
pub mod capture;
mod decimal;
pub mod fault;
mod flows;
mod ip;
mod link;
pub mod movement;
mod names;
#[cfg(feature = "python")]
mod open;
mod pcap;
mod pcapng;
#[cfg(feature = "python")]
mod python;

#[cfg(feature = "python")]
use pyo3::prelude::*;

#[cfg(feature = "python")]
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(python::look, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_associations, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_capture, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_movement, module)?)
}
