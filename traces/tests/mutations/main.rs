//! Mutation fuzzing of the readers: files are changed at random, guided by their structure. No file may cause a panic or an
//! overflow, take a second, or take more memory than its size allows.
//!
//!     cargo test --profile fuzz --no-default-features --test mutations -- --nocapture
//!
//! MUTATIONS is the number of files for each reader (default 20,000; a tenth for a reader that also writes files). SEED is the
//! seed of the first file. A failure names the seed of its file, so that MUTATIONS=1 SEED=… reproduces it.

mod captures;
mod memory;
mod movement;
mod mutator;

use mutator::Mutator;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MAX_TIME: Duration = Duration::from_secs(1);
/// Bytes of memory that every file may take, and additionally for each byte of the file.
const MAX_MEMORY: usize = 32 << 20;
const MAX_MEMORY_PER_BYTE: usize = 2_000;

/// A reader under test.
pub struct Target {
    pub name: &'static str,
    /// Valid files to start from.
    pub files: Vec<Vec<u8>>,
    /// Byte strings with a meaning in such files.
    pub words: &'static [&'static [u8]],
    /// The reader gets one file in this many; readers that write files are slow.
    pub one_in: u64,
    /// Make a file to read.
    pub make: fn(&mut Mutator, &Target) -> Vec<u8>,
    /// Read a file; return false if it was refused.
    pub read: fn(&[u8]) -> bool,
}

fn read_setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Held by the running target: memory is counted for the whole process, so only one target runs at a time.
static TURN: Mutex<()> = Mutex::new(());

fn run(target: &Target) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for file in &target.files {
        assert!((target.read)(file), "{}: a valid file is refused", target.name);
    }
    let (first, count) = (read_setting("SEED", 1), read_setting("MUTATIONS", 20_000).div_ceil(target.one_in));
    let run_start = Instant::now();
    let (mut read, mut slowest, mut largest) = (0u64, Duration::ZERO, 0);
    for seed in first..first + count {
        let file = (target.make)(&mut Mutator::new(seed), target);
        let before = memory::reset_peak();
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(&file)));
        let (mut took, used) = (start.elapsed(), memory::peak() - before);
        let name = target.name;
        assert!(outcome.is_ok(), "{name}: SEED={seed} panics");
        // on a busy machine the reader may have waited for a processor: only a file that is slow twice counts
        if took >= MAX_TIME {
            let start = Instant::now();
            (target.read)(&file);
            took = start.elapsed();
        }
        assert!(took < MAX_TIME, "{name}: SEED={seed} takes {took:?}");
        let max = MAX_MEMORY + MAX_MEMORY_PER_BYTE * file.len();
        assert!(used < max, "{name}: SEED={seed} takes {used} bytes of memory, {} of file", file.len());
        read += u64::from(outcome.is_ok_and(|read| read));
        slowest = slowest.max(took);
        largest = largest.max(used);
    }
    println!(
        "{}: {count} files in {:.1} s: {read} read, {} refused; slowest {:.1} ms, most memory {:.1} MB",
        target.name,
        run_start.elapsed().as_secs_f64(),
        count - read,
        slowest.as_secs_f64() * 1e3,
        largest as f64 / 1e6,
    );
    // a mutator that breaks all files, or none, tests little
    if count >= 1_000 {
        assert!(read * 50 > count && (count - read) * 50 > count, "{}: {read} of {count} read", target.name);
    }
}

#[test]
fn movement_files() {
    movement::targets().iter().for_each(run);
}

#[test]
fn capture_files() {
    captures::targets().iter().for_each(run);
}
