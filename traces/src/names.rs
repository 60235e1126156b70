//! Names, numbered.

use hashbrown::HashMap;

/// Names numbered in order of first appearance.
#[derive(Default)]
pub struct Names {
    pub names: Vec<String>,
    number: HashMap<String, u32>,
}

impl Names {
    pub fn number_of(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.number.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.number.insert(name.to_owned(), number);
        number
    }
}
