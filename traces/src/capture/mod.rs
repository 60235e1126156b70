//! Packet captures: readers of pcap and pcapng, and the consumers of their packets.

pub mod columns;
pub mod compile;
pub mod flow_table;
mod format_reader;
mod icmp_echo;
mod ip;
mod link_layer;
mod pcap;
mod pcapng;
mod reader;
pub mod signalling;
mod state;
pub mod tunnel_table;

pub use ip::TunnelLayer;
pub use reader::read;
pub use state::{CaptureState, Limits, Packet, Sink};
