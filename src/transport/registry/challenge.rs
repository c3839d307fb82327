//! `WWW-Authenticate`: how a registry wants to be told who asks (RFC 9110, 11.6.1).

use std::collections::BTreeMap;

/// One way to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `bearer`, `basic`, in lower case.
    pub scheme: String,
    /// Its parameters, with names in lower case: `realm`, `service`, `scope`.
    pub parameters: BTreeMap<String, String>,
}

/// The challenges of a header. Some registries leave quotes out, put blanks around `=`, or commas behind the last
/// parameter; all of that is read, and what is neither is left out.
pub fn challenges(header: &str) -> Vec<Challenge> {
    let mut all: Vec<Challenge> = Vec::new();
    let mut rest = header;
    while let Some((word, after)) = word(rest) {
        let equals = after.trim_start();
        match (equals.strip_prefix('='), all.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, next) = value_of(value.trim_start());
                challenge.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                rest = next;
            }
            _ => {
                all.push(Challenge { scheme: word.to_ascii_lowercase(), ..Challenge::default() });
                rest = after;
            }
        }
    }
    all
}

/// The next word, and what is behind it; what can be in no word is skipped.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
    let start = text.find(is_letter)?;
    let text = &text[start..];
    let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
    Some((&text[..end], &text[end..]))
}

/// A value, quoted or not, and what is behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(header: &str) -> String {
        let each = |challenge: Challenge| format!("{}{:?}", challenge.scheme, challenge.parameters);
        challenges(header).into_iter().map(each).collect::<Vec<_>>().join(";")
    }

    #[test]
    fn as_registries_write_them() {
        let hub =
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let expected = r#"bearer{"realm": "https://auth.example/token", "scope": "repository:a/b:pull,push", "service": "registry.example"}"#;
        assert_eq!(shown(hub), expected);
        assert_eq!(shown("BASIC realm=registry"), r#"basic{"realm": "registry"}"#);
        assert_eq!(shown(r#"Bearer Realm = "a\"b" , service=x,"#), r#"bearer{"realm": "a\"b", "service": "x"}"#);
        assert_eq!(shown(r#"Negotiate, Basic realm="x""#), r#"negotiate{};basic{"realm": "x"}"#);
        assert_eq!(shown(r#"Bearer realm="unended"#), r#"bearer{"realm": "unended"}"#);
        assert_eq!((shown(""), shown(", ,=")), (String::new(), String::new()));
    }

    /// The realm, service and scope of the first Bearer challenge.
    fn bearer(header: &str) -> String {
        let all = challenges(header);
        let own = all.iter().find(|own| own.scheme == "bearer").unwrap();
        let part = |name: &str| own.parameters.get(name).cloned().unwrap_or_default();
        format!("{} {} {}", part("realm"), part("service"), part("scope"))
    }

    #[test]
    fn as_products_write_them() {
        // Harbor, whose service has a hyphen and whose scope has several actions.
        let harbor = r#"Bearer realm="https://harbor.example/service/token",service="harbor-registry",scope="repository:library/a:pull,push""#;
        assert_eq!(
            bearer(harbor),
            "https://harbor.example/service/token harbor-registry repository:library/a:pull,push"
        );
        // GitLab, with an error behind.
        let gitlab = r#"Bearer realm="https://gitlab.example/jwt/auth",service="container_registry",scope="repository:g/p:pull",error="invalid_token""#;
        assert_eq!(bearer(gitlab), "https://gitlab.example/jwt/auth container_registry repository:g/p:pull");
        // Azure, whose older form repeats Basic.
        let azure = r#"Bearer realm="https://own.azurecr.example/oauth2/token",service="own.azurecr.example", Basic realm="own""#;
        assert_eq!(bearer(azure), "https://own.azurecr.example/oauth2/token own.azurecr.example ");
        // Quay, whose service has a port; and a query in the realm.
        let quay = r#"Bearer realm="https://quay.example/v2/auth?a=b&c=d",service="quay.example:443""#;
        assert_eq!(bearer(quay), "https://quay.example/v2/auth?a=b&c=d quay.example:443 ");
        // Artifactory, with blanks; several scopes in one parameter.
        let artifactory = r#"Bearer realm="https://art.example/artifactory/api/docker/own/v2/token" , service="art.example" , scope="repository:a:pull repository:b:pull""#;
        assert_eq!(
            bearer(artifactory),
            "https://art.example/artifactory/api/docker/own/v2/token art.example repository:a:pull repository:b:pull"
        );
        // Amazon and Nexus want Basic, with words and signs in the realm.
        let amazon = r#"Basic realm="https://0123.dkr.ecr.example/",service="ecr.example""#;
        assert_eq!(shown(amazon), r#"basic{"realm": "https://0123.dkr.ecr.example/", "service": "ecr.example"}"#);
        assert_eq!(
            shown(r#"BASIC realm="Sonatype Nexus Repository Manager""#),
            r#"basic{"realm": "Sonatype Nexus Repository Manager"}"#
        );
        // A value without quotes that has signs of URLs in it.
        assert_eq!(bearer("Bearer realm=https://plain.example/t?x=y,service=s"), "https://plain.example/t?x=y s ");
    }

    proptest! {
        #[test]
        fn any_text_comes_to_an_end(text in ".{0,80}") {
            let _ = challenges(&text);
        }
    }
}
