//! `kimg ls`: of layouts, the store and a repository.

#[path = "support/command.rs"]
mod command;
#[path = "support/layout.rs"]
mod layout;

use command::Kimg;
use kimg::oci::media_type;
use layout::{layout, put};

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
