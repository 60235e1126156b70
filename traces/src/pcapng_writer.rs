//! Writer of the pcapng format (draft-ietf-opsawg-pcapng): one section, little-endian, raw IP, nanoseconds.

use std::fs::File;
use std::io::{Result, Seek, SeekFrom, Write};

const SECTION_HEADER_BLOCK: u32 = 0x0A0D_0D0A;
const INTERFACE_BLOCK: u32 = 1;
const NAME_RESOLUTION_BLOCK: u32 = 4;
const ENHANCED_PACKET_BLOCK: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
const VERSION_1_0: u32 = 1;
const UNKNOWN_SECTION_LENGTH: u64 = u64::MAX;
const LINKTYPE_RAW: u16 = 101;
const OPTION_COMMENT: u16 = 1;
const OPTION_NAME: u16 = 2;
const OPTION_APPLICATION: u16 = 4;
const OPTION_RESOLUTION: u16 = 9;
const END_OF_OPTIONS: u32 = 0;
/// Resolution of the times: 10 to the power of -9 s.
const NANOSECONDS: u8 = 9;
const RECORD_IPV4: u16 = 1;
const RECORD_IPV6: u16 = 2;
const END_OF_RECORDS: u32 = 0;
/// Bytes of an enhanced packet block before the packet, and in all but for the packet.
const PACKET_HEADER_BYTES: usize = 28;
const PACKET_FRAMING_BYTES: usize = 32;
/// An interface states no snap length from this one on.
const UNLIMITED_SNAP_LENGTH: usize = 65_536;
/// Bytes that are collected before they are written to the file.
const BUFFER_BYTES: usize = 1 << 20;
const BUFFER_RESERVE_BYTES: usize = 1 << 17;
/// Names in one block, so that a block stays far below the size that readers accept.
const NAMES_PER_BLOCK: usize = 1024;

pub struct PcapngWriter {
    file: File,
    buffer: Vec<u8>,
    /// Most bytes written of a packet.
    pub snap_length: usize,
}

impl PcapngWriter {
    pub fn new(file: File, snap_length: usize) -> PcapngWriter {
        PcapngWriter { file, buffer: Vec::with_capacity(BUFFER_BYTES + BUFFER_RESERVE_BYTES), snap_length }
    }

    fn put_u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    fn pad_to_word(&mut self) {
        self.buffer.resize(self.buffer.len().next_multiple_of(4), 0);
    }

    /// Put a block whose body `put_body` puts.
    fn put_block(&mut self, kind: u32, put_body: impl FnOnce(&mut PcapngWriter)) {
        let start = self.buffer.len();
        self.put_u32(kind);
        self.put_u32(0); // the length, known at the end
        put_body(self);
        let total = (self.buffer.len() - start + 4) as u32;
        self.put_u32(total);
        self.buffer[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
    }

    /// Put an option; a value that is longer than an option can be is cut.
    fn put_option(&mut self, code: u16, value: &[u8]) {
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.buffer.extend_from_slice(&code.to_le_bytes());
        self.buffer.extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.buffer.extend_from_slice(value);
        self.pad_to_word();
    }

    /// Write the section header. `comment` states the origin of the packets.
    pub fn write_section(&mut self, comment: &str, application: &str) {
        self.put_block(SECTION_HEADER_BLOCK, |w| {
            w.put_u32(BYTE_ORDER_MAGIC);
            w.put_u32(VERSION_1_0);
            w.buffer.extend_from_slice(&UNKNOWN_SECTION_LENGTH.to_le_bytes());
            w.put_option(OPTION_COMMENT, comment.as_bytes());
            w.put_option(OPTION_APPLICATION, application.as_bytes());
            w.put_u32(END_OF_OPTIONS);
        });
    }

    pub fn write_interface(&mut self, name: &str) {
        self.put_block(INTERFACE_BLOCK, |w| {
            w.put_u32(u32::from(LINKTYPE_RAW));
            w.put_u32(if w.snap_length < UNLIMITED_SNAP_LENGTH { w.snap_length as u32 } else { 0 });
            w.put_option(OPTION_NAME, name.as_bytes());
            w.put_option(OPTION_RESOLUTION, &[NANOSECONDS]);
            w.put_u32(END_OF_OPTIONS);
        });
    }

    /// Write names of addresses, which Wireshark shows in place of the addresses.
    pub fn write_names(&mut self, names: &[(Vec<u8>, String)]) -> Result<()> {
        for block in names.chunks(NAMES_PER_BLOCK) {
            self.put_block(NAME_RESOLUTION_BLOCK, |w| {
                for (address, name) in block {
                    let kind = if address.len() == 4 { RECORD_IPV4 } else { RECORD_IPV6 };
                    w.buffer.extend_from_slice(&kind.to_le_bytes());
                    w.buffer.extend_from_slice(&((address.len() + name.len() + 1) as u16).to_le_bytes());
                    w.buffer.extend_from_slice(address);
                    w.buffer.extend_from_slice(name.as_bytes());
                    w.buffer.push(0);
                    w.pad_to_word();
                }
                w.put_u32(END_OF_RECORDS);
            });
            self.flush()?;
        }
        Ok(())
    }

    /// Write a packet of `length` bytes, of which `captured` are in the file.
    #[inline(always)]
    pub fn write_packet(
        &mut self,
        interface: u32,
        time_ns: i64,
        length: usize,
        captured: &[u8],
    ) -> Result<()> {
        let padded = captured.len().next_multiple_of(4);
        let total = (PACKET_FRAMING_BYTES + padded) as u32;
        let start = self.buffer.len();
        self.buffer.resize(start + total as usize, 0);
        let block = &mut self.buffer[start..];
        let ticks = time_ns as u64;
        let header = [
            ENHANCED_PACKET_BLOCK,
            total,
            interface,
            (ticks >> 32) as u32,
            ticks as u32,
            captured.len() as u32,
            length as u32,
        ];
        for (field, value) in block.chunks_exact_mut(4).zip(header) {
            field.copy_from_slice(&value.to_le_bytes());
        }
        block[PACKET_HEADER_BYTES..PACKET_HEADER_BYTES + captured.len()].copy_from_slice(captured);
        block[PACKET_HEADER_BYTES + padded..].copy_from_slice(&total.to_le_bytes());
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Truncate the file to `length` bytes and continue there.
    pub fn resume(&mut self, length: u64) -> Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Write all packets so far to the disk and return the length of the file.
    pub fn sync(&mut self) -> Result<u64> {
        self.flush()?;
        self.file.sync_all()?;
        self.file.stream_position()
    }
}
