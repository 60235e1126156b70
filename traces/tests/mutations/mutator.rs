//! Random changes of files: bytes, words, lines, elements, numbers, truncation; before or after compression.

use crate::Target;
use std::io::Write;

/// Numbers that tend to break arithmetic.
const NUMBERS: [&[u8]; 20] = [
    b"0",
    b"-0",
    b"-1",
    b"1e999",
    b"1e-999",
    b"1E308",
    b"nan",
    b"NaN",
    b"inf",
    b"-Infinity",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"0.0000000000000000000001",
    b"99999999999.999",
    b"1e11",
    b"9223372.036854775807",
    b"170141183460469231731687303715884105727",
    b"0x10",
    b".",
];

pub struct Mutator {
    state: u64,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Mutator { state: seed }
    }

    /// Return the next number of SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// Return a number from 0 to below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Compress one file in eight, and change some of these afterwards.
    pub fn maybe_compress(&mut self, file: Vec<u8>) -> Vec<u8> {
        if self.below(8) > 0 {
            return file;
        }
        let mut file =
            if self.below(2) == 0 { gzip(&file) } else { zstd::encode_all(&file[..], 1).unwrap_or_default() };
        for _ in 0..self.below(3) {
            self.change_bytes(&mut file);
        }
        file
    }

    /// Replace an integer by a bound, or by a number near its value.
    pub fn change_integer(&mut self, file: &mut [u8]) {
        let width = [1, 2, 4, 8][self.below(4)];
        if file.len() < width {
            return;
        }
        let at = self.below(file.len() - width + 1);
        let field = &mut file[at..at + width];
        let little_endian = self.below(2) == 0;
        if little_endian {
            field.reverse();
        }
        let old = field.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        let new = match self.below(4) {
            0 => old.wrapping_add(self.below(16) as u64).wrapping_sub(8),
            1 => (1u64 << self.below(64)).wrapping_sub(self.below(2) as u64),
            2 => u64::MAX - self.below(3) as u64,
            _ => self.below(70_000) as u64,
        };
        field.copy_from_slice(&new.to_be_bytes()[8 - width..]);
        if little_endian {
            field.reverse();
        }
    }

    /// Change a file in one of eight ways.
    pub fn change(&mut self, file: &mut Vec<u8>, words: &[&[u8]]) {
        match self.below(8) {
            0 => self.change_bytes(file),
            1 => {
                let at = self.below(file.len() + 1);
                let word = *self.choose(words);
                file.splice(at..at, word.iter().copied());
            }
            2 | 3 => self.change_number(file),
            4 => self.change_piece(file, b'\n'),
            5 => self.change_piece(file, b'<'),
            6 => self.change_piece(file, b' '),
            _ => {
                let (word, by) = (*self.choose(words), *self.choose(words));
                if let Some(at) = find(file, word) {
                    file.splice(at..at + word.len(), by.iter().copied());
                }
            }
        }
    }

    pub fn change_bytes(&mut self, file: &mut Vec<u8>) {
        if file.is_empty() {
            return;
        }
        let at = self.below(file.len());
        match self.below(5) {
            0 => file[at] = self.next() as u8,
            1 => file[at] ^= 1 << self.below(8),
            2 => file.truncate(at),
            3 => {
                let end = (at + 1 + self.below(16)).min(file.len());
                file.drain(at..end);
            }
            _ => {
                let end = (at + 1 + self.below(64)).min(file.len());
                let piece = file[at..end].to_vec();
                let times = 1 + self.below(3);
                let many = if self.below(64) == 0 { 10_000 } else { times };
                file.splice(at..at, piece.repeat(many));
            }
        }
    }

    /// Replace a decimal number.
    fn change_number(&mut self, file: &mut Vec<u8>) {
        let from = self.below(file.len());
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = file[from..].iter().position(is_digit).map(|at| from + at) else { return };
        let end = start + file[start..].iter().take_while(|byte| is_digit(byte) || **byte == b'.').count();
        let by = match self.below(3) {
            0 => self.choose(&NUMBERS).to_vec(),
            1 => self.below(1000).to_string().into_bytes(),
            _ => vec![b'0' + self.below(10) as u8; 1 + self.below(48)],
        };
        file.splice(start..end, by);
    }

    /// Double, move or drop the bytes between two separators.
    fn change_piece(&mut self, file: &mut Vec<u8>, separator: u8) {
        let starts: Vec<usize> =
            file.iter().enumerate().filter(|(_, byte)| **byte == separator).map(|(at, _)| at).collect();
        if starts.len() < 3 {
            return;
        }
        let which = self.below(starts.len() - 1);
        let (start, end) = (starts[which], starts[which + 1]);
        let piece = file[start..end].to_vec();
        let kind = self.below(3);
        let to = *self.choose(&starts);
        if kind != 2 {
            file.splice(to..to, piece.iter().copied());
        }
        if kind != 0 {
            let start = if kind == 1 && to <= start { start + piece.len() } else { start };
            file.drain(start..start + piece.len());
        }
    }
}

/// Choose a file of a target and change it up to eight times.
pub fn mutate_file(mutator: &mut Mutator, target: &Target) -> Vec<u8> {
    let mut file = mutator.choose(&target.files).clone();
    let changes = [0, 1, 1, 1, 2, 3, 8][mutator.below(7)];
    for _ in 0..changes {
        mutator.change(&mut file, target.words);
    }
    mutator.maybe_compress(file)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn find(file: &[u8], word: &[u8]) -> Option<usize> {
    (!word.is_empty()).then(|| file.windows(word.len()).position(|here| here == word))?
}
