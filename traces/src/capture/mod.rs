//! Packet captures: readers of pcap and pcapng, and the consumers of their packets.

pub mod bad_record;
pub mod columns;
pub mod compile;
mod ethertype;
pub mod flow_table;
mod format_reader;
pub mod fragments;
mod icmp_echo;
mod ieee80211;
mod ip;
mod ip_header;
mod link_layer;
mod opaque;
mod pcap;
mod pcapng;
mod ppp;
mod reader;
pub mod signalling;
mod state;
pub mod tunnel_table;
mod udp_tunnel;

pub use ip::TunnelLayer;
pub use reader::read;
pub use state::{CaptureState, Limits, Packet, Sink};
