//! Registries that fail while they are written to: the copy survives, or says what failed.

#[path = "support/registry.rs"]
mod registry;

use registry::{Registry, bytes, made};

const SIZE: usize = 300_000;

#[test]
fn a_good_registry() {
    let registry = Registry::start();
    let made = made(&[bytes(1, SIZE), bytes(2, 10), Vec::new()]);
    assert_eq!(registry.push(&made, "app:1").unwrap().blobs, 4);
    assert!(registry.holds("app:1", &made.image));
    assert_eq!(registry.push(&made, "app:2").unwrap().present, 4);
    assert!(registry.holds("app:2", &made.image));
}
