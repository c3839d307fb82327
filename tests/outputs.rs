//! Archives that `kimg build -o` writes: what is in them, that it is always the same, and what is left when it fails.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

#[path = "support/archive.rs"]
mod archive;
#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/image.rs"]
mod image;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::thread;

use archive::Archive;
use catalog::{Material, World, tree};
use image::Image;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn world() -> World {
    Material::new().serve()
}

fn bytes(world: &World, path: &str) -> Vec<u8> {
    fs::read(world.kimg.home().join(path)).unwrap()
}

/// A blob of the store, the biggest.
fn biggest_blob(world: &World) -> std::path::PathBuf {
    let blobs = world.store().join("blobs/sha256");
    let paths = tree(&blobs).into_iter().map(|name| blobs.join(name));
    paths.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

/// What lies in the home folder beside the store and the definitions.
fn written(world: &World) -> Vec<String> {
    let ours = |path: &String| !path.starts_with(".local/") && !path.starts_with("images/");
    tree(world.kimg.home()).into_iter().filter(ours).collect()
}

#[test]
fn an_oci_archive_is_the_layout_as_a_tar() {
    let world = world();
    let answer = world.built(&["app", "other", "-o", "oci-archive:both.tar", "-o", "oci:layout"]);
    let home = world.kimg.home();
    let archive = Archive::open(&home.join("both.tar"));
    assert_eq!(archive.paths[..4], ["oci-layout", "index.json", "blobs/", "blobs/sha256/"]);
    archive.unpack(&home.join("unpacked"));
    for path in ["oci-layout", "index.json"] {
        let json = |folder| serde_json::from_slice::<Value>(&bytes(&world, &format!("{folder}/{path}"))).unwrap();
        assert_eq!(json("unpacked"), json("layout"), "{path}");
    }
    assert_eq!(tree(&home.join("unpacked/blobs")), tree(&home.join("layout/blobs")));
    // Reading the images checks every digest.
    let images = ["app:1.0", "other:1"].map(|name| Image::open(&home.join("unpacked"), name));
    assert_eq!(answer, format!("app:1.0@{}\nother:1@{}\n", images[0].digest, images[1].digest));
    assert_eq!(images[0].digests()[..2], images[1].digests()[..2]);
    // A reader of one pass has all parts of a manifest before it.
    let at = |digest: &str| {
        let path = digest.replace("sha256:", "blobs/sha256/");
        archive.paths.iter().position(|own| *own == path).unwrap()
    };
    for image in &images {
        let config = image.manifest["config"]["digest"].as_str().unwrap();
        assert!(image.digests().into_iter().chain([config]).all(|part| at(part) < at(&image.digest)));
    }
}

#[test]
fn a_docker_archive_has_configurations_and_tars() {
    let world = world();
    world.built(&["app", "other", "-o", "docker-archive:both.tar", "-o", "oci:layout"]);
    let home = world.kimg.home();
    let archive = Archive::open(&home.join("both.tar"));
    assert_eq!(archive.paths[0], "manifest.json");
    let images = archive.docker_images();
    for (found, name) in images.iter().zip(["app:1.0", "other:1"]) {
        let image = Image::open(&home.join("layout"), name);
        assert_eq!(found.names, [name]);
        assert_eq!(found.id, image.manifest["config"]["digest"]);
        assert_eq!(found.diff_ids, image.diff_ids());
        assert_eq!(found.there.len(), found.diff_ids.len());
    }
    assert_eq!(images[0].diff_ids[..2], images[1].diff_ids[..2]);
    // Two images of five and three layers, of which two are the same, and nothing else.
    assert_eq!((images.len(), archive.paths.len()), (2, 1 + 2 + 5 + 3 - 2));
}

#[test]
fn the_same_images_are_the_same_bytes() {
    let world = world();
    for kind in ["oci-archive", "docker-archive"] {
        let (one, two) = (format!("{kind}:one.tar"), format!("{kind}:two.tar"));
        world.built(&["app", "other", "-o", &one]);
        let mut elsewhere = world.kimg.command(&world.build(&["app", "other", "-j", "1", "-o", &two]));
        assert!(elsewhere.env("KIMG_HOME", "elsewhere").status().unwrap().success());
        assert!(bytes(&world, "one.tar") == bytes(&world, "two.tar"), "{kind}");
    }
    // However layers were packed, and whether the store knows how long they are or not.
    for (compression, forgets) in [("zstd", false), ("none", false), ("gzip:9", false), ("gzip", true), ("zstd", true)]
    {
        if forgets {
            let _ = fs::remove_dir_all(world.store().join("cache/records/tars"));
        }
        world.built(&["app", "other", "--compression", compression, "-o", "docker-archive:two.tar"]);
        assert!(bytes(&world, "one.tar") == bytes(&world, "two.tar"), "{compression}");
    }
}

#[test]
fn names() {
    let world = world();
    let docker = |more: &[&str]| {
        world.built(&[more, &["-o", "docker-archive:a.tar"]].concat());
        let images = Archive::open(&world.kimg.home().join("a.tar")).docker_images();
        images.into_iter().map(|image| image.names.join(" ")).collect::<Vec<_>>()
    };
    let oci = |more: &[&str]| {
        world.built(&[more, &["-o", "oci-archive:a.tar"]].concat());
        let index = Archive::open(&world.kimg.home().join("a.tar")).json("index.json");
        let name = |manifest: &Value| {
            manifest["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap().to_owned()
        };
        index["manifests"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let tagged = ["other", "-t", "registry.example/o", "-t", "b:1"];
    assert_eq!(docker(&tagged), ["registry.example/o:latest b:1"]);
    assert_eq!(oci(&tagged), ["b:1", "registry.example/o"]);
    // One image under one name, though it was asked for twice.
    assert_eq!(docker(&["other", "other:1"]), ["other:1"]);
    assert_eq!(oci(&["other", "other:1"]), ["other:1"]);
    world.built(&["other", "-t", "x", "-o", "docker-archive:a.tar:localhost:5000/y", "-o", "oci-archive:b.tar:z:2"]);
    let home = world.kimg.home();
    assert_eq!(Archive::open(&home.join("a.tar")).docker_images()[0].names, ["localhost:5000/y:latest"]);
    let index = Archive::open(&home.join("b.tar")).json("index.json");
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "z:2");
}

#[test]
fn standard_output_is_the_archive_and_the_answer_is_told() {
    let world = world();
    let answer = world.built(&["other", "-o", "oci-archive:a.tar"]);
    for location in ["oci-archive:-", "oci-archive:/dev/stdout", "oci-archive:-:other:1"] {
        let output = world.kimg.output(&world.build(&["other", "-o", location, "--progress", "none"]));
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout == bytes(&world, "a.tar"), "{location}");
        let story = String::from_utf8(output.stderr).unwrap();
        assert!(story.ends_with(&format!("\n{answer}")), "{story}");
    }
    let output = world.kimg.output(&world.build(&["other", "-o", "docker-archive:-", "-q"]));
    assert_eq!(Archive::read(&output.stdout).docker_images()[0].names, ["other:1"]);
    assert!(output.stderr.is_empty());
}

#[test]
fn a_pipe_that_has_a_name_is_written_to() {
    let world = world();
    world.built(&["other", "-o", "docker-archive:a.tar"]);
    let pipe = world.kimg.home().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let reader = {
        let pipe = pipe.clone();
        thread::spawn(move || {
            let mut read = Vec::new();
            File::open(pipe).unwrap().read_to_end(&mut read).unwrap();
            read
        })
    };
    world.built(&["other", "-o", "docker-archive:pipe"]);
    assert!(reader.join().unwrap() == bytes(&world, "a.tar"));
    assert!(fs::metadata(pipe).unwrap().file_type().is_fifo());
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is_built() {
    let world = world();
    fs::create_dir(world.kimg.home().join("folder")).unwrap();
    let said = [
        &["other", "-o", "oci-archive:a.tar", "-o", "docker-archive:a.tar:x"][..],
        &["other", "-o", "oci-archive:-", "-o", "docker-archive:/dev/stdout"],
        &["other", "-o", "oci-archive:absent/a.tar"],
        &["other", "-o", "docker-archive:folder"],
        &["app", "other", "-o", "docker-archive:a.tar:one"],
        &["other", "-o", "docker-archive"],
        &["other", "-o", "out.tar"],
        &["other", "-o", "docker-archvie:out.tar"],
        &["other", "-o", "docker-daemon:"],
        &["other", "--load", "--platform", "linux/amd64,linux/arm64"],
        &["other", "-o", "docker-archive:a.tar", "--platform", "linux/amd64,linux/arm64"],
    ]
    .map(|more| world.kimg.run(&world.build(more)));
    insta::assert_snapshot!(said.join("\n"));
    let mut command = world.kimg.command(&world.build(&["other", "-o", "docker-archive:-"]));
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/ptmx").unwrap();
    let output = command.stdout(terminal).output().unwrap();
    insta::assert_snapshot!("terminal", String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(written(&world), [""; 0]);
}

#[test]
fn a_reader_that_left_is_an_error() {
    let world = world();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments = world.build(&["other", "-q", "-o", "oci-archive:-", "--metadata-file", "meta.json"]);
    let output = world.kimg.command(&arguments).stdout(writer).output().unwrap();
    insta::assert_snapshot!(world.kimg.show(&["build"], &output));
    assert_eq!(written(&world), [""; 0]);
}

#[test]
fn a_file_that_is_there_is_replaced_or_stays_as_it_was() {
    let world = world();
    let home = world.kimg.home();
    world.built(&["app"]);
    fs::write(home.join("old.tar"), "old").unwrap();
    symlink("old.tar", home.join("link.tar")).unwrap();
    let blob = biggest_blob(&world);
    let whole = fs::read(&blob).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    // Nobody writes to a blob, so another file takes its place.
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, damaged).unwrap();
    for kind in ["oci-archive", "docker-archive"] {
        let location = format!("{kind}:link.tar");
        let output = world.kimg.output(&world.build(&["app", "-o", &location]));
        let story = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{story}");
        assert!(story.contains(&format!("error: {location}: sha256:")), "{story}");
        assert!(story.ends_with("hint: `kimg store check --repair` removes what is damaged\n"), "{story}");
        assert!(output.stdout.is_empty());
        assert_eq!(written(&world), ["link.tar", "old.tar"]);
        assert_eq!(bytes(&world, "old.tar"), b"old");
    }
    fs::write(&blob, whole).unwrap();
    // What a process left that was killed is taken away.
    fs::write(home.join(".kimg-1-1"), "half").unwrap();
    world.built(&["app", "-o", "docker-archive:link.tar"]);
    assert!(home.join("link.tar").is_symlink());
    assert_eq!(Archive::open(&home.join("old.tar")).docker_images()[0].names, ["app:1.0"]);
    assert_eq!(written(&world), ["link.tar", "old.tar"]);
}

#[test]
fn a_folder_that_nobody_may_write_to() {
    let world = world();
    let output = world.kimg.output(&world.build(&["other", "-q", "-o", "docker-archive:/sys/kimg.tar"]));
    assert_eq!(output.status.code(), Some(1));
    let story = String::from_utf8(output.stderr).unwrap();
    assert!(story.starts_with("error: docker-archive:/sys/kimg.tar: cannot be written: /sys: "), "{story}");
    assert!(story.ends_with("\nhint: name a file in a folder that you may write to\n"), "{story}");
}

#[test]
fn a_length_that_is_not_true_is_noticed() {
    let world = world();
    world.built(&["other"]);
    let records = world.store().join("cache/records/tars");
    for name in tree(&records) {
        let path = records.join(name);
        let text = fs::read_to_string(&path).unwrap();
        let (before, _) = text.split_once("\"tar_size\":").unwrap();
        fs::write(path, format!("{before}\"tar_size\":1024}}")).unwrap();
    }
    let output = world.kimg.output(&world.build(&["other", "-q", "-o", "docker-archive:a.tar"]));
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{story}");
    assert!(story.contains("of 1024 bytes, found more bytes"), "{story}");
    assert_eq!(written(&world), [""; 0]);
}

#[test]
fn the_copy_into_a_pipe_can_be_interrupted() {
    let world = world();
    world.built(&["other"]);
    let arguments = world.build(&["other", "-o", "docker-archive:-", "-o", "oci-archive:a.tar"]);
    let mut child = world.kimg.command(&arguments).spawn().unwrap();
    // The first bytes are here, and more than a pipe holds is to come.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 512]).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(written(&world), [""; 0]);
}

#[test]
fn all_images_go_to_all_outputs_or_none_is_answered() {
    let world = world();
    let output = world.kimg.output(&world.build(&["app", "othre", "-q", "-o", "oci:out", "-o", "oci-archive:a.tar"]));
    assert_eq!(output.status.code(), Some(5));
    assert!(output.stdout.is_empty());
    assert_eq!(written(&world), [""; 0]);
    world.built(&["app", "other", "-o", "oci:out", "-o", "oci-archive:a.tar", "-o", "docker-archive:b.tar"]);
    let names = |path: &Path| Archive::open(path).docker_images().len();
    assert_eq!(names(&world.kimg.home().join("b.tar")), 2);
    assert!(world.kimg.home().join("out/index.json").is_file() && world.kimg.home().join("a.tar").is_file());
}
