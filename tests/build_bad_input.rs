//! Names, definitions, locks, hosts, bytes and signatures that are not what they should be: each is told by name, with
//! the exit code of its kind, and leaves nothing in the store.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;
#[path = "support/workshop.rs"]
mod workshop;

use std::fs;

use catalog::{Material, World, assert_sound, signer};
use deb::Packing;
use kimg::lock::{Lock, Sha256, Upstream};
use openpgp::{CREATED, Key, SIGNED, YEAR, dearmored};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::RevocationCode;
use workshop::{mirrors, nobody, show};

/// What the program says to a build of `image`.
fn told(world: &World, image: &str) -> String {
    world.kimg.run(&world.build(&[image, "-q"]))
}

#[test]
fn names_that_nothing_has() {
    let world = Material::new().serve();
    let said = ["ap", "nothing-like-it", "app:1.1", "app:latest", "other:2", "app\u{1b}[31m", "app:"];
    insta::assert_snapshot!(said.map(|image| told(&world, image)).join("\n"));
    insta::assert_snapshot!("platform", world.kimg.run(&world.build(&["app", "--platform", "linux/arm64"])));
    assert_sound(&world.store(), &[]);
}

#[test]
fn definitions_that_make_no_sense() {
    let edited = |what: &str, right: &str, wrong: &str| {
        let mut material = Material::new();
        assert!(material.app.contains(right), "{what}");
        material.app = material.app.replacen(right, wrong, 1);
        let world = material.serve();
        let said = told(&world, "app");
        assert_sound(&world.store(), &[]);
        format!("{what}:\n{said}")
    };
    let said = [
        edited("a wrong key", "history =", "histroy ="),
        edited("a key that is nothing like another", "source =", "xyzzy ="),
        edited("a wrong type", "retries = 3", "retries = \"three\""),
        edited("no TOML", "[run]", "[run"),
        edited("a version that there is not", "default = \"1.0\"", "default = \"2.0\""),
        edited("a layer twice", "name = \"product\"", "name = \"third-party\""),
        edited("a path that climbs", "\"var/lib/app\"", "\"var/../lib\""),
        edited("no permissions", "\"2775\"", "\"rwx\""),
        edited("a file that is not there", "from = \"config/app.properties\"", "from = \"config/absent\""),
        edited("keys that are not there", "keys/app.asc", "keys/absent.asc"),
        edited("a base that there is not", "base = \"base:1\"", "base = \"base:2\""),
        edited("a base of itself", "base = \"base:1\"", "base = \"app:1.0\""),
        edited("an archive that is no input", "from = \"app-{version}.jar\"", "from = \"ap.jar\""),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn locks_that_do_not_fit() {
    let edited = |what: &str, change: fn(&mut Lock)| {
        let world = Material::new().serve();
        world.edit_lock("app/1.0.lock.toml", change);
        let said = told(&world, "app");
        assert_sound(&world.store(), &[]);
        format!("{what}:\n{said}")
    };
    let broken = |what: &str, right: &str, wrong: &str| {
        let world = Material::new().serve();
        let path = world.kimg.home().join("images/app/1.0.lock.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(right), "{what}");
        fs::write(path, text.replacen(right, wrong, 1)).unwrap();
        format!("{what}:\n{}", told(&world, "app"))
    };
    let said = [
        edited("another definition", |lock| lock.definition = kimg::digest::Digest::of(b"")),
        edited("another family", |lock| lock.image = "other:1".to_owned()),
        edited("another version", |lock| lock.image = "app:2.0".to_owned()),
        edited("a layer that there is not", |lock| lock.inputs[0].layer = "thrid-party".to_owned()),
        edited("a layer that is not locked", |lock| lock.inputs[0].layer = "configuration".to_owned()),
        edited("another format", |lock| lock.format = 2),
        edited("no time", |lock| lock.created = "yesterday".to_owned()),
        edited("a path that climbs", |lock| lock.inputs[0].path = "a/../../b.jar".to_owned()),
        edited("a host", |lock| lock.inputs[0].path = "https://mirror.example/a.jar".to_owned()),
        edited("no platform", |lock| lock.inputs[0].platform = Some("amd64".to_owned())),
        edited("no fingerprint", |lock| lock.inputs[2].signature.as_mut().unwrap().signer = "DEADBEEF".to_owned()),
        broken("a wrong key", "upstream = ", "upstraem = "),
        broken("another upstream", "\"maven\"", "\"mavne\""),
        broken("no digest", "sha256 = \"", "sha256 = \"x"),
        broken("no TOML", "[[input]]", "[[input]"),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

/// The three kinds of input: where each lies, and the image that needs it.
const KINDS: [(&str, &str); 3] = [
    ("/debian/pool/files/files_1.0_amd64.deb", "other"),
    ("/maven/example/app/one-1.1.jar", "app"),
    ("/maven/example/app/app-1.0.jar.asc", "app"),
];

#[test]
fn bytes_that_are_not_those_of_the_lock() {
    let mut material = Material::new();
    let deb = material.deb("files");
    (deb.control, deb.packing) = (Packing::None, Packing::None);
    let mut said = Vec::new();
    for (path, image) in KINDS {
        let good = {
            let world = material.serve();
            let name = path.rsplit('/').next().unwrap();
            // What is served is what is locked.
            assert!(show(&world, image, &mirrors(&world)).ends_with("\n"), "{name}");
            world.server.file(path)
        };
        let mut other = good.clone();
        other[good.len() / 2] ^= 1;
        let cases = [
            ("other bytes", other),
            ("one byte more", [&good, &b"x"[..]].concat()),
            ("one byte less", good[..good.len() - 1].to_vec()),
            ("half of it", good[..good.len() / 2].to_vec()),
            ("nothing", Vec::new()),
            ("a login page", b"<html>please log in</html>".to_vec()),
        ];
        for (what, bytes) in cases {
            let world = material.serve();
            world.server.put(path, bytes);
            said.push(format!("{path}, {what}:\n{}", show(&world, image, &mirrors(&world))));
            assert_sound(&world.store(), &[]);
            if what == "half of it" {
                // Nothing of it stays for the next run, which is served well.
                world.server.put(path, good.clone());
                assert!(show(&world, image, &mirrors(&world)).starts_with(image));
            }
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_input_that_was_damaged_in_the_cache_is_told_and_fetched_again() {
    let world = Material::new().serve();
    world.built(&["app"]);
    let input = Material::new().jars[0].bytes.clone();
    let cached = world.store().join("cache/downloads/sha256").join(kimg::digest::Digest::of(&input).hex());
    fs::write(&cached, vec![b'x'; input.len()]).unwrap();
    fs::remove_dir_all(world.store().join("cache/records")).unwrap();
    let first = told(&world, "app");
    assert!(!cached.exists());
    insta::assert_snapshot!(first);
    world.built(&["app"]);
    assert_sound(&world.store(), &["app:1.0"]);
}

#[test]
fn signatures_that_are_not_good() {
    let product = Material::new().jars[2].bytes.clone();
    let other = Key::new("Somebody <somebody@else.example>");
    let case = |what: &str, keys: &Key, signature: &[u8]| {
        let mut material = Material::new();
        material.keys = keys.armored();
        material.jars[2].signature = Some((signer().fingerprint(), signature.to_vec()));
        let world = material.serve();
        let said = told(&world, "app");
        assert_sound(&world.store(), &[]);
        format!("{what}:\n{said}")
    };
    let good = signer().sign(&product);
    // Nobody signs with SHA-1 any more: this one only says so. It stands behind version, type and kind of key.
    let mut sha1 = dearmored(&good);
    sha1[5] = u8::from(HashAlgorithm::Sha1);
    let compromised = signer().revoked(Some(RevocationCode::KeyCompromised), SIGNED + YEAR);
    let retired = signer().revoked(Some(RevocationCode::KeyRetired), SIGNED - YEAR);
    let said = [
        case("a signer that is not trusted", &signer(), other.sign(&product).as_bytes()),
        case("over other bytes", &signer(), signer().sign(b"other bytes").as_bytes()),
        case("SHA-1", &signer(), &sha1),
        case("a key that was compromised, later", &compromised, good.as_bytes()),
        case("a key that was retired, before", &retired, good.as_bytes()),
        case("a key that had expired", &signer().expiring(CREATED, Some(SIGNED - 1)), good.as_bytes()),
        case("a key that may not sign", &signer().that_certifies_only(), good.as_bytes()),
        case("cut", &signer(), &good.as_bytes()[..good.len() / 2]),
        case("empty", &signer(), b""),
        case("no signature", &signer(), b"<html>please log in</html>"),
        case("a key instead", &signer(), signer().armored().as_bytes()),
        case("a signed text instead", &signer(), signer().sign_cleartext("text").as_bytes()),
    ];
    // Another key that is trusted here signed it, but not the one that the lock names.
    let mut material = Material::new();
    material.keys = [signer().armored(), other.armored()].concat();
    material.jars[2].signature = Some((signer().fingerprint(), other.sign(&product).into_bytes()));
    let wrong = told(&material.serve(), "app");
    material.keys = "no key at all\n".to_owned();
    let none = told(&material.serve(), "app");
    insta::assert_snapshot!(
        [said.join("\n"), format!("another signer:\n{wrong}"), format!("no keys:\n{none}")].join("\n")
    );
}

#[test]
fn hosts_that_cannot_be_reached_or_lack_a_file() {
    let world = Material::new().serve();
    let elsewhere = |kind: Upstream, url: String| {
        let mut all = mirrors(&world);
        all.retain(|(own, _)| *own != kind);
        all.push((kind, url));
        all
    };
    let nobody = nobody();
    let unreachable = show(&world, "other", &elsewhere(Upstream::DebianSecurity, nobody.clone()));
    let unreachable = unreachable.replace(nobody.trim_end_matches('/'), "http://nobody.example");
    assert_sound(&world.store(), &[]);
    // A package that left the mirror, and was nowhere else.
    let world = Material::new().serve();
    world.server.remove("/debian/pool/java/java_1.0_amd64.deb");
    let absent = show(&world, "other", &mirrors(&world));
    world.server.always("/debian/pool/java/java_1.0_amd64.deb", server::Fault::Status(403, None));
    let forbidden = show(&world, "other", &mirrors(&world));
    insta::assert_snapshot!([unreachable, absent, forbidden].join("\n"));
    assert_sound(&world.store(), &[]);
    // The next host has it.
    let bytes = Material::new().deb("java").bytes();
    world.server.put("/second/pool/java/java_1.0_amd64.deb", bytes);
    let mut both = mirrors(&world);
    both.push((Upstream::Debian, format!("{}second/", world.server.url())));
    assert_eq!(show(&world, "other", &both), "other:1\n");
    assert_eq!(world.server.requests_for("/second/pool/java/java_1.0_amd64.deb").len(), 1);
}

#[test]
fn a_package_that_left_the_mirror_is_asked_of_the_snapshot_at_the_time_of_the_lock() {
    let world = Material::new().serve();
    world.edit_lock("base/1.lock.toml", |lock| {
        let snapshot = "20260102T030405Z".to_owned();
        lock.debian = Some(kimg::lock::DebianState { snapshot, releases: Vec::new() });
    });
    world.server.remove("/debian/pool/java/java_1.0_amd64.deb");
    let error = show(&world, "other", &mirrors(&world));
    assert!(error.starts_with("error: java: cannot be fetched: http://mirror.example/debian/"), "{error}");
    assert!(error.ends_with("exit code: 4\n"), "{error}");
    // TLS goes through the proxy, so the test sees which host was asked for.
    assert!(world.server.requests().iter().any(|request| request.method == "CONNECT"));
}

#[test]
fn a_lock_whose_digest_is_of_other_bytes_is_never_satisfied() {
    let world = Material::new().serve();
    world.edit_lock("app/1.0.lock.toml", |lock| lock.inputs[0].sha256 = Sha256([7; 32]));
    insta::assert_snapshot!(show(&world, "app", &mirrors(&world)));
    assert_sound(&world.store(), &[]);
}
