//! Native part of the Python package `traces`: readers that give columns, a writer that takes them.

pub mod associations;
mod bytes;
pub mod capture;
mod decimal;
pub mod decompress;
pub mod fault;
pub mod movement;
mod names;
#[cfg(feature = "python")]
mod open;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "python")]
mod wire;
#[cfg(feature = "python")]
mod write;
#[cfg(feature = "python")]
mod write_python;

#[cfg(feature = "python")]
use pyo3::prelude::*;

#[cfg(feature = "python")]
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<write_python::PacketWriter>()?;
    wire::python::register(module)?;
    module.add_function(wrap_pyfunction!(python::compile_capture, module)?)?;
    module.add_function(wrap_pyfunction!(python::content_hash, module)?)?;
    module.add_function(wrap_pyfunction!(python::look, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_associations, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_capture, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_movement, module)?)?;
    module.add_function(wrap_pyfunction!(python::read_signalling, module)?)
}
