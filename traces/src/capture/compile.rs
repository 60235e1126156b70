//! A capture as sorted columns on disk, in bounded memory: grouped by flow, in each by direction, then time, then place in the file.
//!
//! Rows that do not fit in memory are sorted in runs, which are merged at the end.

use super::flows::{NO_FLOW, NO_TIME};
use super::{failed, Packet, Sink};
use crate::fault::{Checked, Fault};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const ROW: usize = 16;
const AGAINST: u32 = 1 << 31;
const LEAST_ROWS: usize = 1024;
/// Of an array file: magic, version 1.0, length of the description, description (NEP 1).
const HEADER: usize = 128;

/// One packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    flow: u32,
    time_ns: i64,
    /// IP length, and in the highest bit the direction.
    length: u32,
}

impl Row {
    fn key(&self) -> (u32, bool, i64) {
        (self.flow, self.against(), self.time_ns)
    }

    fn against(&self) -> bool {
        self.length & AGAINST != 0
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut raw = [0; ROW];
        raw[..4].copy_from_slice(&self.flow.to_le_bytes());
        raw[4..8].copy_from_slice(&self.length.to_le_bytes());
        raw[8..].copy_from_slice(&self.time_ns.to_le_bytes());
        out.write_all(&raw)
    }

    fn read(from: &mut impl Read) -> io::Result<Row> {
        let mut raw = [0; ROW];
        from.read_exact(&mut raw)?;
        let word = |at: usize| u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]);
        let time_ns = i64::from(word(8)) | i64::from(word(12)) << 32;
        Ok(Row { flow: word(0), length: word(4), time_ns })
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
    rows: Vec<Row>,
    most_rows: usize,
    runs: Vec<u64>,
    spill: Option<BufWriter<File>>,
}

impl Compiler {
    /// Columns go into `folder`, which is there; about `memory` bytes are used.
    pub fn new(folder: &Path, memory: usize) -> Compiler {
        // sorting takes half as much again
        let most_rows = (memory / (ROW + ROW / 2)).max(LEAST_ROWS);
        Compiler { folder: folder.into(), rows: Vec::new(), most_rows, runs: Vec::new(), spill: None }
    }

    fn spill_path(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn sort(&mut self) {
        self.rows.sort_by_key(Row::key); // stable: equal times stay in the order of the file
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        if self.spill.is_none() {
            self.spill = Some(BufWriter::with_capacity(1 << 18, File::create(self.spill_path())?));
        }
        if let Some(out) = &mut self.spill {
            for row in &self.rows {
                row.write(out)?;
            }
        }
        self.runs.push(self.rows.len() as u64);
        self.rows.clear();
        Ok(())
    }

    /// Write the columns for so many flows; gives where each one's rows are.
    pub fn finish(mut self, flows: usize) -> Checked<Places> {
        self.write(flows).map_err(|error| unwritten(&error))
    }

    fn write(&mut self, flows: usize) -> io::Result<Places> {
        let total = self.runs.iter().sum::<u64>() + self.rows.len() as u64;
        let mut out = Output::create(&self.folder, total, flows)?;
        if self.runs.is_empty() {
            self.sort();
            for row in &self.rows {
                out.push(row)?;
            }
            return out.close();
        }
        self.spill()?;
        self.rows = Vec::new();
        if let Some(spilled) = self.spill.take() {
            spilled.into_inner().map_err(io::IntoInnerError::into_error)?;
        }
        self.merge(&mut out)?;
        std::fs::remove_file(self.spill_path())?;
        out.close()
    }

    fn merge(&self, out: &mut Output) -> io::Result<()> {
        let share = (self.most_rows * ROW / self.runs.len()).clamp(1 << 12, 1 << 18);
        let mut readers = Vec::new();
        let mut heap = BinaryHeap::new();
        let mut start = 0;
        for (run, &rows) in self.runs.iter().enumerate() {
            let mut file = File::open(self.spill_path())?;
            file.seek(SeekFrom::Start(start * ROW as u64))?;
            start += rows;
            let mut reader = BufReader::with_capacity(share, file);
            if rows > 0 {
                let row = Row::read(&mut reader)?;
                heap.push(Reverse((row.key(), run, row.length)));
            }
            readers.push((reader, rows.saturating_sub(1)));
        }
        while let Some(Reverse(((flow, _, time_ns), run, length))) = heap.pop() {
            out.push(&Row { flow, time_ns, length })?;
            let (reader, left) = &mut readers[run];
            if *left > 0 {
                *left -= 1;
                let row = Row::read(reader)?;
                heap.push(Reverse((row.key(), run, row.length)));
            }
        }
        Ok(())
    }
}

impl Sink for Compiler {
    #[inline(always)]
    fn packet(&mut self, packet: &Packet) -> Checked<()> {
        if packet.flow == NO_FLOW || packet.time_ns == NO_TIME {
            return Ok(());
        }
        let length = (packet.length & !AGAINST) | (u32::from(packet.direction) * AGAINST);
        self.rows.push(Row { flow: packet.flow, time_ns: packet.time_ns, length });
        if self.rows.len() == self.most_rows {
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
        let flow = row.flow as usize;
        if self.places.count[flow] == 0 {
            self.places.offset[flow] = self.written;
        }
        self.places.count[flow] += 1;
        self.places.along[flow] += u64::from(!row.against());
        self.written += 1;
        self.time_ns.write_all(&row.time_ns.to_le_bytes())?;
        self.ip_length.write_all(&(row.length & !AGAINST).to_le_bytes())?;
        self.direction.write_all(&[u8::from(row.against())])
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
