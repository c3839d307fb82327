//! `kimg store`.

#[path = "support/command.rs"]
mod command;

use std::fs;

use command::Kimg;
use kimg::oci::{Config, Descriptor, Manifest, media_type, to_bytes};
use kimg::store::Store;

/// A store with one small image, named twice, and a blob that nothing needs.
fn kimg() -> Kimg {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    let store = Store::open(&kimg.home().join("store")).unwrap();
    let config: Config = serde_json::from_str(
        r#"{"created":"2026-01-02T03:04:05Z","architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
    )
    .unwrap();
    let config = store.put(media_type::CONFIG, &to_bytes(&config)).unwrap();
    let layer = store.put(media_type::LAYER, &[7; 20_000]).unwrap();
    let manifest: Manifest = serde_json::from_value(serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config, "layers": [layer],
    }))
    .unwrap();
    let manifest: Descriptor = store.put(media_type::MANIFEST, &to_bytes(&manifest)).unwrap();
    store.name(&["demo:1".to_owned(), "registry.example/demo:1".to_owned()], &manifest).unwrap();
    store.put(media_type::LAYER, b"garbage").unwrap();
    kimg
}

#[test]
fn what_was_built_is_listed() {
    let kimg = kimg();
    insta::assert_snapshot!([kimg.run(&["store", "ls"]), kimg.run(&["store", "ls", "--json"])].join("\n"));
}

#[test]
fn prune_removes_what_nothing_needs_and_tells_before() {
    let kimg = kimg();
    insta::assert_snapshot!(
        [
            kimg.run(&["store", "prune", "--dry-run"]),
            kimg.run(&["store", "prune", "--json"]),
            kimg.run(&["store", "prune", "--downloads"]),
            kimg.run(&["store", "check"]),
        ]
        .join("\n")
    );
}

#[test]
fn damage_is_found_and_mended() {
    let kimg = kimg();
    let layer = Descriptor::of(media_type::LAYER, &[7; 20_000]);
    let path = kimg.home().join("store/blobs/sha256").join(layer.digest.hex());
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "it is about to be damaged")]
    permissions.set_readonly(false);
    fs::set_permissions(&path, permissions).unwrap();
    fs::write(&path, [8; 20_000]).unwrap();
    insta::assert_snapshot!(
        [
            kimg.run(&["store", "check"]),
            kimg.run(&["store", "check", "--json", "-q"]),
            kimg.run(&["store", "check", "--repair", "-q"]),
            kimg.run(&["store", "check", "-q"]),
        ]
        .join("\n")
    );
}
