//! Changes of a file of credentials, which keep all that kimg does not know in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::credentials::{InvalidAuthFile, stands_for};
use super::profile::stored_as;

/// The text of the file with the user and password for a registry, or a path below one, and without what stood there
/// under other names for it.
pub fn with_entry(text: &str, name: &str, user: &str, password: &str) -> Result<String, InvalidAuthFile> {
    let mut file = read(text)?;
    let auths = file.entry("auths").or_insert_with(|| Value::Object(Map::new()));
    if auths.is_null() {
        *auths = Value::Object(Map::new());
    }
    let auths = auths.as_object_mut().ok_or_else(|| InvalidAuthFile::new("`auths` in it is no object"))?;
    auths.retain(|key, _| key == name || !stands_for(key, name));
    auths.remove(name);
    auths.insert(stored_as(name).to_owned(), json!({ "auth": STANDARD.encode(format!("{user}:{password}")) }));
    Ok(written(file))
}

/// The text of the file without the credentials for a registry, and for all where none is named; `None` where there are
/// none. The second value says for which there were some.
pub fn without_entry(text: &str, name: Option<&str>) -> Result<Option<(String, Vec<String>)>, InvalidAuthFile> {
    let mut file = read(text)?;
    let Some(auths) = file.get_mut("auths").and_then(Value::as_object_mut) else { return Ok(None) };
    let gone: Vec<String> = auths.keys().filter(|key| name.is_none_or(|name| stands_for(key, name))).cloned().collect();
    if gone.is_empty() {
        return Ok(None);
    }
    auths.retain(|key, _| !gone.contains(key));
    Ok(Some((written(file), gone)))
}

fn read(text: &str) -> Result<Map<String, Value>, InvalidAuthFile> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| InvalidAuthFile::at(&error))
}

/// As `podman login` and `docker login` write it.
fn written(file: Map<String, Value>) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    // Neither a value of JSON nor a vector of bytes can fail.
    let _ = Value::Object(file).serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter));
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transport::registry::{AuthFile, Credentials, Repository};

    fn found(text: &str, name: &str) -> Option<String> {
        let repository = Repository::of(&name.parse().unwrap());
        match AuthFile::parse(text).unwrap().find(&repository).unwrap()? {
            Credentials::Password { user, password } => Some(format!("{user} {password}")),
            _ => None,
        }
    }

    #[test]
    fn what_is_not_known_stays() {
        let before = r#"{"HttpHeaders": {"X": "y"}, "auths": {"a.example": {"auth": "YTpi", "email": "x"}},
            "credHelpers": {"b.example": "pass"}, "proxies": null}"#;
        let with = with_entry(before, "c.example", "me", "pass:word").unwrap();
        assert_eq!(found(&with, "c.example/x").as_deref(), Some("me pass:word"));
        assert_eq!(found(&with, "a.example/x").as_deref(), Some("a b"));
        let (without, gone) = without_entry(&with, Some("c.example")).unwrap().unwrap();
        assert_eq!(gone, ["c.example"]);
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&without), value(before));
        assert_eq!(without_entry(&without, Some("c.example")), Ok(None));
        assert_eq!(found(&without_entry(&with, None).unwrap().unwrap().0, "a.example/x"), None);
    }

    #[test]
    fn other_names_of_a_registry_are_replaced() {
        let before = r#"{"auths": {"https://a.example": {"auth": "YTpi"}, "a.example/team": {"auth": "YTpi"}}}"#;
        let with = with_entry(before, "a.example", "u", "p").unwrap();
        assert!(!with.contains("https://a.example") && with.contains("a.example/team"), "{with}");
        let hub = with_entry("", "docker.io", "u", "p").unwrap();
        assert!(hub.contains(stored_as("docker.io")), "{hub}");
        assert_eq!(found(&hub, "alpine").as_deref(), Some("u p"));
        assert!(without_entry(&hub, Some("docker.io")).unwrap().is_some());
    }

    proptest! {
        #[test]
        fn nothing_but_the_entry_changes(
            names in prop::collection::btree_map("[a-z]{1,4}\\.example(:[0-9]{1,3})?(/[a-z]{1,3})?", "[a-zA-Z0-9]{0,8}", 0..5),
            other in prop::collection::btree_map("[a-zA-Z]{1,8}", any::<i32>(), 0..4),
            name in "[a-z]{1,4}\\.example(:[0-9]{1,3})?(/[a-z]{1,3})?",
            user in "[^:]{1,8}",
            password in ".{1,8}",
        ) {
            let mut file: Map<String, Value> = other.into_iter().map(|(key, value)| (format!("x{key}"), json!(value))).collect();
            let auths: Map<String, Value> = names.into_iter().map(|(key, auth)| (key, json!({ "auth": auth }))).collect();
            file.insert("auths".to_owned(), Value::Object(auths.clone()));
            let before = Value::Object(file).to_string();
            let with = with_entry(&before, &name, &user, &password).unwrap();
            let mut after: Value = serde_json::from_str(&with).unwrap();
            let own = after["auths"].as_object_mut().unwrap().remove(&name).unwrap();
            let decoded = STANDARD.decode(own["auth"].as_str().unwrap()).unwrap();
            prop_assert_eq!(decoded, format!("{user}:{password}").into_bytes());
            let mut expected: Value = serde_json::from_str(&before).unwrap();
            expected["auths"].as_object_mut().unwrap().remove(&name);
            prop_assert_eq!(&after, &expected);
            prop_assert_eq!(without_entry(&with, Some(&name)).unwrap().map(|(text, _)| serde_json::from_str(&text).unwrap()), Some(expected));
        }
    }

    #[test]
    fn what_is_no_file_of_credentials_is_left_alone() {
        for wrong in ["[]", "secret", r#"{"auths": 7}"#] {
            let error = with_entry(wrong, "a.example", "u", "p").unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(with_entry(r#"{"auths": null}"#, "a.example", "u", "p").is_ok());
    }
}
