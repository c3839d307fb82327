use super::Lock;

/// The text of a lock, with a first line that says what it is.
pub fn to_text(lock: &Lock) -> String {
    let body = toml::to_string(lock).expect("a lock has text keys, and its tables come after its values");
    if lock.below.is_some() {
        let image = &lock.image;
        return format!(
            "# What the definition of {image} adds to the image below. Made by `kimg lock -f FILE`.\n{body}"
        );
    }
    format!("# Every input of {}, and the layers that must come out. Made by `kimg lock {0}`.\n{body}", lock.image)
}
