//! Builds that are ended in their midst, and builds side by side: what has a final name is whole, nothing points at what
//! is not there, and what was fetched is not fetched again.

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

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::thread;
use std::time::Duration;

use catalog::{Material, World, assert_sound, tree};
use rustix::process::{Pid, Signal, kill_process};
use server::Fault;

/// The largest input, and how much of it comes before the server falls silent.
const JAVA: &str = "/debian/pool/java/java_1.0_amd64.deb";
const CUT: usize = 700_000;

/// The inputs of `other`.
const INPUTS: usize = 5;

/// Waits for what is sure to come.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let mut looks = 0..60_000;
    while !condition() {
        assert!(looks.next().is_some(), "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn spawn(world: &World, more: &[&str]) -> Child {
    world.kimg.command(&world.build(more)).spawn().unwrap()
}

/// The bytes of the part file.
fn part(world: &World) -> u64 {
    let parts = world.store().join("cache/parts");
    let files = tree(&parts).into_iter().filter(|name| !name.ends_with(".lock"));
    files.map(|name| fs::metadata(parts.join(name)).map_or(0, |metadata| metadata.len())).sum()
}

/// A build of `other` that has fetched all but the end of one file, and hangs there.
fn hanging(world: &World) -> Child {
    world.server.faults(JAVA, [Fault::StallAfter(CUT)]);
    let child = spawn(world, &["other"]);
    let downloads = world.store().join("cache/downloads/sha256");
    wait_until("all other inputs", || tree(&downloads).len() == INPUTS - 1 && part(world) == CUT as u64);
    child
}

/// How often each path was asked for.
fn asked(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    world.server.requests().into_iter().for_each(|request| *counts.entry(request.path).or_default() += 1);
    counts
}

/// What a world without accidents answers.
fn expected() -> String {
    Material::new().serve().built(&["other"])
}

/// Every input was asked for once, except the one that hung: twice, the second time for its rest.
fn assert_resumed(world: &World) {
    let counts = asked(world);
    assert_eq!(counts.len(), INPUTS);
    assert!(counts.iter().all(|(path, count)| *count == if path == JAVA { 2 } else { 1 }), "{counts:?}");
    let range = format!("bytes={CUT}-");
    assert_eq!(world.server.requests_for(JAVA)[1].header("range"), Some(range.as_str()));
    assert_sound(&world.store(), &["other:1"]);
    assert_eq!(part(world), 0);
}

#[test]
fn ctrl_c_in_a_download_keeps_what_came() {
    let world = Material::new().serve();
    let child = hanging(&world);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().ends_with("interrupted\n"));
    assert_eq!(part(&world), CUT as u64);
    assert!(!world.kimg.run(&["store", "ls"]).contains("other"));
    assert_eq!(world.built(&["other"]), expected());
    assert_resumed(&world);
}

#[test]
fn a_kill_in_a_download_keeps_what_came() {
    let world = Material::new().serve();
    let mut child = hanging(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(part(&world), CUT as u64);
    assert_eq!(world.built(&["other"]), expected());
    assert_resumed(&world);
}

#[test]
fn who_waits_for_the_download_of_another_takes_over_when_that_dies() {
    let world = Material::new().serve();
    let mut first = hanging(&world);
    let second = spawn(&world, &["other"]);
    first.kill().unwrap();
    first.wait().unwrap();
    let output = second.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected());
    // What the first left under way, the next command sweeps away.
    world.built(&["other"]);
    assert_resumed(&world);
}

#[test]
fn two_builds_of_one_image_at_once_fetch_each_input_once() {
    let world = Material::new().serve();
    world.server.hold();
    let children = [spawn(&world, &["app"]), spawn(&world, &["app"]), spawn(&world, &["other"])];
    // No answer is given before a process has asked; the others wait for it or ask for something else.
    world.server.wait_for_requests(1);
    world.server.release_all();
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(outputs[0].stdout, outputs[1].stdout);
    let counts = asked(&world);
    assert!(counts.len() == 9 && counts.values().all(|count| *count == 1), "{counts:?}");
    assert_sound(&world.store(), &["app:1.0", "other:1"]);
}

#[test]
fn a_kill_in_the_midst_of_layers_costs_nothing_but_the_layers_under_way() {
    let world = Material::new().lock();
    let expected = Material::new().serve().built(&["app"]);
    let requests = world.server.requests().len();
    // The story has about twenty lines: each is a moment.
    for moment in (0..20).step_by(2) {
        let _ = fs::remove_dir_all(world.store().join("cache/records"));
        let mut child = spawn(&world, &["app", "-v", "--progress", "plain"]);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().take(moment + 1);
        lines.for_each(|line| drop(line.unwrap()));
        let _ = child.kill();
        child.wait().unwrap();
        // What is under way has no final name, and a name points at nothing that is not whole.
        for name in tree(&world.store().join("blobs/sha256")) {
            let bytes = fs::read(world.store().join("blobs/sha256").join(&name)).unwrap();
            assert_eq!(kimg::digest::Digest::of(&bytes).hex(), name, "{moment}");
        }
        let check = world.kimg.output(&["store", "check", "-q"]);
        assert_eq!(check.status.code(), Some(0), "{moment}: {}", String::from_utf8_lossy(&check.stdout));
    }
    assert_eq!(world.built(&["app"]), expected);
    assert_eq!(world.server.requests().len(), requests);
    assert_sound(&world.store(), &["app:1.0"]);
}

/// With a layer of so many chunks that what happens meanwhile happens in its midst.
fn large() -> Material {
    let mut material = Material::new();
    let noise = catalog::noise("large", 1 << 20).repeat(24);
    let java = material.deb("java");
    java.data = std::mem::take(&mut java.data).file("./usr/lib/large", &noise);
    material
}

#[test]
fn ctrl_c_in_the_midst_of_a_layer_leaves_no_layer() {
    let world = large().serve();
    let expected = world.built(&["other"]);
    fs::remove_dir_all(world.store().join("cache/records")).unwrap();
    fs::remove_dir_all(world.store().join("blobs")).unwrap();
    fs::create_dir_all(world.store().join("blobs/sha256")).unwrap();
    fs::remove_file(world.store().join("index.json")).unwrap();
    fs::remove_file(world.store().join("oci-layout")).unwrap();
    let mut child = spawn(&world, &["other", "-v"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "layer java: building"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(lines.last().as_deref(), Some("interrupted"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!world.kimg.run(&["store", "ls"]).contains("other"));
    assert_eq!(world.built(&["other"]), expected);
    assert_sound(&world.store(), &["other:1"]);
}

#[test]
fn ctrl_c_is_heard_while_an_image_is_copied() {
    let world = Material::new().serve();
    world.built(&["other"]);
    // Somebody holds the lock of the layout's index, so the copy cannot end.
    let out = world.kimg.home().join("out");
    world.built(&["other", "-o", "oci:out:before"]);
    let lock = fs::File::open(out.join("index.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut child = spawn(&world, &["other", "-o", "oci:out", "-v"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("other:1: 3 layers")));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(lines.last().as_deref(), Some("interrupted"));
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]));
}

#[test]
fn a_layer_that_fails_ends_the_others() {
    let mut material = large();
    material.jars[2].signature = Some((catalog::signer().fingerprint(), b"none".to_vec()));
    let world = material.serve();
    world.built(&["other"]);
    fs::remove_dir_all(world.store().join("cache/records")).unwrap();
    world.server.hold();
    let mut child = spawn(&world, &["app", "-v"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "layer java: building"));
    // Only now the jar comes whose signature is none.
    world.server.release_all();
    let story: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{story:?}");
    let at = |start: &str| story.iter().position(|line| line.starts_with(start));
    let (ended, told) = (at("java: stopped at "), at("error: app-1.0.jar: its signature cannot be read"));
    assert!(ended.is_some() && ended < told, "{story:?}");
    assert_sound(&world.store(), &["other:1"]);
}
