//! What the flags of `kimg build` change in an image, and what they write.

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
#[path = "support/truststore.rs"]
mod truststore;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use catalog::{ALPHA, BETA, COMPANY, Material, World, noise};
use image::Image;
use kimg::lock;
use serde_json::Value;
use truststore::Truststore;

/// Builds `other` with these flags.
fn image(world: &World, more: &[&str]) -> Image {
    let answer = world.built(&[&["other", "-o", "oci:out:it"], more].concat());
    let image = Image::open(&world.kimg.home().join("out"), "it");
    assert!(answer.trim_end().ends_with(&image.digest), "{answer}");
    image
}

/// The lines of the last layer's entries.
fn last(image: &Image) -> String {
    image.layers.last().unwrap().lines()
}

#[test]
fn names_labels_annotations_and_variables() {
    let world = Material::new().lock();
    let plain = image(&world, &[]);
    let flags = [
        "--label",
        "a=1",
        "--label",
        "a=2",
        "--label",
        "org.opencontainers.image.title=Mine",
        "--annotation",
        "b=x=y",
        "--env",
        "LEVEL=2",
        "--env",
        "EMPTY=",
        "-t",
        "registry.example/other:x",
        "-t",
        "another",
        "app",
    ];
    let answer = world.built(&[&flags[..flags.len() - 1], &["app", "-o", "oci:out"]].concat());
    let out = world.kimg.home().join("out");
    let tagged = Image::open(&out, "registry.example/other:x");
    assert_eq!(answer, format!("registry.example/other:x@{}\n", tagged.digest));
    assert_eq!(Image::open(&out, "another").digest, tagged.digest);
    let config = &tagged.config["config"];
    assert_eq!(
        (&config["Labels"]["a"], &config["Labels"]["org.opencontainers.image.title"]),
        (&"2".into(), &"Mine".into())
    );
    assert_eq!(tagged.manifest["annotations"]["b"], "x=y");
    assert_eq!(tagged.manifest["annotations"]["org.opencontainers.image.title"], "The App");
    let env: Vec<&str> = config["Env"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(env, ["EMPTY=", "LEVEL=2", "PATH=/opt/app/bin:/usr/bin:/bin"]);
    // The layers do not depend on any of it.
    assert_eq!(tagged.digests()[..2], plain.digests()[..2]);
    let listed = world.kimg.run(&["store", "ls"]);
    assert!(["app:1.0", "another", "registry.example/other:x", "other:1"].iter().all(|name| listed.contains(name)));
}

#[test]
fn a_dialect_and_a_user_change_the_configuration_only() {
    let mut material = Material::new();
    let dialects = "[dialects]\nvariable = \"SPEAKS\"\nnames = [\"old\", \"new\"]\n\n[[layer]]";
    material.other = material.other.replacen("[[layer]]", dialects, 1);
    let world = material.lock();
    let plain = image(&world, &[]);
    let changed = image(&world, &["--dialect", "old", "--user", "1001:0"]);
    assert_eq!(changed.config["config"]["User"], "1001:0");
    assert_eq!(
        changed.config["config"]["Env"].as_array().unwrap().iter().filter(|text| *text == "SPEAKS=old").count(),
        1
    );
    assert_eq!(changed.manifest["layers"], plain.manifest["layers"]);
    assert_ne!(changed.digest, plain.digest);
    let refused = [["--dialect", "odl"], ["--user", "kafka"]];
    let said = refused.map(|flags| world.kimg.run(&world.build(&[&["other", "-q"], &flags[..]].concat())));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn compressions_change_blobs_and_media_types_and_no_diff_id() {
    let world = Material::new().lock();
    let plain = image(&world, &[]);
    let mut seen = vec![plain.digests().join(" ")];
    for (kind, media_type) in [
        ("gzip:1", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("gzip:9", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("zstd:19", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("none", "application/vnd.oci.image.layer.v1.tar"),
    ] {
        let other = image(&world, &["--compression", kind]);
        assert_eq!(other.diff_ids(), plain.diff_ids(), "{kind}");
        assert!(other.layers.iter().all(|layer| layer.media_type == media_type), "{kind}");
        let digests = other.digests().join(" ");
        assert!(!seen.contains(&digests), "{kind}");
        seen.push(digests);
        assert_eq!(image(&world, &["--compression", kind, "-j", "1"]).digest, other.digest, "{kind}");
    }
    let none = image(&world, &["--compression", "none"]);
    assert_eq!(none.digests(), none.diff_ids());
}

#[test]
fn files_of_the_users_are_the_last_layer() {
    let world = Material::new().lock();
    let home = world.kimg.home();
    world.kimg.write("mine.properties", "a = 1\n");
    world.kimg.write("tree/etc/deep/er/file", "deep\n");
    world.kimg.write("tree/bin/run", "#!/bin/sh\n");
    world.kimg.write("tree/lib/x/extra.so", "lib\n");
    fs::create_dir(home.join("tree/empty")).unwrap();
    fs::set_permissions(home.join("tree/bin/run"), fs::Permissions::from_mode(0o6750)).unwrap();
    symlink("../etc/deep", home.join("tree/bin/climbs")).unwrap();
    symlink("/nowhere", home.join("tree/dangling")).unwrap();
    symlink("usr/sbin", home.join("tree/sbin")).unwrap();
    symlink("mine.properties", home.join("a link")).unwrap();
    let added = image(
        &world,
        &[
            "--add",
            "mine.properties:/etc/mine.properties:0600",
            "--add",
            "mine.properties:/opt/other/",
            "--add",
            "mine.properties:/",
            "--add",
            "mine.properties:/bin/x",
            "--add",
            "mine.properties:/sbin/",
            "--add",
            "a link:/etc/linked",
            "--add",
            "tree:/",
            "--add",
            "tree/etc:/lib/etc",
        ],
    );
    insta::assert_snapshot!(last(&added));
    assert_eq!(added.layers.len(), 4);
    assert_eq!(added.at("etc/linked").text(), "a = 1\n");
    assert_eq!(added.at("etc/deep/er/file").text(), "deep\n");
    let time = lock::seconds(catalog::BASE_CREATED).unwrap();
    assert!(added.layers[3].entries.iter().all(|found| found.mtime == time));
    let history = added.config["history"].as_array().unwrap();
    assert_eq!(history[3]["created_by"], "files added by the user of kimg");
    // The order of the flags and the names of the layers below stay.
    assert_eq!(added.digests()[..3], image(&world, &[]).digests()[..3]);
}

#[test]
fn folders_and_links_of_the_layers_below_stay_what_they_are() {
    let world = Material::new().lock();
    world.kimg.write("mine", "x");
    world.kimg.write("tree/var/data/deep/file", "y");
    fs::create_dir_all(world.kimg.home().join("tree/run/lock")).unwrap();
    let flags = ["--add", "mine:/tmp/mine", "--add", "tree:/", "--add", "mine:/usr/bin/near"];
    let added = image(&world, &flags);
    insta::assert_snapshot!("folders", last(&added));
    // The same where the layers below were not built just now.
    assert_eq!(image(&world, &flags).digest, added.digest);
    world.kimg.write("links/usr/lib/jvm/java/conf", "z");
    let said = ["mine:/usr/lib/jvm/java/conf/mine", "links:/", "mine:/usr/bin/near/"]
        .map(|add| world.kimg.run(&world.build(&["other", "-q", "--add", add])));
    insta::assert_snapshot!("links", said.join("\n"));
}

#[test]
fn what_is_added_does_not_depend_on_owner_time_or_umask() {
    let world = Material::new().lock();
    world.kimg.write("tree/file", "x");
    world.kimg.write("tree/below/file", "y");
    let first = image(&world, &["--add", "tree:/opt/tree"]).digest;
    for (path, mode) in [("tree", 0o700), ("tree/below", 0o711), ("tree/file", 0o600), ("tree/below/file", 0o666)] {
        fs::set_permissions(world.kimg.home().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let file = fs::File::options().write(true).open(world.kimg.home().join("tree/file")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(image(&world, &["--add", "tree:/opt/tree"]).digest, first);
    // Twice the same path is a mistake, whatever is there.
    let twice = world.build(&["other", "-q", "--add", "tree:/opt/tree", "--add", "tree/file:/opt/tree/file"]);
    insta::assert_snapshot!(world.kimg.run(&twice));
}

#[test]
fn names_that_are_not_utf8_are_kept() {
    let world = Material::new().lock();
    let folder = world.kimg.home().join("tree");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"caf\xe9")), "x").unwrap();
    fs::write(folder.join("caf\u{e9}"), "y").unwrap();
    symlink(OsStr::from_bytes(b"\xff"), folder.join("link")).unwrap();
    let added = image(&world, &["--add", "tree:/opt/tree"]);
    assert_eq!(
        last(&added),
        "5 0755 0:0 opt\n5 0755 0:0 opt/tree\n0 0644 0:0 opt/tree/caf\\xc3\\xa9\n0 0644 0:0 opt/tree/caf\\xe9\n\
         2 0777 0:0 opt/tree/link -> \\xff\n"
    );
    let source = [folder.as_os_str().as_bytes(), b"/caf\xe9:/opt/single"].concat();
    let mut command = world.kimg.command(&world.build(&["other", "-q", "--add"]));
    assert_eq!(command.arg(OsStr::from_bytes(&source)).output().unwrap().status.code(), Some(0));
}

#[test]
fn what_no_image_can_hold_is_refused() {
    let world = Material::new().lock();
    let home = world.kimg.home();
    fs::create_dir_all(home.join("tree/below")).unwrap();
    let _socket = UnixListener::bind(home.join("socket")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.join("tree/below/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    world.kimg.write("dots/.wh.bash", "");
    symlink("absent", home.join("dangling")).unwrap();
    let said = ["socket:/etc/x", "tree:/etc/x", "/dev/null:/etc/x", "dots:/usr/bin", "dangling:/etc/x", "socket:/opt"]
        .map(|add| world.kimg.run(&world.build(&["other", "-q", "--add", add])));
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(catalog::tree(&world.store().join("cache/tmp")), [""; 0]);
}

#[test]
fn authorities_of_the_users_are_in_the_bundle_and_in_the_truststore() {
    let world = Material::new().lock();
    world.kimg.write("company.pem", &format!("# ours\n{COMPANY}"));
    // Of the same name, with a certificate that is there already and one that is new.
    world.kimg.write("more/company.pem", &[BETA, COMPANY].concat());
    let trusted = image(&world, &["--ca", "company.pem", "--ca", "more/company.pem"]);
    assert_eq!(
        last(&trusted),
        "5 0755 0:0 etc\n5 0755 0:0 etc/ssl\n0 0644 0:0 etc/ssl/ca-bundle.crt\n0 0644 0:0 etc/ssl/cacerts\n"
    );
    assert_eq!(trusted.at("etc/ssl/ca-bundle.crt").text(), [ALPHA, BETA, COMPANY, BETA, COMPANY].concat());
    let store = Truststore::read(&trusted.at("etc/ssl/cacerts").bytes);
    let found: Vec<_> = store.entries.iter().map(|entry| (entry.alias.as_str(), entry.milliseconds)).collect();
    // The company's is of 2052-06-07T08:09:10Z, a GeneralizedTime.
    assert_eq!(
        found,
        [("company-0.crt", 2_601_360_550_000), ("same.crt", 981_173_106_000), ("same.crt-2", 1_583_298_367_000)]
    );
    assert_eq!(store.pem(), [COMPANY, ALPHA, BETA]);
    for kind in ["zstd", "none"] {
        let other = image(&world, &["--ca", "company.pem", "--ca", "more/company.pem", "--compression", kind]);
        assert_eq!(other.diff_ids(), trusted.diff_ids(), "{kind}");
    }
}

#[test]
fn authorities_that_are_none_are_refused() {
    let world = Material::new().lock();
    world.kimg.write("good.pem", COMPANY);
    world.kimg.write("empty.pem", "nothing here\n");
    world.kimg.write("cut.pem", &COMPANY[..200]);
    world.kimg.write("odd.pem", "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n");
    world.kimg.write("short.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    fs::write(world.kimg.home().join("binary.pem"), [0xFF; 10]).unwrap();
    fs::write(world.kimg.home().join("large.pem"), noise("pem", (1 << 20) + 1)).unwrap();
    let said = ["absent", "empty", "cut", "odd", "short", "binary", "large"].map(|name| {
        let name = format!("{name}.pem");
        world.kimg.run(&world.build(&["other", "-q", "--ca", "good.pem", "--ca", &name]))
    });
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn authorities_need_a_bundle_and_its_certificates_in_the_layers_below() {
    let mut material = Material::new();
    // Certificates that are not in the image cannot be put into a bundle again.
    material.base = material.base.replace(r#""usr/share/man","#, r#""usr/share/man", "usr/share/ca-certificates","#);
    let world = material.lock();
    world.kimg.write("good.pem", COMPANY);
    let without = world.kimg.run(&world.build(&["other", "-q", "--ca", "good.pem"]));
    material.base = material
        .base
        .lines()
        .filter(|line| !line.contains("ca-certificates/**"))
        .map(|line| format!("{line}\n"))
        .collect();
    let world = material.lock();
    world.kimg.write("good.pem", COMPANY);
    insta::assert_snapshot!([without, world.kimg.run(&world.build(&["other", "-q", "--ca", "good.pem"]))].join("\n"));
}

#[test]
fn several_images_with_one_command() {
    let world = Material::new().lock();
    world.kimg.write("mine", "x");
    let arguments = ["app", "other:1", "-o", "oci:out", "--metadata-file", "meta.json", "--add", "mine:/etc/mine"];
    let answer = world.built(&arguments);
    let out = world.kimg.home().join("out");
    let images = ["app:1.0", "other:1"].map(|name| Image::open(&out, name));
    assert_eq!(answer, format!("app:1.0@{}\nother:1@{}\n", images[0].digest, images[1].digest));
    let metadata: Value = serde_json::from_slice(&fs::read(world.kimg.home().join("meta.json")).unwrap()).unwrap();
    for image in &images {
        assert!(image.entry("etc/mine").is_some());
    }
    assert_eq!(metadata["app:1.0"]["containerimage.digest"], images[0].digest);
    assert_eq!(metadata["other:1"]["containerimage.config.digest"], images[1].manifest["config"]["digest"]);
    let said = [
        world.kimg.run(&world.build(&["app", "other", "-t", "one"])),
        world.kimg.run(&world.build(&["app", "other", "--iidfile", "id"])),
        world.kimg.run(&world.build(&["app", "other", "-o", "oci:out:one"])),
        // The first is there when the second is not found, and is answered.
        world.kimg.run(&world.build(&["app", "othre", "-q"])),
    ];
    insta::assert_snapshot!(said[..3].join("\n"));
    assert!(said[3].contains("app:1.0@sha256:") && said[3].ends_with("exit code: 5\n"), "{}", said[3]);
}

#[test]
fn the_story_of_a_build() {
    let world = Material::new().lock();
    world.built(&["other"]);
    let quiet = world.kimg.output(&world.build(&["app", "-q"]));
    assert_eq!(String::from_utf8_lossy(&quiet.stderr), "");
    let story = |more: &[&str]| {
        let output = world.kimg.output(&world.build(&[&["other"], more].concat()));
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    insta::assert_snapshot!([story(&[]), story(&["-v"]), story(&["--progress", "none"])].join("--\n"));
    let mut cold = world.kimg.command(&world.build(&["other", "-v", "--progress", "plain"]));
    let mut lines: Vec<String> = String::from_utf8(cold.env("KIMG_HOME", "cold").output().unwrap().stderr)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    // What is done side by side has no order.
    lines.sort();
    insta::assert_snapshot!("cold", lines.join("\n"));
}
