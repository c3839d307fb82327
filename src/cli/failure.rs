//! The one place where errors of all floors become exit codes and hints.

use crate::error::{Category, Diagnose};
use crate::ui::Report;

/// Why a command did not do all of its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error of some floor, with all that it can tell.
    Told(Box<dyn Diagnose + Send>),
    /// The user ended it.
    Interrupted,
    /// Nobody reads the answer any more (a closed pipe), which is no error: `kimg images | head -1`.
    Unread,
}

impl<E: Diagnose + Send + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        match error.category() {
            Category::Interrupted => Failure::Interrupted,
            _ => Failure::Told(Box::new(error)),
        }
    }
}

impl Failure {
    /// What to print, and the exit code.
    pub(super) fn report(&self) -> Report {
        match self {
            Failure::Told(error) => {
                Report { message: error.to_string(), hint: error.hint(), exit_code: error.category().exit_code() }
            }
            Failure::Interrupted => {
                Report { message: "interrupted".to_owned(), hint: None, exit_code: Category::Interrupted.exit_code() }
            }
            Failure::Unread => Report { message: String::new(), hint: None, exit_code: 0 },
        }
    }
}
