//! `kimg copy` out of a Docker daemon and into one. A real one is in `scripts/e2e`.

#[path = "support/archive.rs"]
mod archive;
#[path = "support/command.rs"]
mod command;
#[path = "support/docker.rs"]
mod docker;
#[path = "support/places.rs"]
mod places;
#[path = "support/server.rs"]
mod server;

use std::fs;

use command::Kimg;
use docker::Docker;
use places::Foreign;

/// A home with an image as a layout and as Docker's archive, and a daemon.
fn home() -> (Kimg, Docker, Vec<u8>, String) {
    let kimg = Kimg::new();
    let mut lay = Foreign::new(&kimg.home().join("lay"));
    let image = lay.image("linux/amd64", "hello");
    lay.name(&image, "app:1");
    assert_eq!(kimg.output(&["copy", "oci:lay", "docker-archive:d.tar"]).status.code(), Some(0));
    let (bytes, socket) = (fs::read(kimg.home().join("d.tar")).unwrap(), kimg.home().join("docker.sock"));
    let docker = Docker::unix(&socket);
    (kimg.with("DOCKER_HOST", &format!("unix://{}", socket.display())), docker, bytes, image.digest.to_string())
}

#[test]
fn out_of_a_daemon() {
    let (kimg, docker, bytes, _) = home();
    docker.saves("app:1", bytes, usize::MAX);
    let digest = |from: &str, to: &str| {
        let output = kimg.output(&["copy", from, to]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let found = digest("docker-daemon:app:1", "oci:out");
    assert_eq!(docker.paths(), ["/_ping", "/images/app:1/json", "/images/app:1/get"]);
    assert_eq!(found, digest("docker-archive:d.tar", "oci:other"), "it is as its archive");
    let index = |folder: &str| fs::read(kimg.home().join(folder).join("index.json")).unwrap();
    assert!(index("out") == index("other"), "names are kept");
    digest("docker-daemon:app:1", "docker-archive:again.tar");
    assert!(fs::read(kimg.home().join("again.tar")).unwrap() == fs::read(kimg.home().join("d.tar")).unwrap());
}

#[test]
fn into_a_daemon() {
    let (kimg, docker, _, digest) = home();
    for (from, to) in [("oci:lay:app:1", "docker-daemon:me/app:2"), ("docker-archive:d.tar", "docker-daemon:me/app:3")]
    {
        let output = kimg.output(&["copy", from, to]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let loads = docker.loads();
    let [Some(first), Some(second)] = loads.as_slice() else { panic!("{loads:?}") };
    assert_eq!((first[0].names.as_slice(), first[0].there.len()), (["me/app:2".to_owned()].as_slice(), 1));
    assert_eq!((second[0].names.as_slice(), second[0].there.len()), (["me/app:3".to_owned()].as_slice(), 0));
    // It is told what was copied, and a dry run asks the daemon nothing.
    docker.paths();
    let output = kimg.output(&["copy", "oci:lay", "docker-daemon:app:4", "--dry-run"]);
    assert!(
        String::from_utf8(output.stdout).unwrap().contains(&format!("docker-daemon:app:4: {digest}: 0 of 2 blobs"))
    );
    assert!(docker.paths().is_empty() && docker.loads().is_empty());
}

#[test]
fn a_daemon_that_has_it_not_or_breaks_off() {
    let (kimg, docker, bytes, _) = home();
    let shown = |from: &str| kimg.run(&["copy", from, "oci:out", "--progress", "none"]);
    docker.saves("app:1", bytes.clone(), bytes.len() / 2);
    let mut said = vec![shown("docker-daemon:app:1"), shown("docker-daemon:none:1")];
    docker.saves("app:1", b"{\"message\":\"not what you asked for\"}".repeat(100), usize::MAX);
    said.push(shown("docker-daemon:app:1"));
    fs::remove_file(kimg.home().join("docker.sock")).unwrap();
    said.push(shown("docker-daemon:app:1"));
    insta::assert_snapshot!(said.join("\n"));
    assert!(!kimg.home().join("out").exists());
}
