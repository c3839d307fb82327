use super::InvalidValue;

/// Parses `NAME[:VERSION]`. Whether there is such an image is the catalog's business.
pub(in crate::cli) fn image(text: &str) -> Result<String, InvalidValue> {
    let invalid = |why: &str| Err(InvalidValue::new(why, "write NAME or NAME:VERSION; `kimg images` lists all"));
    match text.split_once(':') {
        None if text.is_empty() => invalid("it is empty"),
        Some(("", _)) => invalid("the name before the `:` is missing"),
        Some((_, "")) => invalid("the version after the `:` is missing"),
        _ => Ok(text.to_owned()),
    }
}
