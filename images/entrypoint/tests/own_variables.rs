//! Variables of kimg's own that there are not.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{configured, container, root};

/// What is warned of: name, reason, hint.
fn warned(name: &str, variables: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let warnings = configured(&container(&root(name), variables, &[])).findings.warnings;
    let own = warnings.into_iter().filter(|warning| warning.subject.starts_with("KIMG_"));
    own.map(|warning| (warning.subject, warning.why, warning.hint)).collect()
}

#[test]
fn one_that_there_is_not_is_warned_of_in_every_dialect() {
    let none = "there is no such variable";
    for dialect in ["kimg", "apache", "bitnami", "confluent", "wurstmeister"] {
        for (variable, warning) in [
            ("KIMG_WAIT_SECOND", Some((none, "did you mean KIMG_WAIT_SECONDS?"))),
            ("KIMG_DAILECT", Some((none, "did you mean KIMG_DIALECT?"))),
            ("KIMG_METRICS", Some((none, "leave it out"))),
            ("KIMG_NODEPORT_BASES", Some((none, "did you mean KIMG_NODEPORT_BASE?"))),
            ("KIMG_", Some((none, "leave it out"))),
            ("KIMG_WAIT_SECONDS", None),
            ("KIMG_HOME", None),
            ("KIMG_MIRROR_MAVEN", None),
            ("KIMGS", None),
            ("kimg_wait_second", None),
        ] {
            let variables = [("KIMG_DIALECT", dialect), ("KAFKA_ZOOKEEPER_CONNECT", "zk:2181"), (variable, "7")];
            let expected: Vec<_> =
                warning.into_iter().map(|(why, hint)| (variable.to_owned(), why.to_owned(), hint.to_owned())).collect();
            assert_eq!(warned("own-variables", &variables), expected, "{dialect} {variable}");
        }
    }
}

#[test]
fn one_for_a_listener_needs_that_listener() {
    let common = [
        ("KIMG_ADVERTISE", "nodeport"),
        ("NODE_IP", "10.0.0.1"),
        ("KIMG_NODEPORT_BASE", "31090"),
        ("POD_NAME", "kafka-0"),
        ("POD_NAMESPACE", "test"),
        ("KIMG_SERVICE", "kafka-hs"),
    ];
    let with = |name: &'static str| warned("own-variables-listener", &[&common[..], &[(name, "31090")]].concat());
    assert_eq!(with("KIMG_NODEPORT_BASE_EXTERNAL"), []);
    let [(subject, why, hint)] = &with("KIMG_NODEPORT_BASE_EXTRENAL")[..] else { panic!() };
    assert_eq!((subject.as_str(), why.as_str()), ("KIMG_NODEPORT_BASE_EXTRENAL", "no listener is called EXTRENAL"));
    assert!(hint.contains("KIMG_ADVERTISE"), "{hint}");
}

#[allow(clippy::disallowed_methods, reason = "the order does not matter")]
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Every variable that the sources name is one, and is in the docs.
#[test]
fn those_that_the_sources_name_are_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs: String =
        sources(&folder.join("../../docs")).iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let mut count = 0;
    for file in sources(&folder.join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        for part in text.split("\"KIMG_").skip(1) {
            let name = format!("KIMG_{}", part.split('"').next().unwrap());
            let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && name.len() > 5;
            if !is_name || name.ends_with('_') {
                continue;
            }
            count += 1;
            assert!(docs.contains(&name), "{name} of {} is not in the docs", file.display());
            assert_eq!(warned("own-variables-sources", &[(&name, "")]), [], "{}", file.display());
        }
    }
    assert!(count > 40, "{count}");
}
