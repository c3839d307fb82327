//! A terminal in memory: rows of characters, a cursor, and a break where a row is full; nothing scrolls out of sight.

use std::io;
use std::sync::{Arc, Mutex};

use indicatif::TermLike;

/// A terminal of a width; clones show the same.
#[derive(Debug, Clone)]
pub struct Screen {
    width: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    most_rows: usize,
}

impl Screen {
    /// An empty one.
    pub fn new(width: u16) -> Screen {
        Screen { width, state: Arc::default() }
    }

    /// What stands on it: no spaces at the ends of rows, no empty rows at the end.
    pub fn rows(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        let mut rows: Vec<String> = state.rows.iter().map(text).collect();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }

    /// The most rows that were filled at once.
    pub fn most_rows(&self) -> usize {
        self.state.lock().unwrap().most_rows
    }

    fn with(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        change(&mut self.state.lock().unwrap());
        Ok(())
    }
}

impl State {
    fn put(&mut self, character: char, width: usize) {
        match character {
            '\r' => self.column = 0,
            '\n' => (self.row, self.column) = (self.row + 1, 0),
            character => {
                // As terminals do: a full row breaks when the next character comes.
                if self.column == width {
                    (self.row, self.column) = (self.row + 1, 0);
                }
                if self.rows.len() <= self.row {
                    self.rows.resize(self.row + 1, Vec::new());
                }
                let row = &mut self.rows[self.row];
                if row.len() <= self.column {
                    row.resize(self.column + 1, ' ');
                }
                row[self.column] = character;
                self.column += 1;
            }
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.width
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.with(|state| state.row = state.row.saturating_sub(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.with(|state| state.row += n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.with(|state| state.column += n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.with(|state| state.column = state.column.saturating_sub(n))
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let width = usize::from(self.width);
        self.with(|state| text.chars().for_each(|character| state.put(character, width)))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.with(|state| {
            let row = state.row;
            if let Some(row) = state.rows.get_mut(row) {
                row.clear();
            }
            state.column = 0;
        })
    }

    fn flush(&self) -> io::Result<()> {
        self.with(|state| {
            let filled = state.rows.iter().filter(|row| row.iter().any(|c| *c != ' ')).count();
            state.most_rows = state.most_rows.max(filled);
        })
    }
}
