//! What is wrong in a definition of a user's: told with file, line and what to do, before anything is fetched.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/own.rs"]
mod own;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::os::unix::fs::symlink;

use catalog::{Material, World};
use kimg::definition::{Catalog, user};
use own::build;
use proptest::prelude::*;

/// A definition that is right.
const RIGHT: &str = r#"name = "mine"
from = "app:1.0"

[[layer]]
name = "jar"
maven = ["io.example:exporter:1.2"]
into = "opt/jar"

[[layer]]
name = "plugin"
[[layer.archive]]
url = "https://downloads.example/plugin.tgz"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
strip = 1
into = "opt/plugin"

[[layer]]
name = "company"
files = [{ from = "motd", to = "etc/motd", mode = "0644" }]
ca = ["ca.pem"]
"#;

/// What is said of definitions that differ from the right one in this.
fn said(world: &World, changes: &[(&str, &str)]) -> String {
    let mut all = Vec::new();
    for (right, wrong) in changes {
        let text = RIGHT.replacen(right, wrong, 1);
        assert_ne!(text, RIGHT, "{right}");
        world.kimg.write("image.toml", &text);
        let said = world.kimg.run(&build("image.toml", &["-q"]));
        all.push(format!("{right} => {wrong}\n{}", said.split_once('\n').unwrap().1));
    }
    all.join("\n")
}

#[test]
fn keys_and_values() {
    let world = Material::new().serve();
    world.kimg.write("motd", "");
    world.kimg.write("ca.pem", "");
    insta::assert_snapshot!(
        "top",
        said(
            &world,
            &[
                ("from = \"app:1.0\"\n", ""),
                ("name = \"mine\"\n", ""),
                ("app:1.0", "ap:1.0"),
                ("app:1.0", "nothing-like-it:1"),
                ("app:1.0", "app:1.1"),
                ("app:1.0", "app"),
                ("\"mine\"", "\"app\""),
                ("\"mine\"", "\"My App\""),
                ("from", "fron"),
                ("from =", "base ="),
                ("name = \"mine\"", "name = \"mine\"\nversion = \"1/2\""),
                ("name = \"mine\"", "name = \"mine\"\nplatforms = [\"linux/arm64\"]"),
                ("name = \"mine\"", "name = \"mine"),
            ]
        )
    );
    insta::assert_snapshot!(
        "layers",
        said(
            &world,
            &[
                ("name = \"plugin\"", "name = \"jar\""),
                ("name = \"plugin\"", "name = \"Plug In\""),
                ("maven = [\"io.example:exporter:1.2\"]\ninto = \"opt/jar\"\n", ""),
                ("into = \"opt/jar\"\n", ""),
                ("maven = [\"io.example:exporter:1.2\"]\n", "packages = [\"kcat\"]\n"),
                ("into = \"opt/jar\"", "into = \"/opt/jar\""),
                ("into = \"opt/jar\"", "into = \"opt/../jar\""),
                ("into = \"opt/jar\"", "into = \"opt/jar\"\nca = [\"ca.pem\"]"),
                ("into = \"opt/jar\"", "into = \"opt/jar\"\nentrypoint = \"usr/bin/x\""),
                ("into = \"opt/jar\"", "into = \"opt/jar\"\ngenerate = []"),
                ("maven", "mavne"),
                ("exporter:1.2", "1.2"),
                ("exporter:1.2", "exporter:1.2-SNAPSHOT"),
                ("1.2\"]", "1.2\", \"io.example:exporter:1.2\"]"),
                ("maven = [", "packages = [\"Kcat\"]\nmaven = ["),
                ("maven = [", "packages = [\"kcat=1.7\"]\nmaven = ["),
                ("maven = [", "packages = [\"kcat\", \"kcat\"]\nmaven = ["),
                ("maven = [", "packages = [\"kcat\"]\nmaven = ["),
            ]
        )
    );
    insta::assert_snapshot!(
        "archives",
        said(
            &world,
            &[
                ("https://downloads.example", "https://me:secret@downloads.example"),
                ("plugin.tgz", "plugin.tgz?token=secret"),
                ("https://downloads.example", "ftp://downloads.example"),
                ("plugin.tgz", "../plugin.tgz"),
                ("plugin.tgz", "plugin.rar"),
                ("plugin.tgz", "plugin.tar.zst"),
                ("sha256 = \"0", "sha256 = \"F"),
                ("sha256 = \"0", "sha256 = \""),
                ("sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n", ""),
                ("strip = 1", "strip = -1"),
                ("strip = 1\ninto = \"opt/plugin\"\n", ""),
                ("strip", "stirp"),
            ]
        )
    );
    insta::assert_snapshot!(
        "files",
        said(
            &world,
            &[
                ("from = \"motd\"", "from = \"/etc/motd\""),
                ("from = \"motd\"", "from = \"a/../../motd\""),
                ("from = \"motd\"", "from = \".\""),
                ("to = \"etc/motd\"", "to = \"/etc/motd\""),
                ("mode = \"0644\"", "mode = \"4755\""),
                ("mode = \"0644\"", "mode = \"rw\""),
                ("mode = \"0644\"", "owner = \"me\""),
                ("ca.pem", "../ca.pem"),
            ]
        )
    );
}

#[test]
fn files_that_are_not_there_or_lie_elsewhere() {
    let world = Material::new().lock();
    let own = |name: &str, text: &str| world.kimg.write(&format!("own/{name}"), text);
    let company = RIGHT.split("[[layer]]\nname = \"company\"").nth(1).unwrap();
    own("image.toml", &format!("name = \"mine\"\nfrom = \"app:1.0\"\n[[layer]]\nname = \"company\"{company}"));
    let run = || world.kimg.run(&build("own/image.toml", &["-q"]));
    let mut said = vec![run()];
    assert!(!world.kimg.home().join("own/image.lock.toml").exists());
    own("motd", "hello");
    said.push(run());
    own("ca.pem", "no PEM");
    said.push(run());
    world.kimg.write("outside.pem", catalog::COMPANY);
    fs::remove_file(world.kimg.home().join("own/ca.pem")).unwrap();
    symlink("../outside.pem", world.kimg.home().join("own/ca.pem")).unwrap();
    said.push(run());
    // A link to a file of the same folder is as good as the file.
    own("real.pem", catalog::COMPANY);
    fs::remove_file(world.kimg.home().join("own/ca.pem")).unwrap();
    symlink("real.pem", world.kimg.home().join("own/ca.pem")).unwrap();
    assert!(run().ends_with("exit code: 0\n"), "{}", run());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn files_that_are_no_definitions() {
    let world = Material::new().serve();
    world.kimg.write("image.toml", RIGHT);
    world.kimg.write("motd", "");
    world.kimg.write("ca.pem", "");
    world.kimg.write("image.yaml", RIGHT);
    world.kimg.write("image.lock.toml", "");
    fs::create_dir(world.kimg.home().join("folder.toml")).unwrap();
    let said = [
        &build("absent.toml", &[])[..],
        &build("folder.toml", &[]),
        &build("image.yaml", &[]),
        &build("image.lock.toml", &[]),
        &build("image.toml", &["app"]),
        &build("image.toml", &[]),
        &["build"],
        &["fetch", "-f", "image.toml"],
    ]
    .map(|arguments| world.kimg.run(arguments));
    insta::assert_snapshot!(said.join("\n"));
}

proptest! {
    /// Whatever stands in a definition, it is read or refused, and what is read has its name in the catalog.
    #[test]
    fn any_text_is_read_or_refused(at in 0..RIGHT.len(), cut in 0usize..30, text in "([a-z0-9\"\\[\\]{}=. \n:/-]|\\PC){0,12}") {
        let end = (at + cut).min(RIGHT.len());
        let right = RIGHT.replace("app:1.0", "kafka:3.5.2");
        let changed = format!("{}{text}{}", &right[..at], &right[end..]);
        if let Ok(document) = user::parse(&changed, "image.toml") {
            let lock = ("image.lock.toml".to_owned(), None);
            if let Ok(catalog) = Catalog::builtin().with_user(document, "folder".into(), lock) {
                let user = catalog.user().unwrap();
                prop_assert!(catalog.family(&user.definition.name).unwrap().unwrap().user().is_some());
                prop_assert!(!user.definition.layers.iter().any(|layer| layer.is_local() && layer.is_locked()));
            }
        }
    }
}

#[test]
fn keys_of_a_users_definition_are_none_of_kimgs_own() {
    let own = catalog::OTHER;
    assert!(kimg::definition::parse(own, "image.toml").is_ok());
    for more in ["archives = []", "local = []", "authorities = []", "packages = 1"] {
        assert!(kimg::definition::parse(&format!("{own}\n{more}\n"), "image.toml").is_err(), "{more}");
    }
}
