//! A definition, kimg's own or a user's; one that is read has a stable digest.

use std::sync::LazyLock;

use kimg::definition::Catalog;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(document) = kimg::definition::user::parse(text, "fuzz") {
        // What it makes on top of an image; most have no such image below.
        let lock = ("fuzz.lock.toml".to_owned(), None);
        if let Ok(catalog) = CATALOG.with_user(document, "fuzz".into(), lock) {
            let user = catalog.user().expect("it was added");
            assert!(catalog.family(&user.definition.name).is_ok_and(|family| family.is_some()));
        }
    }
    if let Ok(definition) = kimg::definition::parse(text, "fuzz") {
        assert_eq!(kimg::lock::definition_digest(&definition), kimg::lock::definition_digest(&definition.clone()));
    }
}
