//! `kimg images`, with definitions of a folder.

#[path = "support/command.rs"]
mod command;

use command::Kimg;

const BASE: &str = r#"
name = "base"
title = "Base"
description = "What others stand on"
licenses = "MIT"
default = "1"
versions = { 1 = { support = "yes" } }
[[layer]]
name = "base"
history = "all of it"
into = "opt/base"
"#;

const DEMO: &str = r#"
name = "demo"
title = "Demo"
description = "Something to show"
licenses = "MIT"
base = "base:1"
default = "2.0"
versions = { "1.0" = { support = "ended\u001b[31m" }, "2.0" = { support = "supported" }, "3.0" = { support = "no lock" } }
[[layer]]
name = "demo"
history = "all of it"
into = "opt/demo"
"#;

fn kimg() -> Kimg {
    let kimg = Kimg::new();
    kimg.write("images/base/image.toml", BASE);
    kimg.write("images/base/1.lock.toml", "");
    kimg.write("images/demo/image.toml", DEMO);
    kimg.write("images/demo/1.0.lock.toml", "");
    kimg.write("images/demo/2.0.lock.toml", "");
    kimg.write("images/program/Cargo.toml", "");
    kimg.write("images/program/image.toml", "is no definition");
    kimg
}

#[test]
fn what_has_a_lock_is_listed_and_bases_are_not() {
    insta::assert_snapshot!(kimg().run(&["images", "--images", "images"]));
}

#[test]
fn the_same_as_json() {
    insta::assert_snapshot!(kimg().run(&["images", "--images", "images", "--json"]));
}

#[test]
fn folders_without_definitions_and_broken_definitions_are_named() {
    let kimg = kimg();
    kimg.write("empty/demo/readme", "");
    kimg.write("broken/demo/image.toml", &DEMO.replace("history", "histroy"));
    insta::assert_snapshot!(
        [
            kimg.run(&["images", "--images", "absent"]),
            kimg.run(&["images", "--images", "empty"]),
            kimg.run(&["images", "--images", "broken"]),
        ]
        .join("\n")
    );
}
