//! A capture as sorted columns on disk, in bounded memory: grouped by flow, in each by direction, then time, then place in the file.
//!
//! Rows that do not fit in memory are sorted in runs, which are merged at the end.

use super::flows::{NO_FLOW, NO_TIME};
use super::{failed, Packet, Sink};
use crate::fault::{at_byte, Checked, Fault};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const ROW: usize = 16;
/// In memory, with what sorting takes beside, and some for the buffers.
const ROW_IN_MEMORY: usize = 2 * ROW;
const LEAST_ROWS: usize = 1024;
/// Bytes of a run that are read at once.
const READ: (usize, usize) = (1 << 12, 1 << 18);
const MOST_FLOWS: u32 = 1 << 31;
/// Of an array file: magic, version 1.0, length of the description, description (NEP 1).
const HEADER: usize = 128;

/// One packet.
#[derive(Clone, Copy)]
struct Row {
    /// Twice the flow, and one more against it.
    lane: u32,
    ip_length: u32,
    time_ns: i64,
}

impl Row {
    fn key(&self) -> (u32, i64) {
        (self.lane, self.time_ns)
    }

    #[inline(always)]
    fn to_bytes(self) -> [u8; ROW] {
        let mut raw = [0; ROW];
        raw[..4].copy_from_slice(&self.lane.to_le_bytes());
        raw[4..8].copy_from_slice(&self.ip_length.to_le_bytes());
        raw[8..].copy_from_slice(&self.time_ns.to_le_bytes());
        raw
    }

    #[inline(always)]
    fn of_bytes(raw: &[u8; ROW]) -> Row {
        let word = |at: usize| u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
        let time_ns = i64::from(word(8)) | i64::from(word(12)) << 32;
        Row { lane: word(0), ip_length: word(4), time_ns }
    }
}

/// Where each flow's rows are.
#[derive(Default)]
pub struct Places {
    pub offset: Vec<u64>,
    pub count: Vec<u64>,
    /// How many of these are in direction 0; they come first.
    pub along: Vec<u64>,
}

pub struct Compiler {
    folder: PathBuf,
    memory: usize,
    rows: Vec<Row>,
    /// Where each run ends in the file of runs.
    ends: Vec<u64>,
    spill: Option<BufWriter<File>>,
}

impl Compiler {
    /// Columns go into `folder`, which is there; about `memory` bytes are used.
    pub fn new(folder: &Path, memory: usize) -> Compiler {
        Compiler { folder: folder.into(), memory, rows: Vec::new(), ends: Vec::new(), spill: None }
    }

    fn most_rows(&self) -> usize {
        (self.memory / ROW_IN_MEMORY).max(LEAST_ROWS)
    }

    fn spill_path(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn sort(&mut self) {
        self.rows.sort_by_key(Row::key); // stable: equal times stay in the order of the file
    }

    #[cold]
    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let out = match &mut self.spill {
            Some(out) => out,
            None => {
                let path = self.folder.join("runs");
                let file = File::options().read(true).write(true).create_new(true).open(path)?;
                self.spill.insert(BufWriter::with_capacity(READ.1, file))
            }
        };
        for row in &self.rows {
            out.write_all(&row.to_bytes())?;
        }
        let before = self.ends.last().copied().unwrap_or(0);
        self.ends.push(before + (self.rows.len() * ROW) as u64);
        self.rows.clear();
        Ok(())
    }

    /// Write the columns for so many flows; gives where each one's rows are.
    pub fn finish(mut self, flows: usize) -> Checked<Places> {
        self.write(flows).map_err(|error| unwritten(&error))
    }

    fn write(&mut self, flows: usize) -> io::Result<Places> {
        let spilled = self.ends.last().copied().unwrap_or(0) / ROW as u64;
        let mut out = Output::create(&self.folder, spilled + self.rows.len() as u64, flows)?;
        if self.ends.is_empty() {
            self.sort();
            for row in &self.rows {
                out.push(row)?;
            }
            return out.close();
        }
        self.spill()?;
        self.rows = Vec::new();
        if let Some(spill) = self.spill.take() {
            self.merge(&mut spill.into_inner().map_err(io::IntoInnerError::into_error)?, &mut out)?;
        }
        std::fs::remove_file(self.spill_path())?;
        out.close()
    }

    fn merge(&self, file: &mut File, out: &mut Output) -> io::Result<()> {
        let size = (self.memory / 2 / self.ends.len()).clamp(READ.0, READ.1).next_multiple_of(ROW);
        let mut runs = Vec::new();
        let mut heads = BinaryHeap::new();
        let mut start = 0;
        for (number, &end) in self.ends.iter().enumerate() {
            let mut run = Run { position: start, end, buffer: Vec::new(), at: 0, size };
            start = end;
            heads.extend(run.next(file)?.map(|row| Reverse((row.key(), number, row.ip_length))));
            runs.push(run);
        }
        while let Some(Reverse(((lane, time_ns), number, ip_length))) = heads.pop() {
            let mut row = Row { lane, ip_length, time_ns };
            // all of this run that comes before the others: of a capture in order, its whole lane
            loop {
                out.push(&row)?;
                match runs[number].next(file)? {
                    None => break,
                    Some(next) => row = next,
                }
                let head = Reverse((row.key(), number, row.ip_length));
                if heads.peek().is_some_and(|other| *other > head) {
                    heads.push(head);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// A sorted run in the file of runs: there may be more of them than a process may open files.
struct Run {
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    /// Of the buffer, a multiple of that of a row.
    size: usize,
}

impl Run {
    #[inline(always)]
    fn next(&mut self, file: &mut File) -> io::Result<Option<Row>> {
        if self.at == self.buffer.len() {
            self.fill(file)?;
        }
        let raw = self.buffer[self.at..].first_chunk::<ROW>();
        self.at += if raw.is_some() { ROW } else { 0 };
        Ok(raw.map(Row::of_bytes))
    }

    #[cold]
    fn fill(&mut self, file: &mut File) -> io::Result<()> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        self.buffer.resize(left.min(self.size), 0);
        self.at = 0;
        file.seek(SeekFrom::Start(self.position))?;
        file.read_exact(&mut self.buffer)?;
        self.position += self.buffer.len() as u64;
        Ok(())
    }
}

impl Sink for Compiler {
    #[inline(always)]
    fn packet(&mut self, packet: &Packet) -> Checked<()> {
        if packet.flow == NO_FLOW || packet.time_ns == NO_TIME {
            return Ok(());
        }
        if packet.flow >= MOST_FLOWS {
            return Err(at_byte(0, "one more flow", format!("at most {MOST_FLOWS} are sorted")));
        }
        if self.rows.is_empty() {
            // at once: growing would take twice as much
            self.rows.reserve_exact(self.most_rows());
        }
        let lane = packet.flow << 1 | u32::from(packet.direction);
        self.rows.push(Row { lane, ip_length: packet.length, time_ns: packet.time_ns });
        if self.rows.len() == self.most_rows() {
            self.spill().map_err(|error| unwritten(&error))?;
        }
        Ok(())
    }
}

/// The columns as array files of numpy.
struct Output {
    time_ns: BufWriter<File>,
    ip_length: BufWriter<File>,
    direction: BufWriter<File>,
    places: Places,
    written: u64,
}

impl Output {
    fn create(folder: &Path, rows: u64, flows: usize) -> io::Result<Output> {
        let column = |name: &str, kind: &str| {
            let mut out = BufWriter::with_capacity(1 << 18, File::create(folder.join(name))?);
            out.write_all(&array_header(kind, rows))?;
            io::Result::Ok(out)
        };
        Ok(Output {
            time_ns: column("time_ns.npy", "<i8")?,
            ip_length: column("ip_length.npy", "<u4")?,
            direction: column("direction.npy", "|u1")?,
            places: Places { offset: vec![0; flows], count: vec![0; flows], along: vec![0; flows] },
            written: 0,
        })
    }

    #[inline(always)]
    fn push(&mut self, row: &Row) -> io::Result<()> {
        let (flow, against) = ((row.lane >> 1) as usize, row.lane & 1);
        if self.places.count[flow] == 0 {
            self.places.offset[flow] = self.written;
        }
        self.places.count[flow] += 1;
        self.places.along[flow] += u64::from(1 - against);
        self.written += 1;
        self.time_ns.write_all(&row.time_ns.to_le_bytes())?;
        self.ip_length.write_all(&row.ip_length.to_le_bytes())?;
        self.direction.write_all(&[against as u8])
    }

    fn close(self) -> io::Result<Places> {
        for column in [self.time_ns, self.ip_length, self.direction] {
            column.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(self.places)
    }
}

fn array_header(kind: &str, rows: u64) -> Vec<u8> {
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(((HEADER - 10) as u16).to_le_bytes());
    header.extend(format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows},), }}").bytes());
    header.resize(HEADER - 1, b' ');
    header.push(b'\n');
    header
}

fn unwritten(error: &io::Error) -> Fault {
    failed("its columns cannot be written", error)
}
