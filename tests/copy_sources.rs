//! `kimg copy` between layouts, archives and the store, in every pair; and what others write there.

#[path = "support/archive.rs"]
mod archive;
#[path = "support/command.rs"]
mod command;
#[path = "support/places.rs"]
mod places;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use archive::Archive;
use command::Kimg;
use kimg::digest::Digest;
use kimg::oci::{Descriptor, media_type};
use kimg::store::Layout;
use places::{Foreign, archive, gzip, layer};
use serde_json::{Value, json};

/// A home with `lay`, in which `app:1` is one image.
fn home() -> (Kimg, Foreign, Descriptor) {
    let kimg = Kimg::new();
    let mut lay = Foreign::new(&kimg.home().join("lay"));
    let image = lay.image("linux/amd64", "hello");
    lay.name(&image, "app:1");
    (kimg, lay, image)
}

/// Copies, which must work; the digest that is told.
#[track_caller]
fn copied(kimg: &Kimg, from: &str, to: &str) -> String {
    let output = kimg.output(&["copy", from, to]);
    assert_eq!(output.status.code(), Some(0), "{from} {to}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Whether two files are the same, without a word of what is in them.
fn same(kimg: &Kimg, one: &str, other: &str) -> bool {
    fs::read(kimg.home().join(one)).unwrap() == fs::read(kimg.home().join(other)).unwrap()
}

/// What a layout has under its only name, and the name.
fn only(kimg: &Kimg, folder: &str) -> (Descriptor, Option<String>) {
    let index = Layout::open(&kimg.home().join(folder)).unwrap().index().unwrap();
    let [one] = index.manifests.as_slice() else { panic!("{index:?}") };
    (one.clone(), one.annotations.get("org.opencontainers.image.ref.name").cloned())
}

#[test]
fn every_pair_of_places() {
    let (kimg, lay, image) = home();
    let bytes = fs::read(lay.blob(&image)).unwrap();
    // Each as a source of all, made from the first.
    let all = ["oci:lay:app:1", "oci:a:app:1", "oci-archive:a.tar:app:1", "store:app:1"];
    for place in &all[1..] {
        assert_eq!(copied(&kimg, all[0], place), image.digest.to_string());
    }
    copied(&kimg, all[0], "docker-archive:d.tar:app:1");
    for (number, from) in all.iter().enumerate() {
        for target in
            [format!("oci:x{number}:new:2"), format!("oci-archive:x{number}.tar:new:2"), "store:new:2".to_owned()]
        {
            assert_eq!(copied(&kimg, from, &target), image.digest.to_string(), "{from} {target}");
            copied(&kimg, &target, "oci:back");
            let (found, name) = only(&kimg, "back");
            assert_eq!((found.digest, name.as_deref()), (image.digest, Some("new:2")), "{from} {target}");
            let back = kimg.home().join("back");
            assert!(fs::read(back.join("blobs/sha256").join(image.digest.hex())).unwrap() == bytes);
            fs::remove_dir_all(back).unwrap();
        }
        copied(&kimg, from, "docker-archive:again.tar");
        assert!(same(&kimg, "again.tar", "d.tar"));
    }
}

#[test]
fn what_docker_saves_becomes_an_image() {
    let (kimg, lay, image) = home();
    copied(&kimg, "oci:lay", "docker-archive:d.tar");
    let first = copied(&kimg, "docker-archive:d.tar", "oci:one");
    assert_eq!(only(&kimg, "one").1.as_deref(), Some("app:1"));
    let manifest: Value =
        serde_json::from_slice(&fs::read(kimg.home().join("one/blobs/sha256").join(&first[7..])).unwrap()).unwrap();
    let own: Value = serde_json::from_slice(&fs::read(lay.blob(&image)).unwrap()).unwrap();
    assert_eq!(manifest["config"], own["config"], "the configuration stays as it is");
    // From then on nothing changes, whichever way it goes.
    for name in ["", ":app:1", ":docker.io/library/app:1", ":@0"] {
        assert_eq!(copied(&kimg, &format!("docker-archive:d.tar{name}"), "oci:one"), first);
    }
    assert_eq!(copied(&kimg, "oci:one", "docker-archive:again.tar"), first);
    assert!(same(&kimg, "again.tar", "d.tar"));
    // Nothing of it has a name in the store.
    assert_eq!(kimg.output(&["store", "ls"]).stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
}

/// The configuration and the tar of an image whose text this is.
fn parts(text: &str) -> (Vec<u8>, Vec<u8>) {
    let tar = layer(text);
    let ids = [Digest::of(&tar).to_string()];
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ids}});
    (config.to_string().into_bytes(), tar)
}

#[test]
fn archives_of_all_ages() {
    let kimg = Kimg::new();
    let ((one, tar), (two, other)) = (parts("one"), parts("two"));
    let item = |config: &str, tags: Value, layer: &str| json!({"Config": config, "RepoTags": tags, "Layers": [layer]});
    let write = |name: &str, files: &[(&str, Vec<u8>)]| {
        fs::write(kimg.home().join(name), archive(files)).unwrap();
    };
    // Docker before 25: folders, `manifest.json` last; two images.
    let items = json!([
        item("one.json", json!(["one:1", "one:2"]), "1/layer.tar"),
        item("two.json", json!(null), "2/layer.tar")
    ]);
    write(
        "old.tar",
        &[
            ("1/VERSION", b"1.0".to_vec()),
            ("1/json", b"{}".to_vec()),
            ("1/layer.tar", tar.clone()),
            ("2/layer.tar", other.clone()),
            ("one.json", one.clone()),
            ("two.json", two.clone()),
            ("manifest.json", items.to_string().into_bytes()),
            ("repositories", b"{}".to_vec()),
        ],
    );
    let first = copied(&kimg, "docker-archive:old.tar:one:2", "oci:a");
    let second = copied(&kimg, "docker-archive:old.tar:@1", "oci:b");
    assert_ne!(first, second);
    // Of Go and Bazel programs: packed layers, whose names say nothing.
    let items = json!([item("sha256:c", json!(["one:1"]), "l.tar.gz")]);
    write(
        "go.tar",
        &[("sha256:c", one.clone()), ("l.tar.gz", gzip(&tar)), ("manifest.json", items.to_string().into_bytes())],
    );
    copied(&kimg, "docker-archive:go.tar", "oci:c");
    let image = kimg::oci::Descriptor::clone(&only(&kimg, "c").0);
    let manifest = fs::read(kimg.home().join("c/blobs/sha256").join(image.digest.hex())).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["layers"][0]["digest"], Digest::of(&gzip(&tar)).to_string(), "packed ones stay as they are");
    // Docker from 25 on: a layout inside, and `manifest.json` for others.
    let lay = Foreign::new(&kimg.home().join("lay"));
    let modern = lay.image("linux/amd64", "modern");
    let mut files = vec![("oci-layout".to_owned(), fs::read(lay.folder.join("oci-layout")).unwrap())];
    let manifest: Value = serde_json::from_slice(&fs::read(lay.blob(&modern)).unwrap()).unwrap();
    for descriptor in [&json!(modern), &manifest["config"], &manifest["layers"][0]] {
        let descriptor: Descriptor = serde_json::from_value(descriptor.clone()).unwrap();
        files.push((format!("blobs/sha256/{}", descriptor.digest.hex()), fs::read(lay.blob(&descriptor)).unwrap()));
    }
    let mut entry = json!(modern);
    entry["annotations"] = json!({
        "io.containerd.image.name": "docker.io/library/modern:1", "org.opencontainers.image.ref.name": "1",
    });
    files.push(("index.json".to_owned(), json!({"schemaVersion": 2, "manifests": [entry]}).to_string().into_bytes()));
    let item = item(&files[2].0, json!(["modern:1"]), &files[3].0);
    files.push(("manifest.json".to_owned(), json!([item]).to_string().into_bytes()));
    let all: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    write("modern.tar", &all);
    for source in ["docker-archive:modern.tar", "docker-archive:modern.tar:modern:1", "oci-archive:modern.tar:modern:1"]
    {
        assert_eq!(copied(&kimg, source, "oci:d"), modern.digest.to_string(), "{source}");
    }
    assert_eq!(only(&kimg, "d").1.as_deref(), Some("modern:1"));
    // Without its index it is read as one of the older.
    let without: Vec<_> = all.iter().filter(|(path, _)| *path != "index.json").cloned().collect();
    write("without.tar", &without);
    copied(&kimg, "docker-archive:without.tar:modern:1", "oci:e");
}

#[test]
fn archives_come_by_a_pipe() {
    let (kimg, _, image) = home();
    copied(&kimg, "oci:lay", "oci-archive:a.tar");
    copied(&kimg, "oci:lay", "docker-archive:d.tar");
    let pipe = |from: &str, to: &str, file: &str| {
        let mut child = kimg.command(&["copy", from, to]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&fs::read(kimg.home().join(file)).unwrap()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = pipe("oci-archive:-", "oci:x", "a.tar");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", image.digest));
    assert_eq!(only(&kimg, "x").1.as_deref(), Some("app:1"));
    // On standard output there is the archive, and nothing else.
    let output = pipe("docker-archive:-", "docker-archive:-", "d.tar");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == fs::read(kimg.home().join("d.tar")).unwrap());
    Archive::read(&output.stdout).docker_images();
}

#[test]
fn names_and_digests_of_a_layout() {
    let (kimg, mut lay, image) = home();
    let other = lay.image("linux/arm64", "other");
    let index = lay.index(&[json!(image), json!(other)]);
    lay.list(
        &index,
        &json!({"org.opencontainers.image.ref.name": "2", "io.containerd.image.name": "docker.io/me/all:2"}),
    );
    let digest = |name: &str| copied(&kimg, &format!("oci:lay{name}"), "oci-archive:x.tar");
    for name in [":app:1", ":@0", &format!("@{}", image.digest)] {
        assert_eq!(digest(name), image.digest.to_string(), "{name}");
    }
    for name in [":me/all:2", ":docker.io/me/all:2", ":@1", &format!("@{}", index.digest)] {
        assert_eq!(digest(name), index.digest.to_string(), "{name}");
    }
    // One that is listed nowhere, but in an index.
    assert_eq!(digest(&format!("@{}", other.digest)), other.digest.to_string());
    let shown = |from: &str| kimg.run(&["copy", from, "oci:out", "--progress", "none"]);
    let all = [
        shown("oci:lay"),
        shown("oci:lay:app:2"),
        shown("oci:lay:@2"),
        shown("oci:nothing"),
        shown("oci:lay@sha256:12"),
    ];
    insta::assert_snapshot!(all.join("\n"));
    assert!(!kimg.home().join("out").exists());
}

#[test]
fn referrers_of_a_layout_are_no_images_of_their_own() {
    let (kimg, mut lay, image) = home();
    let empty = lay.put("application/vnd.oci.empty.v1+json", b"{}");
    let referrer = |subject: &Descriptor| {
        let document = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "artifactType": "application/x",
            "config": empty, "layers": [empty], "subject": subject,
        });
        lay.put(media_type::MANIFEST, document.to_string().as_bytes())
    };
    let (listed, fallen_back) = (referrer(&image), referrer(&empty));
    let fallback = lay.index(&[json!(fallen_back)]);
    lay.list(&listed, &json!({}));
    lay.name(&fallback, &format!("sha256-{}", image.digest.hex()));
    assert_eq!(copied(&kimg, "oci:lay", "oci:out"), image.digest.to_string());
    assert_eq!(copied(&kimg, "oci:lay", "oci-archive:out.tar"), image.digest.to_string());
}

#[test]
fn a_place_that_lacks_something() {
    let (kimg, lay, image) = home();
    let manifest: Value = serde_json::from_slice(&fs::read(lay.blob(&image)).unwrap()).unwrap();
    let layer: Descriptor = serde_json::from_value(manifest["layers"][0].clone()).unwrap();
    let (path, bytes) = (lay.blob(&layer), fs::read(lay.blob(&layer)).unwrap());
    let shown = |to: &str| kimg.run(&["copy", "oci:lay", to, "--progress", "none"]);
    fs::remove_file(&path).unwrap();
    let missing = shown("oci:out");
    fs::write(&path, [&bytes[..bytes.len() - 1], b"x"].concat()).unwrap();
    let wrong = [shown("oci:out"), shown("oci-archive:out.tar"), shown("docker-archive:out.tar")];
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let folder = shown("oci:out");
    insta::assert_snapshot!([&[missing][..], &wrong, &[folder]].concat().join("\n"));
    assert!(!kimg.home().join("out.tar").exists());
    assert_eq!(Layout::open(&kimg.home().join("out")).unwrap().index().unwrap().manifests, []);
}

#[test]
fn the_same_place_twice() {
    let (kimg, lay, image) = home();
    let before = fs::read(lay.folder.join("index.json")).unwrap();
    assert_eq!(copied(&kimg, "oci:lay:app:1", "oci:lay:app:1"), image.digest.to_string());
    assert_eq!(fs::read(lay.folder.join("index.json")).unwrap(), before);
    copied(&kimg, "oci:lay:app:1", "oci:lay:app:2");
    copied(&kimg, "oci:lay:app:1", "oci-archive:a.tar");
    std::os::unix::fs::symlink("a.tar", kimg.home().join("link.tar")).unwrap();
    insta::assert_snapshot!(kimg.run(&["copy", "oci-archive:a.tar", "oci-archive:link.tar:other:1"]));
    copied(&kimg, "oci-archive:a.tar:app:1", "oci:again");
}

#[test]
fn several_platforms_where_one_can_be() {
    let (kimg, mut lay, image) = home();
    let mut amd64 = json!(image);
    amd64["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let mut arm64 = json!(lay.image("linux/arm64", "other"));
    arm64["platform"] = json!({"os": "linux", "architecture": "arm64"});
    let index = lay.index(&[amd64, arm64]);
    lay.name(&index, "all:1");
    insta::assert_snapshot!(kimg.run(&["copy", "oci:lay:all:1", "docker-archive:out.tar"]));
    assert!(!kimg.home().join("out.tar").exists());
    // Nothing of it was brought into the store for that.
    let blobs = kimg.home().join(".local/share/kimg/blobs/sha256");
    assert!(!blobs.join(image.digest.hex()).exists());
    assert_eq!(copied(&kimg, "oci:lay:all:1", "oci-archive:all.tar"), index.digest.to_string());
    assert_eq!(copied(&kimg, "oci-archive:all.tar", "store:all:1"), index.digest.to_string());
    assert_eq!(kimg.output(&["store", "check"]).status.code(), Some(0));
}
