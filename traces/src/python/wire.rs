//! Messages for Python: fields in, a whole IP packet as bytes out (`traces.wire` documents them).

use crate::wire::packet::Packet;
use crate::wire::tunnel::Tunnel;
use crate::wire::{mobile4, mobile6, neighbour};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub type Made<'py> = Bound<'py, PyBytes>;

pub fn made<'py>(py: Python<'py>, packet: &Packet) -> Made<'py> {
    PyBytes::new(py, packet.kept(packet.length()))
}

/// A packet in one more tunnel.
#[pyfunction]
fn tunnelled<'py>(
    py: Python<'py>,
    packet: &[u8],
    kind: i32,
    source: Vec<u8>,
    destination: Vec<u8>,
) -> PyResult<Made<'py>> {
    let mut whole = Packet::new();
    let addresses = matches!(source.len(), 4 | 16) && source.len() == destination.len();
    let around = (addresses && packet.len() < 65_536).then(|| whole.whole(packet));
    match around.and_then(|()| Tunnel::of(kind)?.around(&mut whole, &source, &destination)) {
        Some(()) => Ok(made(py, &whole)),
        None => Err(PyValueError::new_err(format!(
            "no tunnel of kind {kind} goes around this packet of {} bytes",
            packet.len()
        ))),
    }
}

/// Add what makes messages to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(tunnelled, module)?)?;
    module.add_function(wrap_pyfunction!(mobile4::registration_request, module)?)?;
    module.add_function(wrap_pyfunction!(mobile4::registration_reply, module)?)?;
    module.add_function(wrap_pyfunction!(mobile4::optimization_acknowledgement, module)?)?;
    module.add_function(wrap_pyfunction!(mobile4::agent_solicitation, module)?)?;
    module.add_function(wrap_pyfunction!(mobile4::agent_advertisement, module)?)?;
    module.add_function(wrap_pyfunction!(mobile6::binding_update, module)?)?;
    module.add_function(wrap_pyfunction!(mobile6::binding_acknowledgement, module)?)?;
    module.add_function(wrap_pyfunction!(mobile6::test_init, module)?)?;
    module.add_function(wrap_pyfunction!(mobile6::test, module)?)?;
    module.add_function(wrap_pyfunction!(mobile6::management_key, module)?)?;
    module.add_function(wrap_pyfunction!(neighbour::router_solicitation, module)?)?;
    module.add_function(wrap_pyfunction!(neighbour::router_advertisement, module)?)?;
    module.add_function(wrap_pyfunction!(neighbour::home_agent_discovery, module)?)
}
