use super::{Lock, LockError};
use crate::definition::Definition;

/// Whether a lock was made for this definition.
pub fn check_fit(lock: &Lock, definition: &Definition) -> Result<(), LockError> {
    todo!("{lock:?} {definition:?}")
}
