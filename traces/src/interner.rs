//! String interner.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexSet;

/// Names numbered in order of first appearance.
#[derive(Default)]
pub struct Interner(IndexSet<String, DefaultHashBuilder>);

impl Interner {
    /// Return the number of a name, which is the next free one if the name is new.
    pub fn intern(&mut self, name: &str) -> u32 {
        // most names are known: a lookup needs no copy of the name
        let number = self.0.get_index_of(name).unwrap_or_else(|| self.0.insert_full(name.to_owned()).0);
        number as u32
    }

    /// Return the name with a number that `intern` has returned.
    pub fn name(&self, number: u32) -> &str {
        &self.0[number as usize]
    }

    pub fn into_names(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
