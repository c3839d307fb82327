use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use super::InvalidValue;
use crate::build::Addition;
use crate::definition::parse_mode;

const FORM: &str = "write SRC:DST[:MODE], such as ./my.properties:/etc/my.properties:0640";

/// The parser of `--add`, whose SRC need not be UTF-8.
pub(in crate::cli) fn addition_parser() -> impl TypedValueParser<Value = Addition> {
    OsStringValueParser::new().try_map(addition)
}

/// Parses `SRC:DST[:MODE]`. SRC is a path of this machine and may hold `:` itself; DST is absolute.
fn addition(text: OsString) -> Result<Addition, InvalidValue> {
    let invalid = |why: &str| InvalidValue::new(why, FORM);
    let (rest, mode) = match rsplit(text.as_bytes()) {
        Some((rest, last)) if !last.starts_with(b"/") && rsplit(rest).is_some_and(|(_, to)| to.starts_with(b"/")) => {
            let mode = std::str::from_utf8(last).ok().and_then(parse_mode);
            (rest, Some(mode.ok_or_else(|| invalid("the last part is not octal permissions"))?))
        }
        _ => (text.as_bytes(), None),
    };
    let (from, to) = rsplit(rest).ok_or_else(|| invalid("it has no `:`"))?;
    let to = std::str::from_utf8(to).map_err(|_| invalid("the path in the image is not UTF-8"))?;
    if from.is_empty() {
        return Err(invalid("nothing stands before the `:`"));
    }
    if !to.starts_with('/') {
        return Err(invalid("the path in the image does not begin with `/`"));
    }
    if to.split('/').any(|part| part == "..") {
        return Err(invalid("the path in the image holds `..`"));
    }
    if mode.is_some_and(|mode| mode & 0o6000 != 0) {
        return Err(InvalidValue::new("kimg makes no setuid or setgid files", "leave out the first digit of the mode"));
    }
    Ok(Addition { from: PathBuf::from(OsStr::from_bytes(from)), to: to.to_owned(), mode })
}

fn rsplit(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|byte| *byte == b':')?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_target_and_mode() {
        let parse = |text: &str| addition(text.into());
        let expected = |from: &str, mode| Addition { from: from.into(), to: "/etc/a".to_owned(), mode };
        assert_eq!(parse("a:/etc/a"), Ok(expected("a", None)));
        assert_eq!(parse("a:/etc/a:0640"), Ok(expected("a", Some(0o640))));
        assert_eq!(parse("a:b:/etc/a:755"), Ok(expected("a:b", Some(0o755))));
        for wrong in ["", "a", ":/b", "a:b", "a:/b:rw", "a:/b:", "a:/b:9999", "a:/../b", "a:/b:4755"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
