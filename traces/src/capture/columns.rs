//! All packets of a capture as columns in memory, in the order of the file.

use super::state::{Packet, Sink};
use crate::error::Result;

#[derive(Default)]
pub struct Columns {
    pub time_ns: Vec<i64>,
    pub wire_length: Vec<u32>,
    pub captured_length: Vec<u32>,
    pub ip_length: Vec<u32>,
    pub flow: Vec<u32>,
    pub direction: Vec<u8>,
}

impl Sink for Columns {
    #[inline(always)]
    fn add_packet(&mut self, packet: &Packet) -> Result<()> {
        self.time_ns.push(packet.time_ns);
        self.wire_length.push(packet.wire_length);
        self.captured_length.push(packet.frame.len() as u32);
        self.ip_length.push(packet.ip_length);
        self.flow.push(packet.flow);
        self.direction.push(packet.direction);
        Ok(())
    }
}
