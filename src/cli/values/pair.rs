use super::InvalidValue;

/// `KEY=VALUE` of `--label`, `--annotation`, `--env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Pair {
    pub(in crate::cli) key: String,
    pub(in crate::cli) value: String,
}

/// Parses it; the value may be empty and may hold `=`.
pub(in crate::cli) fn pair(text: &str) -> Result<Pair, InvalidValue> {
    match text.split_once('=') {
        None => Err(InvalidValue::new("it has no `=`", "write KEY=VALUE; KEY= gives an empty value")),
        Some(("", _)) => Err(InvalidValue::new("nothing stands before the `=`", "write KEY=VALUE")),
        Some((key, value)) => Ok(Pair { key: key.to_owned(), value: value.to_owned() }),
    }
}
