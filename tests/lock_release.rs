//! Locks of releases that were never locked: out of the release archive, or by a list of Maven coordinates.

#![allow(clippy::disallowed_methods, reason = "a test changes the files of definitions")]

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/release.rs"]
mod release;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::process::Output;

use catalog::{Jar, Material, World, jar, signer};
use deb::Packing;
use kimg::lock::{self, Lock, Upstream};
use kimg::upstream::maven::Coordinates;
use openpgp::{Key, SIGNED};
use release::{JARS, PATH, release, sha512, told};
use server::Server;
use sha1::Digest as _;

const ARCHIVE: &str = r#"
[archive]
path = "app/{version}/app-{version}-bin.tar.gz"
jars = "app-{version}/libs"

[[archive.rule]]
name = "skip-*"
absent = "nobody needs it"

[[archive.rule]]
name = "app-{version}.jar"
layer = "product"
group = "example.app"

[[archive.rule]]
name = "*.jar"
layer = "third-party"

[[layer]]"#;

/// A definition without a lock, and who serves its release.
struct Fresh {
    world: World,
    apache: Server,
    archive: Vec<u8>,
}

fn jars() -> Vec<Jar> {
    let properties = b"#\nversion=1.1\ngroupId=org.one\nartifactId=one\n";
    let made = [
        ("one-1.1.jar", jar(&[("META-INF/maven/org.one/one/pom.properties", properties)])),
        ("two-2.2.jar", jar(&[("two.txt", b"two")])),
        ("skip-1.jar", jar(&[("skip.txt", b"skip")])),
        ("app-1.0.jar", jar(&[("LICENSE", b"a licence")])),
    ];
    made.map(|(name, bytes)| Jar { family: "app", layer: "", name, bytes, signature: None }).into()
}

fn fresh() -> Fresh {
    let mut material = Material::new();
    material.app = material.app.replace("base = \"base:1\"\n", "").replacen("\n[[layer]]", ARCHIVE, 1);
    material.app = material.app.replace("the app {version}\"\n", "the app {version}\"\nsigned = true\n");
    let world = material.serve();
    fs::remove_file(world.kimg.home().join("images/app/1.0.lock.toml")).unwrap();
    let archive = Packing::Gzip.pack(&release(&jars()).finish());
    for jar in jars() {
        let path = match jar.name {
            "app-1.0.jar" => "example/app/app/1.0/app-1.0.jar",
            "one-1.1.jar" => "org/one/one/1.1/one-1.1.jar",
            _ => continue,
        };
        world.server.put(&format!("/maven/{path}.asc"), signer().sign(&jar.bytes));
        world.server.put(&format!("/maven/{path}"), jar.bytes);
    }
    Fresh { world, apache: Server::start(), archive }
}

impl Fresh {
    fn publish(&self, key: &Key) {
        self.apache.put(&format!("/{PATH}"), self.archive.clone());
        self.apache.put(&format!("/{PATH}.asc"), key.sign(&self.archive));
        self.apache.put(&format!("/{PATH}.sha512"), format!("{}  app-1.0-bin.tar.gz\n", sha512(&self.archive).hex()));
    }

    fn list(&self, text: &str) {
        self.world.kimg.write("images/app/1.0.jars", text);
    }

    fn lock_of(&self, image: &str, store: &str, more: &[&str]) -> Output {
        let mirror = format!("apache={}", self.apache.url());
        let arguments = [&["lock", image, "--images", "images", "--mirror", &mirror], more].concat();
        self.world.kimg.command(&arguments).env("KIMG_HOME", store).output().unwrap()
    }

    fn lock(&self, store: &str, more: &[&str]) -> (Option<i32>, String) {
        let (code, _, story) = told(&self.lock_of("app", store, more));
        (code, story)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.world.kimg.home().join("images/app/1.0.lock.toml")).unwrap()
    }

    /// Reads the lock that was made, and removes it.
    fn take(&self) -> Lock {
        let lock = lock::parse(&self.text(), "lock").unwrap();
        fs::remove_file(self.world.kimg.home().join("images/app/1.0.lock.toml")).unwrap();
        lock
    }

    fn build(&self, store: &str, mirror: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let arguments = [&["app", "--mirror", mirror], more].concat();
        told(&self.world.kimg.command(&self.world.build(&arguments)).env("KIMG_HOME", store).output().unwrap())
    }
}

/// Name, layer, upstream, path, member, whether it carries a signature.
type Told<'a> = (&'a str, &'a str, Upstream, &'a str, Option<&'a str>, bool);

fn inputs(lock: &Lock) -> Vec<Told<'_>> {
    let each = lock.inputs.iter();
    each.map(|input| {
        let (name, layer, path) = (input.name.as_str(), input.layer.as_str(), input.path.as_str());
        (name, layer, input.upstream, path, input.member.as_deref(), input.signature.is_some())
    })
    .collect()
}

#[test]
fn out_of_the_archive() {
    let fresh = fresh();
    fresh.publish(&signer());
    let (code, story) = fresh.lock("one", &[]);
    assert_eq!(code, Some(0), "{story}");
    let first = fresh.text();
    let lock = fresh.take();
    let archive = lock.archive.clone().unwrap();
    assert_eq!((archive.path.as_str(), archive.digest), (PATH, sha512(&fresh.archive)));
    assert_eq!((archive.size, archive.signer), (Some(fresh.archive.len() as u64), Some(signer().fingerprint())));
    assert_eq!(lock.created, lock::rfc3339(SIGNED.into()));
    let member = |name: &str| format!("{JARS}/{name}");
    let (one, two, app) = (member("one-1.1.jar"), member("two-2.2.jar"), member("app-1.0.jar"));
    let expected = [
        ("one-1.1.jar", "third-party", Upstream::Maven, "org/one/one/1.1/one-1.1.jar", Some(one.as_str()), false),
        ("two-2.2.jar", "third-party", Upstream::Apache, two.as_str(), Some(two.as_str()), false),
        ("app-1.0.jar", "product", Upstream::Maven, "example/app/app/1.0/app-1.0.jar", Some(app.as_str()), false),
    ];
    assert_eq!(inputs(&lock), expected);
    let absent: Vec<_> = lock.absent.iter().map(|absent| (absent.name.as_str(), absent.why.as_str())).collect();
    assert_eq!(absent, [("skip-1.jar", "nobody needs it")]);
    assert_eq!(lock.outputs.len(), 2);
    // The same release gives the same lock, whenever and wherever it is made.
    assert_eq!(fresh.lock("two", &["--source", "apache", "-j", "1"]).0, Some(0));
    assert_eq!(fresh.text(), first);
    let mirror = format!("apache={}", fresh.apache.url());
    let (code, answer, story) = fresh.build("three", &mirror, &[]);
    assert_eq!(code, Some(0), "{story}");
    // What Maven does not have keeps the build from going on without the archive.
    let (code, _, story) = fresh.build("four", &fresh.world.server.url().replacen("http", "apache=http", 1), &[]);
    assert!(code == Some(4) && story.contains("error: app/1.0/app-1.0-bin.tar.gz: "), "{story}");
    let (code, _, story) = fresh.build("five", &mirror, &["--source", "maven"]);
    assert!(code == Some(5) && story.contains("two-2.2.jar: only the release archive has it"), "{story}");
    assert_eq!(fresh.build("six", &mirror, &["--source", "apache"]).1, answer);
}

#[test]
fn an_archive_that_no_trusted_key_signed_is_never_passed_over() {
    let fresh = fresh();
    let stranger = Key::new("A Stranger");
    fresh.publish(&stranger);
    fresh.list("third-party org.one:one:1.1\nproduct example.app:app:1.0\n");
    let (code, story) = fresh.lock("one", &[]);
    assert!(code == Some(3) && story.contains("whose key is not among those"), "{story}");
    assert!(!fresh.world.kimg.home().join("images/app/1.0.lock.toml").exists());
    fresh.world.kimg.write("more.asc", &stranger.armored());
    let (code, story) = fresh.lock("one", &["--keys", "more.asc"]);
    assert_eq!(code, Some(0), "{story}");
    let warning =
        format!("warning: {} signed this and is not among the keys of app/image.toml", stranger.fingerprint());
    assert!(story.contains(&warning), "{story}");
    assert_eq!(lock::parse(&fresh.text(), "lock").unwrap().archive.unwrap().signer, Some(stranger.fingerprint()));
    // A build trusts the definition's keys only.
    let mirror = format!("apache={}", fresh.apache.url());
    let (code, _, story) = fresh.build("two", &mirror, &[]);
    assert!(code == Some(3) && story.contains("whose key is not among those"), "{story}");
    fresh.world.kimg.write("images/keys/app.asc", &format!("{}\n{}", signer().armored(), stranger.armored()));
    assert_eq!(fresh.build("two", &mirror, &[]).0, Some(0));
    fresh.take();
    fresh.apache.put(&format!("/{PATH}.sha512"), "<html>");
    let (code, story) = fresh.lock("three", &[]);
    assert!(
        code == Some(3) && story.contains("app-1.0-bin.tar.gz.sha512 beside it does not hold its digest"),
        "{story}"
    );
    fresh.apache.put(&format!("/{PATH}.sha512"), sha512(b"other").hex());
    let (code, story) = fresh.lock("four", &[]);
    assert!(code == Some(3) && story.contains("not the pinned bytes"), "{story}");
}

#[test]
fn by_a_list_where_the_archive_cannot_be_had() {
    let fresh = fresh();
    let archive = format!("archive {} {}\n", sha512(&fresh.archive), signer().fingerprint());
    let jars =
        "# all\nproduct example.app:app:1.0\nthird-party org.one:one:1.1 signed\nabsent two-2.2.jar not in Maven\n";
    fresh.list(&format!("{archive}{jars}"));
    let (code, story) = fresh.lock("one", &[]);
    assert_eq!(code, Some(0), "{story}");
    assert!(story.contains("the Apache archive cannot be used: app/1.0/app-1.0-bin.tar.gz.sha512: "), "{story}");
    let first = fresh.text();
    let lock = fresh.take();
    let (one, app) = (format!("{JARS}/one-1.1.jar"), format!("{JARS}/app-1.0.jar"));
    let expected = [
        ("one-1.1.jar", "third-party", Upstream::Maven, "org/one/one/1.1/one-1.1.jar", Some(one.as_str()), true),
        ("app-1.0.jar", "product", Upstream::Maven, "example/app/app/1.0/app-1.0.jar", Some(app.as_str()), true),
    ];
    assert_eq!(inputs(&lock), expected);
    assert_eq!((lock.absent[0].name.as_str(), lock.absent[0].why.as_str()), ("two-2.2.jar", "not in Maven"));
    assert_eq!(lock.archive.unwrap().digest, sha512(&fresh.archive));
    assert_eq!(lock.created, lock::rfc3339(SIGNED.into()));
    assert_eq!(fresh.lock("two", &["--source", "maven"]).0, Some(0));
    assert_eq!(fresh.text(), first);
    // The same image by either route, once the archive is there.
    let answer = fresh.build("three", "apache=http://127.0.0.1:9/", &[]).1;
    fresh.publish(&signer());
    let mirror = format!("apache={}", fresh.apache.url());
    let (code, other, story) = fresh.build("four", &mirror, &["--source", "apache"]);
    assert_eq!((code, other), (Some(0), answer), "{story}");
}

/// A layer may name files of Maven's that are in no release: they come whichever way the release does, and stay as pinned.
#[test]
fn files_beside_the_release() {
    let fresh = fresh();
    fresh.publish(&signer());
    let path = "images/app/image.toml";
    let definition = fs::read_to_string(fresh.world.kimg.home().join(path)).unwrap();
    let with = |coordinates: &str| {
        let layer =
            format!("[[layer]]\nname = \"more\"\nhistory = \"m\"\ninto = \"opt/m\"\nmaven = [{coordinates}]\n\n");
        fresh.world.kimg.write(path, &definition.replacen("[[layer]]", &format!("{layer}[[layer]]"), 1));
    };
    let serve = |version: &str, bytes: &[u8]| {
        let path = format!("/maven/org/two/more/{version}/more-{version}.jar");
        fresh.world.server.put(&format!("{path}.sha1"), hex::encode(sha1::Sha1::digest(bytes)));
        fresh.world.server.put(&path, bytes.to_vec());
    };
    serve("1", b"one");
    serve("2", b"two");
    with("\"org.two:more:1\"");
    let (code, story) = fresh.lock("one", &["--source", "apache"]);
    assert_eq!(code, Some(0), "{story}");
    let lock = lock::parse(&fresh.text(), "lock").unwrap();
    assert_eq!(inputs(&lock)[0], ("more-1.jar", "more", Upstream::Maven, "org/two/more/1/more-1.jar", None, false));
    assert_eq!((lock.inputs.len(), lock.outputs.len()), (4, 3));
    let mirror = format!("apache={}", fresh.apache.url());
    assert_eq!(fresh.build("two", &mirror, &["--source", "apache"]).0, Some(0));
    // The lock before has it: no host is asked.
    serve("1", b"something else");
    let before = fresh.text();
    assert_eq!(fresh.lock("three", &[]).0, Some(3), "other bytes than those that are pinned");
    assert_eq!((fresh.lock("one", &[]).0, fresh.text()), (Some(0), before));
    with("\"org.two:more:2\"");
    assert_eq!(fresh.lock("one", &[]).0, Some(0));
    let lock = fresh.take();
    assert_eq!((lock.inputs.len(), inputs(&lock)[0].3), (4, "org/two/more/2/more-2.jar"));
    fresh.list("product example.app:app:1.0\nthird-party org.one:one:1.1\nabsent two-2.2.jar not in Maven\n");
    assert_eq!(fresh.lock("one", &["--source", "maven"]).0, Some(0));
    assert_eq!(inputs(&fresh.take())[0].3, "org/two/more/2/more-2.jar");
    with("\"org.two:more\"");
    let (code, story) = fresh.lock("one", &[]);
    assert!(code == Some(2) && story.contains("`org.two:more` are no Maven coordinates"), "{story}");
}

#[test]
fn jars_that_must_be_signed_are() {
    let fresh = fresh();
    fresh.list("product example.app:app:1.0\n");
    let path = "/maven/example/app/app/1.0/app-1.0.jar.asc";
    let bytes = &jars()[3].bytes;
    for (signature, says) in [
        (None, "cannot be fetched"),
        (Some(Key::new("A Stranger").sign(bytes)), "whose key is not among those"),
        (Some(signer().sign(b"other")), "does not fit its bytes"),
    ] {
        match &signature {
            Some(text) => fresh.world.server.put(path, text.as_bytes()),
            None => fresh.world.server.remove(path),
        }
        let (code, story) = fresh.lock("one", &["--source", "maven"]);
        assert_eq!(code, Some(if signature.is_none() { 4 } else { 3 }), "{story}");
        assert!(story.contains(says), "{story}");
        assert!(!fresh.world.kimg.home().join("images/app/1.0.lock.toml").exists());
    }
    // A version that is known to have no signatures.
    let definition = fs::read_to_string(fresh.world.kimg.home().join("images/app/image.toml")).unwrap();
    let unsigned = definition.replace("support = \"yes\"", "support = \"no\", unsigned = true");
    fresh.world.kimg.write("images/app/image.toml", &unsigned);
    let (code, story) = fresh.lock("two", &["--source", "maven"]);
    assert_eq!(code, Some(0), "{story}");
    assert_eq!(fresh.build("three", "apache=http://127.0.0.1:9/", &[]).0, Some(0));
    // The same lock does not fit a definition that asks for signatures.
    fresh.world.kimg.write("images/app/image.toml", &definition);
    let (code, _, story) = fresh.build("three", "apache=http://127.0.0.1:9/", &[]);
    assert!(code == Some(2) && story.contains("`app-1.0.jar` has no signature, and its layer asks for one"), "{story}");
}

#[test]
fn what_cannot_be_locked_is_told_with_what_to_do() {
    let fresh = fresh();
    let told = |image: &str, more: &[&str]| {
        let (code, answer, story) = told(&fresh.lock_of(image, "one", more));
        assert_eq!(answer, "");
        // The mirror; then the public host, which the proxy does not let through.
        let story = story.replace(&fresh.apache.url(), "http://mirror.example/");
        let story = match story.split_once("; https://") {
            Some((before, rest)) => format!("{before}{}", rest.split_once("unsuccessful").unwrap().1),
            None => story,
        };
        format!("$ kimg lock {image} {}\n{story}exit code: {}\n", more.join(" "), code.unwrap())
    };
    let mut all = vec![told("app:2.0", &[]), told("app", &[]), told("app", &["--source", "apache"])];
    all.push(told("app", &["--source", "maven"]));
    fresh.list("product example.app:app:1.0\nprodcut a:b:1\n");
    all.push(told("app", &["--source", "maven"]));
    fresh.list("product example.app:app:2.0\n");
    all.push(told("app", &["--keys", "none.asc"]));
    fresh.publish(&signer());
    let path = fresh.world.kimg.home().join("images/app/image.toml");
    let definition = fs::read_to_string(&path).unwrap();
    fs::write(&path, definition.replace("\"*.jar\"", "\"one*\"")).unwrap();
    all.push(told("app", &[]));
    fs::write(&path, definition.replace("layer = \"product\"", "layer = \"prodcut\"")).unwrap();
    all.push(told("app", &[]));
    insta::assert_snapshot!(all.join("\n"));
}

/// The lists that ship with kimg name what their locks have: whoever locks by them gets the same inputs.
#[test]
fn lists_and_locks_that_ship_agree() {
    let catalog = kimg::definition::Catalog::builtin();
    let mut count = 0;
    for family in catalog.families().unwrap() {
        let name = family.definition.name.clone();
        for version in family.versions() {
            let Some(list) = family.file(version, &format!("{version}.jars")) else { continue };
            count += 1;
            let lock = family.lock(version).unwrap().unwrap();
            let mut lines: Vec<String> = String::from_utf8(list.to_vec()).unwrap().lines().map(str::to_owned).collect();
            lines.retain(|line| !line.is_empty() && !line.starts_with('#'));
            lines.sort();
            let layers = |layer: &str| family.definition.layers.iter().any(|own| own.name == layer && own.signed);
            // What the definition names itself stands in no list.
            let beside =
                |layer: &str| family.definition.layers.iter().any(|own| own.name == layer && !own.maven.is_empty());
            let inputs = lock.inputs.iter().filter(|input| !beside(&input.layer));
            let mut expected: Vec<String> = inputs.map(|input| line(input, layers(&input.layer))).collect();
            expected.extend(lock.absent.iter().map(|absent| format!("absent {} {}", absent.name, absent.why)));
            expected.extend(lock.archive.iter().map(|archive| {
                let signer = archive.signer.iter().map(|signer| format!(" {signer}")).collect::<String>();
                format!("archive {}{signer}", archive.digest)
            }));
            expected.sort();
            assert_eq!(lines, expected, "{name}:{version}");
        }
    }
    assert!(count >= 2);
}

fn line(input: &lock::Input, signed: bool) -> String {
    let parts: Vec<&str> = input.path.rsplitn(4, '/').collect();
    let [file, version, artifact, group] = parts.as_slice() else { panic!("{}", input.path) };
    let rest = file.strip_prefix(&format!("{artifact}-{version}")).and_then(|rest| rest.strip_suffix(".jar"));
    let classifier = rest.unwrap().replacen('-', ":", 1);
    let coordinates: Coordinates =
        format!("{}:{artifact}:{version}{classifier}", group.replace('/', ".")).parse().unwrap();
    let marked = if input.signature.is_some() && !signed { " signed" } else { "" };
    format!("{} {coordinates}{marked}", input.layer)
}
