//! What every error of kimg can tell beyond its message: the exit code it means, and what to do about it.

/// What a failure means to a script: each category is one documented exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// It failed here: disk, permissions, a malformed file of the user's. Exit code 1.
    Failed,
    /// The command line or a definition asks for something that makes no sense. Exit code 2.
    Usage,
    /// A digest, size or signature does not fit, or a layer was not reproduced. Exit code 3.
    Verification,
    /// The other side refused or cannot be reached. Exit code 4.
    Refused,
    /// Nothing was found under that name. Exit code 5.
    NotFound,
    /// The user ended it. Exit code 130.
    Interrupted,
}

impl Category {
    /// The exit code of the process that fails with this category.
    pub fn exit_code(self) -> u8 {
        match self {
            Category::Failed => 1,
            Category::Usage => 2,
            Category::Verification => 3,
            Category::Refused => 4,
            Category::NotFound => 5,
            Category::Interrupted => 130,
        }
    }
}

/// Implemented by the error type of every floor.
///
/// `Display` is `WHAT: WHY` on one line, naming the file, input or host concerned; it includes the messages of its
/// sources (no reader has to walk `source()`), is written in lower case and has no full stop.
pub trait Diagnose: std::error::Error {
    /// Which exit code this failure means.
    fn category(&self) -> Category;

    /// What the user can do about it, in the imperative, on one line.
    fn hint(&self) -> Option<String> {
        None
    }
}
