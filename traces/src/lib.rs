//! Native part of the Python package `handoff_traces`: readers of captures, movement files and association logs, and a pcapng writer.
//!
//! Modules import only what is below them: `python`, then the readers and the writer, then `io`, then `error`, `interner` and
//! `decimal`.

pub mod associations;
pub mod capture;
mod decimal;
pub mod error;
mod interner;
pub mod io;
pub mod movement;
#[cfg(feature = "python")]
mod pcapng_writer;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "python")]
mod wire;

/// Everything that Python can import from `handoff_traces._native`.
#[cfg(feature = "python")]
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::python::associations::read_associations;
    #[pymodule_export]
    use crate::python::capture::{compile_capture, content_hash, read_capture, read_signalling};
    #[pymodule_export]
    use crate::python::movement::{read_bytes, read_movement};
    #[pymodule_export]
    use crate::python::wire::{
        agent_advertisement, agent_solicitation, binding_acknowledgement, binding_update, encapsulate,
        home_agent_discovery, icmpv6_packet, management_key, mobility_packet, neighbor_advertisement,
        optimization_acknowledgement, registration_reply, registration_request, router_advertisement,
        router_solicitation, sctp_packet, test, test_init, udp_packet,
    };
    #[pymodule_export]
    use crate::python::writer::PacketWriter;
}
