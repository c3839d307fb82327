/// A value that a flag does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(in crate::cli) struct InvalidValue {
    /// What is wrong.
    pub(in crate::cli) why: String,
    /// What to do.
    pub(in crate::cli) hint: Option<String>,
}

impl InvalidValue {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> InvalidValue {
        InvalidValue { why: why.into(), hint: Some(hint.into()) }
    }
}

/// The text without the user and password of URLs in it: `https://…@mirror.example/`.
pub(in crate::cli) fn redact(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#', ' ']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{before}://…@{host}{}", redact(after)),
        None => format!("{before}://{authority}{}", redact(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(redact("maven=ftp://me:p@ss@mirror.example/a"), "maven=ftp://…@mirror.example/a");
        assert_eq!(redact("http://a.example http://b:c@d.example"), "http://a.example http://…@d.example");
        assert_eq!(redact("no url"), "no url");
    }
}
