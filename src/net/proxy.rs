//! The proxies of the environment, chosen as curl does.

use reqwest::{NoProxy, Proxy, Url};

use super::error::NetError;

/// Reads one variable's proxy for reqwest.
type Rule = fn(&str) -> reqwest::Result<Proxy>;

/// Whether a proxy is to be used for anything.
pub(super) fn has_proxies(variables: &[(String, String)]) -> bool {
    variables.iter().any(|(name, value)| !name.eq_ignore_ascii_case("no_proxy") && !value.is_empty())
}

/// The proxies to use, the most special first.
pub(super) fn proxies(variables: &[(String, String)]) -> Result<Vec<Proxy>, NetError> {
    let except = variable(variables, "no_proxy").and_then(|(_, list)| NoProxy::from_string(list));
    let rules: [(&str, Rule); 3] = [
        ("http_proxy", |url| Proxy::http(url)),
        ("https_proxy", |url| Proxy::https(url)),
        ("all_proxy", |url| Proxy::all(url)),
    ];
    let mut proxies = Vec::new();
    for (name, rule) in rules {
        let Some((name, value)) = variable(variables, name) else { continue };
        let refused = |why: &str| NetError::Proxy { variable: name.to_owned(), why: why.to_owned() };
        let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let parsed = Url::parse(&url).map_err(|error| refused(&error.to_string()))?;
        match parsed.scheme() {
            "http" | "https" => {}
            "socks4" | "socks4a" | "socks5" | "socks5h" => return Err(refused("SOCKS proxies are not supported")),
            _ => return Err(refused("its URL begins with neither http:// nor https://")),
        }
        // The errors of reqwest may repeat the URL, and with it a password.
        let proxy = rule(&url).map_err(|_| refused("it is no URL of a proxy"))?;
        proxies.push(proxy.no_proxy(except.clone()));
    }
    Ok(proxies)
}

/// The variable of that name, in lower case first, unless it is empty.
fn variable<'a>(variables: &'a [(String, String)], name: &str) -> Option<(&'a str, &'a str)> {
    let exact = variables.iter().find(|(own, _)| own == name);
    let (name, value) = exact.or_else(|| variables.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)))?;
    let value = value.trim();
    (!value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_lower_case_name_wins_and_empty_is_none() {
        let both = pairs(&[("HTTPS_PROXY", "a.example"), ("https_proxy", "b.example")]);
        assert_eq!(variable(&both, "https_proxy"), Some(("https_proxy", "b.example")));
        assert_eq!(variable(&both[..1], "https_proxy"), Some(("HTTPS_PROXY", "a.example")));
        let off = pairs(&[("HTTPS_PROXY", "a.example"), ("https_proxy", " ")]);
        assert_eq!(variable(&off, "https_proxy"), None);
        assert_eq!(proxies(&off).unwrap().len(), 0);
    }

    #[test]
    fn proxies_are_read_with_and_without_a_scheme() {
        let all = pairs(&[
            ("http_proxy", "proxy.example:3128"),
            ("HTTPS_PROXY", "http://user:secret@proxy.example:3128/"),
            ("all_proxy", "10.0.0.1"),
            ("no_proxy", "localhost,.example"),
        ]);
        assert_eq!(proxies(&all).unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_value() {
        for value in ["socks5://u:secret@h:1", "ftp://u:secret@h", "http://u:secret@h:port", "http://"] {
            let error = proxies(&pairs(&[("ALL_PROXY", value)])).unwrap_err().to_string();
            assert!(error.contains("ALL_PROXY") && !error.contains("secret"), "{error}");
        }
    }
}
