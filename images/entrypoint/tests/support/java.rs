//! Containers of tests: a folder that stands for `/`, with files, variables and mounts.

#![allow(dead_code, reason = "each file of tests uses some of it")]

pub mod json;

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::problem::Problem;

/// An empty folder of a test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes files below a folder.
pub fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A container with these files and variables.
pub fn container(name: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) -> Container {
    let root = folder(name);
    write(&root, files);
    Container { root, environment: Environment::of(variables.iter().copied()), ..Container::default() }
}

/// Whom problems or warnings are about.
pub fn subjects(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.subject.as_str()).collect()
}

/// Numbers that look random, and are the same each time (xorshift).
pub struct Numbers(u64);

impl Numbers {
    /// Those that follow from a seed.
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed | 1)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    /// A short text of these letters.
    pub fn text(&mut self, letters: &[char]) -> String {
        (0..self.below(12)).map(|_| letters[self.below(letters.len())]).collect()
    }
}
