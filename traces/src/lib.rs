//! Native part of the Python package `traces`: readers that give columns.

mod associations;
mod bytes;
mod capture;
mod fault;
mod flows;
mod ip;
mod link;
mod open;
mod pcap;
mod pcapng;
mod python;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(python::read_associations, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_capture, module)?)
}
