//! `kimg build --load`: what a Docker daemon is asked and sent, and how it may fail. A real one is in `scripts/e2e`.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

#[path = "support/archive.rs"]
mod archive;
#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/docker.rs"]
mod docker;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::os::unix::net::UnixListener;

use archive::DockerImage;
use catalog::{Material, World, tree};
use docker::{Docker, Fault};
use rustix::process::{Pid, Signal, kill_process};

/// A world in which `other` is built, and a daemon at the socket `docker.sock` in its home.
fn world() -> (World, Docker) {
    let mut world = Material::new().serve();
    let socket = world.kimg.home().join("docker.sock");
    world.kimg = world.kimg.with("DOCKER_HOST", &format!("unix://{}", socket.display()));
    world.built(&["other", "-q"]);
    let docker = Docker::unix(&socket);
    (world, docker)
}

/// What a build says, without the layers that it tells of.
fn said(world: &World, more: &[&str]) -> String {
    let said = world.kimg.run(&world.build(&[&["other", "--load", "--progress", "none"], more].concat()));
    said.lines().filter(|line| !line.contains(" layers, ")).map(|line| format!("{line}\n")).collect()
}

/// The only load, and its only image.
#[track_caller]
fn one(docker: &Docker) -> DockerImage {
    let loads = docker.loads();
    let [Some(images)] = loads.as_slice() else { panic!("{loads:?}") };
    let [image] = images.as_slice() else { panic!("{images:?}") };
    image.clone()
}

#[test]
fn what_the_daemon_has_is_not_sent() {
    let (world, docker) = world();
    assert_eq!(world.built(&["other", "--load"]), "other:1\n");
    let cold = one(&docker);
    assert_eq!((cold.there.len(), cold.names.as_slice()), (3, ["other:1".to_owned()].as_slice()));
    docker.paths();
    assert_eq!(world.built(&["other", "--load"]), "other:1\n");
    assert!(docker.loads().is_empty());
    assert_eq!(docker.paths(), ["/_ping", "/images/other:1/json", &format!("/images/{}/json", cold.id)]);
    // Another name: its image is known by its id.
    assert_eq!(world.built(&["other", "--load", "-t", "registry.example/o"]), "registry.example/o:latest\n");
    assert!(one(&docker).there.is_empty());
    // Another configuration, with the same layers and one more.
    world.kimg.write("mine", "x");
    world.built(&["other", "--load", "--label", "a=b"]);
    assert!(one(&docker).there.is_empty());
    world.built(&["other", "--load", "--add", "mine:/etc/mine"]);
    let added = one(&docker);
    assert_eq!(added.there, [format!("{}.tar", added.diff_ids[3].strip_prefix("sha256:").unwrap())]);
    // An image that shares layers with one of another name.
    assert_eq!(world.built(&["app", "--load"]), "app:1.0\n");
    assert_eq!(one(&docker).there.len(), 3);
    assert!(docker.paths().contains(&"/images/json".to_owned()));
    assert_eq!(docker.images().len(), 5);
}

#[test]
fn a_layer_counts_only_upon_the_same_layers() {
    let (world, docker) = world();
    world.built(&["other", "--load"]);
    docker.loads();
    let mut material = Material::new();
    material.deb("library").data = std::mem::take(&mut material.deb("library").data).file("./etc/more", b"more");
    let changed = material.serve();
    let socket = format!("unix://{}", world.kimg.home().join("docker.sock").display());
    let output =
        changed.kimg.command(&changed.build(&["other", "--load"])).env("DOCKER_HOST", socket).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let image = one(&docker);
    // Java is the same, and has another base.
    assert_eq!(docker.images()[0].diff_ids[1..], image.diff_ids[1..]);
    assert_eq!(image.there.len(), 3);
}

#[test]
fn several_images_at_once_and_under_names_of_the_location() {
    let (world, docker) = world();
    assert_eq!(world.built(&["app", "other", "--load"]), "app:1.0\nother:1\n");
    let loads = docker.loads();
    let images = loads[0].as_ref().unwrap();
    assert_eq!((loads.len(), images.len()), (1, 2));
    assert_eq!(world.built(&["other", "-t", "x", "-o", "docker-daemon:mine/other"]), "mine/other:latest\n");
    assert_eq!(one(&docker).names, ["mine/other:latest"]);
    // With an archive on standard output, that is all there is.
    let output = world.kimg.output(&world.build(&["other", "--load", "-o", "oci-archive:-", "--progress", "none"]));
    assert!(archive::Archive::read(&output.stdout).files.contains_key("index.json"));
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("\nother:1\n"));
}

#[test]
fn a_daemon_that_wants_all_layers_gets_them() {
    let (world, docker) = world();
    world.built(&["other", "--load"]);
    docker.loads();
    docker.faults([Fault::Forget]);
    let output = world.kimg.output(&world.build(&["other", "--load", "--label", "a=b", "-v"]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "other:1\n");
    let story = String::from_utf8_lossy(&output.stderr);
    assert!(story.contains("no such file or directory; all layers are sent"), "{story}");
    let there: Vec<usize> = docker.loads().into_iter().map(|load| load.unwrap()[0].there.len()).collect();
    assert_eq!(there, [0, 3]);
    // Once only.
    docker.faults([Fault::Says("no"), Fault::Says("still no")]);
    insta::assert_snapshot!(said(&world, &["--label", "a=c"]));
    assert_eq!(docker.loads().len(), 2);
}

#[test]
fn a_daemon_that_fails_is_named() {
    let (world, docker) = world();
    let mut all = Vec::new();
    for (what, fault) in [
        ("dies at once", Fault::DieAfter(0)),
        ("dies half way", Fault::DieAfter(200_000)),
        ("has no space", Fault::Says("write /var/lib/docker/tmp/x: no space left on device")),
        ("fails", Fault::Status(usize::MAX, 500, r#"{"message":"the storage driver is broken"}"#)),
        ("fails as a proxy does", Fault::Status(usize::MAX, 502, "<html>\n<h1>Bad Gateway</h1>")),
        ("does not want so much", Fault::Status(100_000, 413, r#"{"message":"too large"}"#)),
        ("lies", Fault::Lie),
    ] {
        docker.faults([fault]);
        let said = said(&world, &[]);
        // Which end of a connection that breaks hears of it first is chance.
        let broken = ["connection closed before message completed", "Broken pipe (os error 32)"];
        let said = broken.iter().fold(said, |said, text| said.replace(text, "BROKEN"));
        all.push(format!("{what}: {}", said.replace("Connection reset by peer (os error 104)", "BROKEN")));
        assert!(docker.images().is_empty(), "{what}");
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn an_archive_that_ends_early_is_torn() {
    let (world, docker) = world();
    let blobs = world.store().join("blobs/sha256");
    let paths = tree(&blobs).into_iter().map(|name| blobs.join(name));
    let biggest = paths.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = fs::read(&biggest).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::remove_file(&biggest).unwrap();
    fs::write(biggest, bytes).unwrap();
    let said = said(&world, &[]);
    assert!(said.ends_with("exit code: 3\n"), "{said}");
    assert_eq!(docker.loads(), [None]);
    assert!(docker.images().is_empty());
}

#[test]
fn a_daemon_that_hangs_can_be_left() {
    let (world, docker) = world();
    docker.faults([Fault::Hang]);
    let child = world.kimg.command(&world.build(&["other", "--load", "-q"])).spawn().unwrap();
    docker.wait_for("/images/load");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted\n");
    assert!(output.stdout.is_empty());
}

#[test]
fn what_is_no_daemon_is_told_as_such() {
    let (world, docker) = world();
    let mut all = Vec::new();
    for (what, answer) in [
        ("a page", "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>"),
        ("a page that is not there", "HTTP/1.1 404 no\r\nContent-Length: 9\r\n\r\nnot found"),
        ("something else", "220 mail.example ESMTP\r\n"),
        ("nothing", ""),
    ] {
        docker.is_other(answer.as_bytes());
        all.push(format!("{what}: {}", said(&world, &[])));
    }
    fs::remove_file(world.kimg.home().join("docker.sock")).unwrap();
    // Before anything is built.
    all.push(format!("no socket: {}", said(&world, &["--label", "new=image"])));
    drop(UnixListener::bind(world.kimg.home().join("docker.sock")).unwrap());
    all.push(format!("nobody listens: {}", said(&world, &[])));
    assert!(docker.loads().is_empty());
    insta::assert_snapshot!(all.join("\n"));
    assert!(!all.iter().any(|said| said.contains("layer")));
}

#[test]
fn docker_host_says_where() {
    let (world, _) = world();
    let (docker, address) = Docker::tcp();
    let run = |variables: &[(&str, &str)], flag: &str| {
        let mut arguments = world.build(&["other", "-q", flag]);
        arguments.retain(|argument| !argument.is_empty());
        let mut command = world.kimg.command(&arguments);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        world.kimg.show(&["build"], &output)
    };
    let host = format!("tcp://{address}");
    assert!(run(&[("DOCKER_HOST", &host)], "--load").ends_with("other:1\nexit code: 0\n"));
    assert_eq!(one(&docker).there.len(), 3);
    let said = [
        run(&[("DOCKER_HOST", "ssh://me@host.example")], "--load"),
        run(&[("DOCKER_HOST", "docker.sock")], "--load"),
        run(&[("DOCKER_HOST", "tcp://127.0.0.1:2376"), ("DOCKER_TLS_VERIFY", "1")], "--load"),
        // Not asked for, not looked at.
        run(&[("DOCKER_HOST", "ssh://me@host.example")], ""),
    ];
    insta::assert_snapshot!(said[..3].join("\n"));
    assert!(said[3].ends_with("exit code: 0\n"), "{}", said[3]);
}
