//! Properties as java.util.Properties reads and writes them.

#[path = "support/java.rs"]
mod support;

use kimg_entrypoint::properties::{Properties, is_secret};
use support::Numbers;

fn pairs(properties: &Properties) -> Vec<(String, String)> {
    properties.iter().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn any_properties_are_read_back() {
    let letters: Vec<char> = "ab \\=:#!\n\r\t\u{c}\u{0}\u{7f}é€😀$@\"'u0;".chars().collect();
    let mut numbers = Numbers::new(9);
    for _ in 0..3000 {
        let mut written = Properties::default();
        for _ in 0..numbers.below(4) {
            written.set(numbers.text(&letters), numbers.text(&letters), "test");
        }
        let text = written.to_text();
        assert_eq!(pairs(&Properties::parse(&text, "test")), pairs(&written), "{text}");
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn files_are_read_as_java_reads_them() {
    for (text, expected) in [
        ("a=b", &[("a", "b")][..]),
        ("  a : b  \r\n\tc\td=e\n", &[("a", "b  "), ("c", "d=e")]),
        ("# x\n ! y\n\n\u{c}\na", &[("a", "")]),
        ("a=1\na=2", &[("a", "2")]),
        ("a=b,\\\n   c,\\\r\n\t d\ne=f", &[("a", "b,c,d"), ("e", "f")]),
        ("a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]),
        ("a=b\\\n# no comment\nc=d", &[("a", "b# no comment"), ("c", "d")]),
        ("a\\=b\\ c\\:=d", &[("a=b c:", "d")]),
        ("a=\\u00e9\\uD83D\\uDE00\\t\\q\\", &[("a", "é😀\tq")]),
        ("a=b\\\n\nc=d", &[("a", "b"), ("c", "d")]),
        ("=b", &[("", "b")]),
        ("a==b", &[("a", "=b")]),
    ] {
        let expected: Vec<(String, String)> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(pairs(&Properties::parse(text, "test")), expected, "{text:?}");
    }
}

#[test]
fn nothing_that_is_read_panics() {
    let letters: Vec<char> = "a=: \\\n\ru00dD8é😀\u{c}".chars().collect();
    let mut numbers = Numbers::new(77);
    for _ in 0..3000 {
        let text: String = (0..4).map(|_| numbers.text(&letters)).collect();
        let read = Properties::parse(&text, "test");
        assert_eq!(pairs(&Properties::parse(&read.to_text(), "test")), pairs(&read), "{text:?}");
    }
}

#[test]
fn secrets_by_their_names() {
    for name in [
        "ssl.key.password",
        "KAFKA_SSL_KEYSTORE_KEY",
        "ssl.keystore.key",
        "listener.name.internal.plain.sasl.jaas.config",
        "KAFKA_CFG_SASL_JAAS_CONFIG",
        "KAFKA_CLIENT_PASSWORDS",
        "KAFKA_SSL_KEYSTORE_CREDENTIALS",
        "delegation.token.secret.key",
        "delegation.token.master.key",
        "password.encoder.secret",
    ] {
        assert!(is_secret(name), "{name}");
    }
    for name in [
        "num.partitions",
        "KAFKA_OPTS",
        "password.encoder.iterations",
        "delegation.token.max.lifetime.ms",
        "sasl.oauthbearer.token.endpoint.url",
        "ssl.keystore.location",
        "key.converter",
        "java.security.auth.login.config",
    ] {
        assert!(!is_secret(name), "{name}");
    }
}
