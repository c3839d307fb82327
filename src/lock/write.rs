use super::Lock;

/// The text of a lock.
pub fn to_text(lock: &Lock) -> String {
    todo!("{lock:?}")
}
