//! `kimg ls`: of layouts, the store and a repository.

#[path = "support/command.rs"]
mod command;
#[path = "support/layout.rs"]
mod layout;
#[path = "support/server.rs"]
mod server;

use command::Kimg;
use kimg::oci::media_type;
use layout::{layout, put};
use server::{Fault, Server};

fn all(kimg: &Kimg, lines: &[&[&str]]) -> String {
    lines.iter().map(|arguments| kimg.run(arguments)).collect::<Vec<_>>().join("\n")
}

#[test]
fn names_one_a_line() {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    let layout = layout(&kimg.home().join("in"));
    let other = put(&layout, media_type::MANIFEST, b"{}");
    layout.name(&[], &other).unwrap();
    layout.name(&["a\u{1b}[31m".to_owned()], &other).unwrap();
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["ls", "oci:in"],
            &["ls", "oci:in", "--json"],
            &["ls", "store"],
            &["copy", "oci:in:one:1", "store:one:1", "-q"],
            &["ls", "store:"],
        ]
    ));
}

#[test]
fn what_has_no_list() {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    insta::assert_snapshot!(all(
        &kimg,
        &[
            &["ls"],
            &["ls", "oci:absent"],
            &["ls", "oci:in:app:1"],
            &["ls", "registry.example/kafka:3.5.2"],
            &["ls", "docker:/registry.example/kafka"],
            &["ls", "registry.example/Kafka"],
            &["ls", "docker-daemon:kafka"],
            &["ls", "docker-archive:x.tar"],
        ]
    ));
}

#[test]
fn tags_of_a_repository() {
    let (kimg, server) = (Kimg::new().with("KIMG_HOME", "store"), Server::start());
    let list = |repository: &str, answer: &str| {
        for query in ["", "?n=1000"] {
            server.put(&format!("/v2/{repository}/tags/list{query}"), answer);
        }
    };
    list("team/app", r#"{"name": "team/app", "tags": ["2.0", "1.0", "latest"]}"#);
    list("empty", r#"{"name": "empty", "tags": null}"#);
    list("page", "<html>\u{1b}[31mlog in</html>");
    for query in ["", "?n=1000"] {
        server.always(&format!("/v2/mine/tags/list{query}"), Fault::Status(401, None));
    }
    let ls = |repository: &str, json: &[&str]| {
        let place = format!("{}/{repository}", server.address());
        let output = kimg.output(&[&["ls", &place], json].concat());
        let text =
            |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(&server.address().to_string(), "HOST");
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
    };
    assert_eq!(ls("team/app", &[]), ("1.0\n2.0\nlatest\n".to_owned(), String::new(), 0));
    let (json, ..) = ls("team/app", &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["images"], serde_json::json!([{"name": "1.0"}, {"name": "2.0"}, {"name": "latest"}]));
    assert_eq!(json["place"], "docker://HOST/team/app");
    assert_eq!(ls("empty", &[]), (String::new(), String::new(), 0));
    for (repository, code, words) in [("absent", 5, "absent"), ("mine", 4, "log"), ("page", 4, "list of tags")] {
        let (stdout, stderr, found) = ls(repository, &[]);
        assert_eq!((stdout.as_str(), found), ("", code), "{stderr}");
        assert!(stderr.starts_with("error: docker://HOST") && stderr.contains(words), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "{stderr}");
    }
}
