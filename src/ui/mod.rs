//! Draws events: bars on a terminal, plain lines in a pipe, JSON for programs.
