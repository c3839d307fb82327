//! A definition, kimg's own or a user's; one that is read has a stable digest.
#![no_main]

use std::sync::LazyLock;

use kimg::definition::Catalog;
use libfuzzer_sys::fuzz_target;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);

fuzz_target!(|text: &str| {
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
});
