use super::InvalidValue;
use crate::cli::settings::UPSTREAMS;
use crate::definition::nearest;
use crate::lock::Upstream;

/// A mirror of the flags.
pub(in crate::cli) type Mirror = (Upstream, String);

/// Parses `KIND=URL`.
pub(in crate::cli) fn mirror(text: &str) -> Result<Mirror, InvalidValue> {
    let kinds = UPSTREAMS.map(Upstream::name);
    let hint = || format!("write KIND=URL; kinds are {}", kinds.join(", "));
    let (kind, url) = text.split_once('=').ok_or_else(|| InvalidValue::new("it has no `=`", hint()))?;
    let Some(upstream) = UPSTREAMS.into_iter().find(|upstream| upstream.name() == kind) else {
        let near = nearest(kind, kinds);
        let hint = near.first().map_or_else(hint, |near| format!("did you mean `{near}`?"));
        return Err(InvalidValue::new("there is no such kind of upstream", hint));
    };
    check_url(url)?;
    Ok((upstream, url.to_owned()))
}

/// Whether kimg can fetch from there. The message does not repeat the URL, which may hold a password.
pub(in crate::cli) fn check_url(url: &str) -> Result<(), InvalidValue> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let harmless = !url.chars().any(|character| character.is_control() || character.is_whitespace());
    match host {
        Some(host) if harmless && !host.rsplit('@').next().unwrap_or_default().is_empty() => Ok(()),
        _ => Err(InvalidValue::new(
            "a mirror is an http:// or https:// URL",
            "write it with its scheme, such as https://mirror.example/debian",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_urls() {
        let expected = (Upstream::DebianSecurity, "https://mirror.example/s".to_owned());
        assert_eq!(mirror("debian-security=https://mirror.example/s"), Ok(expected));
        assert_eq!(mirror("mavne=https://a.example").unwrap_err().hint.as_deref(), Some("did you mean `maven`?"));
        for wrong in ["", "maven", "maven=", "maven=a.example", "maven=ftp://a.example", "maven=http:///x", "=http://a"]
        {
            assert!(mirror(wrong).is_err(), "{wrong}");
        }
    }
}
