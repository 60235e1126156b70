//! The pcapng writer (draft-ietf-opsawg-pcapng): one section, little-endian, raw IP, nanoseconds.

use std::fs::File;
use std::io::{Result, Seek, SeekFrom, Write};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const MAGIC: u32 = 0x1A2B_3C4D;
const LINKTYPE_RAW: u16 = 101;
const OPTION_COMMENT: u16 = 1;
const OPTION_NAME: u16 = 2;
const OPTION_APPLICATION: u16 = 4;
const OPTION_RESOLUTION: u16 = 9;
/// Bytes that are collected before they go to the file.
const FULL: usize = 1 << 20;
/// Names in one block, so that blocks stay far below the most that readers take.
const NAMES_IN_BLOCK: usize = 1024;

pub struct Writer {
    file: File,
    ready: Vec<u8>,
    pub snap: usize,
}

impl Writer {
    /// `snap`: most bytes kept of a packet.
    pub fn new(file: File, snap: usize) -> Writer {
        Writer { file, ready: Vec::with_capacity(FULL + (1 << 17)), snap }
    }

    fn u32(&mut self, value: u32) {
        self.ready.extend_from_slice(&value.to_le_bytes());
    }

    fn fill(&mut self) {
        self.ready.resize(self.ready.len().next_multiple_of(4), 0);
    }

    /// One block, whose body `write` writes.
    fn block(&mut self, kind: u32, write: impl FnOnce(&mut Writer)) {
        let start = self.ready.len();
        self.u32(kind);
        self.u32(0);
        write(self);
        let total = (self.ready.len() - start + 4) as u32;
        self.u32(total);
        self.ready[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
    }

    /// One option; what is longer than an option can be is cut.
    fn option(&mut self, code: u16, value: &[u8]) {
        let value = &value[..value.len().min(usize::from(u16::MAX))];
        self.ready.extend_from_slice(&code.to_le_bytes());
        self.ready.extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.ready.extend_from_slice(value);
        self.fill();
    }

    /// Section header; `comment` says where the packets come from.
    pub fn section(&mut self, comment: &str, application: &str) {
        self.block(SECTION, |w| {
            w.u32(MAGIC);
            w.u32(1); // version 1.0
            w.ready.extend_from_slice(&u64::MAX.to_le_bytes()); // length: not said
            w.option(OPTION_COMMENT, comment.as_bytes());
            w.option(OPTION_APPLICATION, application.as_bytes());
            w.u32(0);
        });
    }

    pub fn interface(&mut self, name: &str) {
        self.block(INTERFACE, |w| {
            w.u32(u32::from(LINKTYPE_RAW));
            w.u32(if w.snap < 65_536 { w.snap as u32 } else { 0 });
            w.option(OPTION_NAME, name.as_bytes());
            w.option(OPTION_RESOLUTION, &[9]);
            w.u32(0);
        });
    }

    /// Names of addresses, which Wireshark shows in their place.
    pub fn names(&mut self, names: &[(Vec<u8>, String)]) -> Result<()> {
        for some in names.chunks(NAMES_IN_BLOCK) {
            self.block(NAME_RESOLUTION, |w| {
                for (address, name) in some {
                    let kind: u16 = if address.len() == 4 { 1 } else { 2 };
                    w.ready.extend_from_slice(&kind.to_le_bytes());
                    w.ready.extend_from_slice(&((address.len() + name.len() + 1) as u16).to_le_bytes());
                    w.ready.extend_from_slice(address);
                    w.ready.extend_from_slice(name.as_bytes());
                    w.ready.push(0);
                    w.fill();
                }
                w.u32(0); // end of records
            });
            self.drain()?;
        }
        Ok(())
    }

    /// A packet of `length` bytes of which `kept` is kept.
    #[inline(always)]
    pub fn packet(&mut self, interface: u32, time_ns: i64, length: usize, kept: &[u8]) -> Result<()> {
        let body = kept.len().next_multiple_of(4);
        let total = (32 + body) as u32;
        let start = self.ready.len();
        self.ready.resize(start + total as usize, 0);
        let block = &mut self.ready[start..];
        let stamp = time_ns as u64;
        let head = [
            ENHANCED_PACKET,
            total,
            interface,
            (stamp >> 32) as u32,
            stamp as u32,
            kept.len() as u32,
            length as u32,
        ];
        for (place, value) in block.chunks_exact_mut(4).zip(head) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        block[28..28 + kept.len()].copy_from_slice(kept);
        block[28 + body..].copy_from_slice(&total.to_le_bytes());
        if self.ready.len() >= FULL {
            self.drain()?;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<()> {
        self.file.write_all(&self.ready)?;
        self.ready.clear();
        Ok(())
    }

    /// Go on behind the first `length` bytes of the file: what is behind them goes.
    pub fn resume(&mut self, length: u64) -> Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Everything is in the file, on the disk; returns how many bytes that are.
    pub fn sync(&mut self) -> Result<u64> {
        self.drain()?;
        self.file.sync_all()?;
        self.file.stream_position()
    }
}
