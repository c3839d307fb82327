//! `kimg inspect`: what an image is, for people and for programs.

#[path = "support/command.rs"]
mod command;
#[path = "support/layout.rs"]
mod layout;

use command::Kimg;
use kimg::digest::Digest;
use kimg::oci::{Descriptor, media_type};
use layout::{layout, put};
use serde_json::{Value, json};

fn kimg() -> Kimg {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    layout(&kimg.home().join("in"));
    kimg
}

#[test]
fn an_index_and_its_first_image() {
    insta::assert_snapshot!(kimg().run(&["inspect", "oci:in:app:1"]));
}

#[test]
fn an_image_of_one_platform() {
    insta::assert_snapshot!(kimg().run(&["inspect", "oci:in:one:1"]));
}

#[test]
fn another_platform_as_json() {
    insta::assert_snapshot!(kimg().run(&["inspect", "oci:in:app:1", "--platform", "linux/arm64", "--json"]));
}

#[test]
fn bytes_as_they_are() {
    let kimg = kimg();
    let digest_of = |arguments: &[&str]| {
        let output = kimg.output(arguments);
        assert!(output.status.success() && output.stderr.is_empty());
        Digest::of(&output.stdout).to_string()
    };
    let json: Value = serde_json::from_slice(&kimg.output(&["inspect", "oci:in:app:1", "--json"]).stdout).unwrap();
    assert_eq!(digest_of(&["inspect", "oci:in:app:1", "--raw"]), json["digest"]);
    let arm = ["inspect", "oci:in:app:1", "--platform", "linux/arm64"];
    assert_eq!(digest_of(&[&arm[..], &["--raw"]].concat()), json["manifests"][1]["digest"]);
    let json: Value = serde_json::from_slice(&kimg.output(&[&arm[..], &["--json"]].concat()).stdout).unwrap();
    assert_eq!(digest_of(&[&arm[..], &["--image-config"]].concat()), json["image"]["config"]["digest"]);
}

#[test]
fn artifacts_attestations_and_empty_indexes() {
    let kimg = kimg();
    let layout = kimg::store::Layout::open(&kimg.home().join("in")).unwrap();
    let empty = put(&layout, "application/vnd.oci.empty.v1+json", b"{}");
    let text = put(&layout, "text/plain\u{1b}", b"text");
    let subject = Descriptor::of(media_type::MANIFEST, b"elsewhere");
    let artifact = json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "artifactType": "application/vnd.example.note",
        "config": empty, "layers": [text], "subject": subject,
    });
    let artifact = put(&layout, media_type::MANIFEST, artifact.to_string().as_bytes());
    layout.name(&["artifact:1".to_owned()], &artifact).unwrap();
    let index = put(&layout, media_type::INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    layout.name(&["empty:1".to_owned()], &index).unwrap();
    let one = layout.resolve("one:1").unwrap().unwrap();
    let mut attestation = artifact;
    attestation.platform = Some("unknown/unknown".parse().unwrap());
    let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [attestation, one]});
    let index = put(&layout, media_type::INDEX, index.to_string().as_bytes());
    layout.name(&["attested:1".to_owned()], &index).unwrap();
    insta::assert_snapshot!(
        [
            kimg.run(&["inspect", "oci:in:artifact:1"]),
            kimg.run(&["inspect", "oci:in:empty:1"]),
            kimg.run(&["inspect", "oci:in:attested:1"]),
        ]
        .join("\n")
    );
}

#[test]
fn what_cannot_be_shown() {
    let kimg = kimg();
    let layout = kimg::store::Layout::open(&kimg.home().join("in")).unwrap();
    let broken = put(&layout, media_type::MANIFEST, b"[]");
    layout.name(&["broken:1".to_owned()], &broken).unwrap();
    insta::assert_snapshot!(
        [
            kimg.run(&["inspect"]),
            kimg.run(&["inspect", "kafka:3.5.2"]),
            kimg.run(&["inspect", "oci:in"]),
            kimg.run(&["inspect", "oci:in:two:1"]),
            kimg.run(&["inspect", "oci:in:app:1", "--platform", "linux/s390x"]),
            kimg.run(&["inspect", "oci:in:one:1", "--platform", "linux/arm64"]),
            kimg.run(&["inspect", "oci:in:one:1", "--raw", "--json"]),
            kimg.run(&["inspect", "oci:in:broken:1"]),
            kimg.run(&["inspect", "store:kafka:3.5.2"]),
        ]
        .join("\n")
    );
}
