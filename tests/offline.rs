//! `kimg fetch` and builds without a network: the same image from a folder, and what is lacking or wrong there is named.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders and changes files in them")]

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

use catalog::{Material, World, tree};
use release::{PATH, Released, told};
use server::Server;

fn run(world: &World, store: &str, arguments: &[&str]) -> Output {
    world.kimg.command(arguments).env("KIMG_HOME", store).output().unwrap()
}

/// Builds from a folder without a network; no server may hear of it.
fn offline(world: &World, store: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let before = world.server.requests().len();
    let told = told(&run(world, store, &world.build(&[&["app", "--offline", "--inputs", "inputs"], more].concat())));
    assert_eq!(world.server.requests().len(), before, "a host was asked");
    told
}

fn fetch(world: &World, store: &str, more: &[&str]) -> (Option<i32>, String, String) {
    told(&run(world, store, &[&["fetch", "app", "--images", "images", "-o", "inputs"], more].concat()))
}

#[test]
fn what_was_fetched_is_all_that_a_build_needs() {
    let world = Material::new().lock();
    let expected = world.built(&["app"]);
    let (code, answer, story) = fetch(&world, "one", &[]);
    assert_eq!((code, answer.as_str()), (Some(0), "app:1.0: 8 files, 1.5 MB\n"), "{story}");
    let inputs = world.kimg.home().join("inputs");
    let files = [
        "debian-security/pool/library/library_1.0_amd64.deb",
        "debian/pool/certificates/certificates_1.0_amd64.deb",
        "debian/pool/files/files_1.0_amd64.deb",
        "debian/pool/java/java_1.0_amd64.deb",
        "maven/example/app/app-1.0.jar",
        "maven/example/app/app-1.0.jar.asc",
        "maven/example/app/one-1.1.jar",
        "maven/example/app/two-2.2.jar",
    ];
    assert_eq!(tree(&inputs), files);
    let (code, answer, story) = offline(&world, "two", &[]);
    assert_eq!((code, answer), (Some(0), expected.clone()), "{story}");
    // Once more: everything is there, and what was damaged is mended.
    let path = inputs.join("maven/example/app/one-1.1.jar");
    fs::write(&path, "other").unwrap();
    fs::write(inputs.join("maven/example/app/.kimg-1-1"), "a killed process left it").unwrap();
    let before = world.server.requests().len();
    assert_eq!(fetch(&world, "one", &[]).1, "app:1.0: 8 files, 1.5 MB\n");
    assert_eq!(world.server.requests().len(), before);
    assert_eq!(fs::read(&path).unwrap(), catalog::noise("one-1.1.jar", 5000));
    assert_eq!(tree(&inputs), files);
    // Any web server makes mirrors of it.
    let server = Server::start();
    for file in files {
        server.put(&format!("/{file}"), fs::read(inputs.join(file)).unwrap());
    }
    let mirrors = ["debian", "debian-security", "maven"].map(|kind| format!("{kind}={}{kind}", server.url()));
    let flags: Vec<&str> = mirrors.iter().flat_map(|mirror| ["--mirror", mirror]).collect();
    let before = world.server.requests().len();
    let (code, answer, story) = told(&run(&world, "three", &world.build(&[&["app"], flags.as_slice()].concat())));
    assert_eq!((code, answer, world.server.requests().len()), (Some(0), expected, before), "{story}");
}

#[test]
fn what_is_lacking_is_named_all_at_once() {
    let world = Material::new().lock();
    assert_eq!(fetch(&world, "one", &[]).0, Some(0));
    let inputs = world.kimg.home().join("inputs");
    for file in
        ["debian/pool/java/java_1.0_amd64.deb", "maven/example/app/app-1.0.jar.asc", "maven/example/app/one-1.1.jar"]
    {
        fs::remove_file(inputs.join(file)).unwrap();
    }
    let (code, answer, story) = offline(&world, "two", &[]);
    assert_eq!((code, answer.as_str()), (Some(5), ""));
    let says = "error: image app:1.0: --offline, and neither the store nor --inputs has java, one-1.1.jar, app-1.0.jar.asc\n\
                hint: `kimg fetch app:1.0 -o DIR` where there is a network, then build with --inputs DIR\n";
    assert!(story.ends_with(says), "{story}");
    // Without --offline they are fetched, and only they.
    let before = world.server.requests().len();
    let arguments = world.build(&["app", "--inputs", "inputs"]);
    let (code, _, story) = told(&run(&world, "two", &arguments));
    assert_eq!((code, world.server.requests().len()), (Some(0), before + 3), "{story}");
    // What the store has needs no folder.
    assert_eq!(offline(&world, "two", &["--compression", "none"]).0, Some(0));
    let (code, _, story) = told(&run(&world, "x", &world.build(&["app", "--offline", "--inputs", "nowhere"])));
    assert!(code == Some(1) && story.starts_with("error: nowhere: cannot read: "), "{story}");
}

#[test]
fn other_bytes_in_the_folder_are_not_used() {
    let world = Material::new().lock();
    let expected = world.built(&["app"]);
    assert_eq!(fetch(&world, "one", &[]).0, Some(0));
    let path = world.kimg.home().join("inputs/maven/example/app/two-2.2.jar");
    let mut bytes = fs::read(&path).unwrap();
    for change in ["bit", "shorter", "longer"] {
        match change {
            "bit" => bytes[9] ^= 1,
            "shorter" => bytes.truncate(4000),
            _ => bytes.resize(6000, 0),
        }
        fs::write(&path, &bytes).unwrap();
        let (code, answer, story) = offline(&world, change, &[]);
        assert_eq!((code, answer.as_str()), (Some(3), ""), "{change}: {story}");
        assert!(story.contains("error: inputs/maven/example/app/two-2.2.jar: expected sha256:"), "{story}");
        let (code, answer, story) = told(&run(&world, change, &world.build(&["app", "--inputs", "inputs"])));
        assert_eq!((code, answer), (Some(0), expected.clone()), "{change}: {story}");
        assert!(story.contains("warning: inputs/maven/example/app/two-2.2.jar: expected sha256:"), "{story}");
    }
}

#[test]
fn the_release_archive_stands_for_its_members() {
    let released = Released::good();
    let (world, mirror) = (&released.world, format!("apache={}", released.apache.url()));
    let (code, answer, story) = fetch(world, "one", &["--mirror", &mirror]);
    assert_eq!((code, answer.as_str()), (Some(0), "app:1.0: 2 files, 10 kB\n"), "{story}");
    let inputs = world.kimg.home().join("inputs");
    assert_eq!(tree(&inputs), [format!("apache/{PATH}"), format!("apache/{PATH}.asc")]);
    let (code, answer, story) = offline(world, "two", &[]);
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    // Its signature is verified there too.
    fs::write(inputs.join(format!("apache/{PATH}.asc")), openpgp::Key::new("A Stranger").sign(b"x")).unwrap();
    let (code, _, story) = offline(world, "three", &[]);
    assert!(code == Some(3) && story.contains("whose key is not among those"), "{story}");
    fs::remove_file(inputs.join(format!("apache/{PATH}.asc"))).unwrap();
    assert_eq!(offline(world, "four", &[]).0, Some(5));
    let archive = inputs.join(format!("apache/{PATH}"));
    fs::write(&archive, "other").unwrap();
    assert_eq!(offline(world, "five", &[]).0, Some(3));
    // From Maven, on demand.
    fs::remove_dir_all(&inputs).unwrap();
    let (code, answer, _) = fetch(world, "one", &["--mirror", &mirror, "--source", "maven"]);
    assert_eq!((code, answer.as_str()), (Some(0), "app:1.0: 4 files, 10 kB\n"));
    assert_eq!(offline(world, "six", &["--source", "maven"]).1, released.expected);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let world = Material::new().lock();
    world.kimg.write("inputs", "a file");
    let (code, answer, story) = fetch(&world, "one", &[]);
    assert_eq!((code, answer.as_str()), (Some(1), ""));
    assert!(story.contains("error: inputs"), "{story}");
}
