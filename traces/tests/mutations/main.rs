//! Files changed at random, with an eye for their structure, through the readers: no panic, no overflow, no second spent, no
//! memory beyond what the file's size allows.
//!
//!     cargo test --profile fuzz --no-default-features --test mutations -- --nocapture
//!
//! MUTATIONS is the number of files for each reader (20,000 if it is not set; a tenth for what writes files too), SEED that of
//! the first one; a failure names the seed of its file, so that MUTATIONS=1 SEED=… shows it again.

mod captures;
mod memory;
mod movement;
mod mutator;

use mutator::Mutator;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MOST_TIME: Duration = Duration::from_secs(1);
/// Bytes of memory that any file may take, and for each of its bytes.
const MOST_MEMORY: usize = 32 << 20;
const MOST_MEMORY_PER_BYTE: usize = 2_000;

/// A reader under test.
pub struct Target {
    pub name: &'static str,
    /// Sound files to start from.
    pub files: Vec<Vec<u8>>,
    /// Pieces that mean something in such files.
    pub words: &'static [&'static [u8]],
    /// Of so many files one: some readers are slow, for what they write.
    pub one_in: u64,
    /// Makes a file from them.
    pub make: fn(&mut Mutator, &Target) -> Vec<u8>,
    /// Whether the file was read; else it was refused.
    pub read: fn(&[u8]) -> bool,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Memory is counted for the whole process, so one target is judged at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn run(target: &Target) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for file in &target.files {
        assert!((target.read)(file), "{}: a file to start from is refused", target.name);
    }
    let (first, count) = (setting("SEED", 1), setting("MUTATIONS", 20_000).div_ceil(target.one_in));
    let begun = Instant::now();
    let (mut read, mut slowest, mut largest) = (0u64, Duration::ZERO, 0);
    for seed in first..first + count {
        let file = (target.make)(&mut Mutator::new(seed), target);
        let before = memory::restart();
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(&file)));
        let (mut took, used) = (start.elapsed(), memory::peak() - before);
        let name = target.name;
        assert!(outcome.is_ok(), "{name}: SEED={seed} panics");
        // on a machine that others use it may just have waited: only what takes as long again is slow
        if took >= MOST_TIME {
            let start = Instant::now();
            (target.read)(&file);
            took = start.elapsed();
        }
        assert!(took < MOST_TIME, "{name}: SEED={seed} takes {took:?}");
        let most = MOST_MEMORY + MOST_MEMORY_PER_BYTE * file.len();
        assert!(used < most, "{name}: SEED={seed} takes {used} bytes of memory, {} of file", file.len());
        read += u64::from(outcome.is_ok_and(|read| read));
        slowest = slowest.max(took);
        largest = largest.max(used);
    }
    println!(
        "{}: {count} files in {:.1} s: {read} read, {} refused; slowest {:.1} ms, most memory {:.1} MB",
        target.name,
        begun.elapsed().as_secs_f64(),
        count - read,
        slowest.as_secs_f64() * 1e3,
        largest as f64 / 1e6,
    );
    // a harness that only breaks files, or never does, tests little
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
