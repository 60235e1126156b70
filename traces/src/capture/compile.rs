//! A capture as sorted columns on disk, made in bounded memory: sorted by flow, direction, time and position in the file.
//!
//! Rows that exceed the memory are sorted in runs on disk, which are merged at the end (external merge sort).

use super::flow_table::{NO_FLOW, NO_TIME};
use super::state::{Packet, Sink};
use crate::error::{error_at_byte, ReadError, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const ROW_BYTES: usize = 16;
/// Memory for each row, with the scratch space of sorting and a share of the buffers.
const ROW_MEMORY_BYTES: usize = 2 * ROW_BYTES;
const MIN_ROWS: usize = 1024;
/// Bounds of the bytes of a run that are read at once.
const MIN_RUN_BUFFER_BYTES: usize = 1 << 12;
const MAX_RUN_BUFFER_BYTES: usize = 1 << 18;
const COLUMN_BUFFER_BYTES: usize = 1 << 18;
const MAX_FLOWS: u32 = 1 << 31;
/// Bytes of an array file before its data: magic, version 1.0, length of the description, description (NEP 1).
const NPY_HEADER_BYTES: usize = 128;

/// One packet.
#[derive(Clone, Copy)]
struct Row {
    /// Flow and direction in one number: twice the flow, plus one against its first packet.
    lane: u32,
    ip_length: u32,
    time_ns: i64,
}

impl Row {
    fn sort_key(&self) -> (u32, i64) {
        (self.lane, self.time_ns)
    }

    #[inline(always)]
    fn to_bytes(self) -> [u8; ROW_BYTES] {
        let mut raw = [0; ROW_BYTES];
        raw[..4].copy_from_slice(&self.lane.to_le_bytes());
        raw[4..8].copy_from_slice(&self.ip_length.to_le_bytes());
        raw[8..].copy_from_slice(&self.time_ns.to_le_bytes());
        raw
    }

    #[inline(always)]
    fn from_bytes(raw: &[u8; ROW_BYTES]) -> Row {
        let word = |at: usize| u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
        let time_ns = i64::from(word(8)) | i64::from(word(12)) << 32;
        Row { lane: word(0), ip_length: word(4), time_ns }
    }
}

/// Position of each flow's rows in the columns.
#[derive(Default)]
pub struct FlowIndex {
    pub offset: Vec<u64>,
    pub count: Vec<u64>,
    /// Rows in direction 0, which precede those in direction 1.
    pub along: Vec<u64>,
}

pub struct Compiler {
    folder: PathBuf,
    memory_bytes: usize,
    rows: Vec<Row>,
    /// End of each run in the file of runs.
    run_ends: Vec<u64>,
    run_file: Option<BufWriter<File>>,
}

impl Compiler {
    /// Write columns into `folder`, which must exist, and use about `memory_bytes` of memory.
    pub fn new(folder: &Path, memory_bytes: usize) -> Compiler {
        Compiler {
            folder: folder.into(),
            memory_bytes,
            rows: Vec::new(),
            run_ends: Vec::new(),
            run_file: None,
        }
    }

    /// Drop all rows and return a compiler for another reading of the same capture.
    pub fn restart(self) -> io::Result<Compiler> {
        if self.run_file.is_some() {
            std::fs::remove_file(self.run_path())?;
        }
        Ok(Compiler::new(&self.folder, self.memory_bytes))
    }

    fn max_rows(&self) -> usize {
        (self.memory_bytes / ROW_MEMORY_BYTES).max(MIN_ROWS)
    }

    fn run_path(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn sort_rows(&mut self) {
        self.rows.sort_by_key(Row::sort_key); // stable: equal times stay in the order of the file
    }

    #[cold]
    fn write_run(&mut self) -> io::Result<()> {
        self.sort_rows();
        let path = self.run_path();
        let out = match &mut self.run_file {
            Some(out) => out,
            None => {
                let file = File::options().read(true).write(true).create_new(true).open(path)?;
                self.run_file.insert(BufWriter::with_capacity(MAX_RUN_BUFFER_BYTES, file))
            }
        };
        for row in &self.rows {
            out.write_all(&row.to_bytes())?;
        }
        let start = self.run_ends.last().copied().unwrap_or(0);
        self.run_ends.push(start + (self.rows.len() * ROW_BYTES) as u64);
        self.rows.clear();
        Ok(())
    }

    /// Write the columns of `flows` flows and return the position of each flow's rows.
    pub fn finish(mut self, flows: usize) -> Result<FlowIndex> {
        self.write_columns(flows).map_err(|error| write_error(&error))
    }

    fn write_columns(&mut self, flows: usize) -> io::Result<FlowIndex> {
        let rows_in_runs = self.run_ends.last().copied().unwrap_or(0) / ROW_BYTES as u64;
        let mut out = ColumnWriter::create(&self.folder, rows_in_runs + self.rows.len() as u64, flows)?;
        if self.run_ends.is_empty() {
            self.sort_rows();
            for row in &self.rows {
                out.push(row)?;
            }
            return out.close();
        }
        self.write_run()?;
        self.rows = Vec::new();
        if let Some(run_file) = self.run_file.take() {
            self.merge_runs(&mut run_file.into_inner().map_err(io::IntoInnerError::into_error)?, &mut out)?;
        }
        std::fs::remove_file(self.run_path())?;
        out.close()
    }

    fn merge_runs(&self, file: &mut File, out: &mut ColumnWriter) -> io::Result<()> {
        let buffer_size = (self.memory_bytes / 2 / self.run_ends.len())
            .clamp(MIN_RUN_BUFFER_BYTES, MAX_RUN_BUFFER_BYTES)
            .next_multiple_of(ROW_BYTES);
        let mut runs = Vec::new();
        let mut heads = BinaryHeap::new();
        let mut start = 0;
        for (number, &end) in self.run_ends.iter().enumerate() {
            let mut run = Run { position: start, end, buffer: Vec::new(), at: 0, buffer_size };
            start = end;
            heads.extend(run.next(file)?.map(|row| Reverse((row.sort_key(), number, row.ip_length))));
            runs.push(run);
        }
        while let Some(Reverse(((lane, time_ns), number, ip_length))) = heads.pop() {
            let mut row = Row { lane, ip_length, time_ns };
            // take rows of this run as long as they precede the other runs: in an ordered capture, a whole lane
            loop {
                out.push(&row)?;
                match runs[number].next(file)? {
                    None => break,
                    Some(next) => row = next,
                }
                let head = Reverse((row.sort_key(), number, row.ip_length));
                if heads.peek().is_some_and(|other| *other > head) {
                    heads.push(head);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// A sorted run. All runs share one file, because there may be more runs than a process may open files.
struct Run {
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    /// A multiple of the size of a row.
    buffer_size: usize,
}

impl Run {
    #[inline(always)]
    fn next(&mut self, file: &mut File) -> io::Result<Option<Row>> {
        if self.at == self.buffer.len() {
            self.fill(file)?;
        }
        let raw = self.buffer[self.at..].first_chunk::<ROW_BYTES>();
        self.at += if raw.is_some() { ROW_BYTES } else { 0 };
        Ok(raw.map(Row::from_bytes))
    }

    #[cold]
    fn fill(&mut self, file: &mut File) -> io::Result<()> {
        let remaining = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        self.buffer.resize(remaining.min(self.buffer_size), 0);
        self.at = 0;
        file.seek(SeekFrom::Start(self.position))?;
        file.read_exact(&mut self.buffer)?;
        self.position += self.buffer.len() as u64;
        Ok(())
    }
}

impl Sink for Compiler {
    #[inline(always)]
    fn add_packet(&mut self, packet: &Packet) -> Result<()> {
        if packet.flow == NO_FLOW || packet.time_ns == NO_TIME {
            return Ok(());
        }
        if packet.flow >= MAX_FLOWS {
            return Err(error_at_byte(0, "one more flow", format!("at most {MAX_FLOWS}")));
        }
        if self.rows.is_empty() {
            // all at once, because growing a vector takes twice the memory
            self.rows.reserve_exact(self.max_rows());
        }
        let lane = packet.flow << 1 | u32::from(packet.direction);
        self.rows.push(Row { lane, ip_length: packet.ip_length, time_ns: packet.time_ns });
        if self.rows.len() == self.max_rows() {
            self.write_run().map_err(|error| write_error(&error))?;
        }
        Ok(())
    }
}

/// Writer of the columns as array files of numpy.
struct ColumnWriter {
    time_ns: BufWriter<File>,
    ip_length: BufWriter<File>,
    direction: BufWriter<File>,
    index: FlowIndex,
    rows: u64,
}

impl ColumnWriter {
    fn create(folder: &Path, rows: u64, flows: usize) -> io::Result<ColumnWriter> {
        let create_column = |name: &str, dtype: &str| {
            let mut out = BufWriter::with_capacity(COLUMN_BUFFER_BYTES, File::create(folder.join(name))?);
            out.write_all(&format_npy_header(dtype, rows))?;
            io::Result::Ok(out)
        };
        Ok(ColumnWriter {
            time_ns: create_column("time_ns.npy", "<i8")?,
            ip_length: create_column("ip_length.npy", "<u4")?,
            direction: create_column("direction.npy", "|u1")?,
            index: FlowIndex { offset: vec![0; flows], count: vec![0; flows], along: vec![0; flows] },
            rows: 0,
        })
    }

    #[inline(always)]
    fn push(&mut self, row: &Row) -> io::Result<()> {
        let (flow, direction) = ((row.lane >> 1) as usize, row.lane & 1);
        if self.index.count[flow] == 0 {
            self.index.offset[flow] = self.rows;
        }
        self.index.count[flow] += 1;
        self.index.along[flow] += u64::from(1 - direction);
        self.rows += 1;
        self.time_ns.write_all(&row.time_ns.to_le_bytes())?;
        self.ip_length.write_all(&row.ip_length.to_le_bytes())?;
        self.direction.write_all(&[direction as u8])
    }

    fn close(self) -> io::Result<FlowIndex> {
        for column in [self.time_ns, self.ip_length, self.direction] {
            column.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(self.index)
    }
}

fn format_npy_header(dtype: &str, rows: u64) -> Vec<u8> {
    const PREFIX_BYTES: usize = 10;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(((NPY_HEADER_BYTES - PREFIX_BYTES) as u16).to_le_bytes());
    header.extend(format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows},), }}").bytes());
    header.resize(NPY_HEADER_BYTES - 1, b' ');
    header.push(b'\n');
    header
}

fn write_error(error: &io::Error) -> ReadError {
    let message = format!("its columns cannot be written: {error}");
    error_at_byte(0, message, "free space and write permission for the folder of the columns")
}
