use super::Lock;

/// A lock that cannot be read or does not fit.
#[derive(Debug, thiserror::Error)]
#[error("lock")]
pub struct LockError;

/// Reads a lock; `file` names it in errors.
pub fn parse(text: &str, file: &str) -> Result<Lock, LockError> {
    todo!("{text} {file}")
}
