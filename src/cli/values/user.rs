use super::InvalidValue;

/// `UID[:GID]` of `--user`. Names depend on the image's accounts, and Kubernetes' `runAsNonRoot` refuses them.
pub(in crate::cli) fn user(text: &str) -> Result<String, InvalidValue> {
    let mut parts = text.splitn(2, ':');
    let is_number = |part: &str| part.parse::<u32>().is_ok() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.by_ref().all(is_number) {
        true => Ok(text.to_owned()),
        false => Err(InvalidValue::new("it is no user by number", "write UID or UID:GID, such as 1001:0")),
    }
}

#[cfg(test)]
mod tests {
    use super::user;

    #[test]
    fn numbers_only() {
        for text in ["0", "1000:0", "4294967295:1"] {
            assert_eq!(user(text).as_deref(), Ok(text));
        }
        for text in ["", "root", "1000:", ":0", "1:2:3", "-1", "+1", "4294967296"] {
            assert!(user(text).is_err(), "{text}");
        }
    }
}
