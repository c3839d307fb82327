use super::Lock;

/// The text of a lock, with a first line that says what it is.
pub fn to_text(lock: &Lock) -> String {
    let body = toml::to_string(lock).expect("a lock has text keys, and its tables come after its values");
    format!("# Every input of {}, and the layers that must come out. Made by `kimg lock {0}`.\n{body}", lock.image)
}
