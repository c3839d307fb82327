//! Accounts: the master file of base-passwd, and the image's own.

/// The lines of a master file and then those of the image. An error says which line is no account or comes twice.
pub(in crate::build) fn accounts(master: &[u8], add: &[String]) -> Result<Vec<u8>, String> {
    let master = std::str::from_utf8(master).map_err(|_| "the master file is not UTF-8".to_owned())?;
    let lines: Vec<&str> = master.lines().chain(add.iter().map(String::as_str)).collect();
    for (index, line) in lines.iter().enumerate() {
        let name = line.split(':').next().unwrap_or_default();
        if name.is_empty() || line.matches(':').count() < 3 {
            return Err(format!("`{}` is no account", line.escape_debug()));
        }
        if lines[..index].iter().any(|other| other.split(':').next() == Some(name)) {
            return Err(format!("the account `{}` comes twice", name.escape_debug()));
        }
    }
    Ok(lines.into_iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::accounts;

    #[test]
    fn master_then_own() {
        let add = ["app:x:1000:".to_owned()];
        assert_eq!(accounts(b"root:*:0:\n", &add).unwrap(), b"root:*:0:\napp:x:1000:\n");
        assert_eq!(accounts(b"app:*:0:\n", &add).unwrap_err(), "the account `app` comes twice");
        assert!(accounts(b"nonsense\n", &add).is_err());
    }
}
