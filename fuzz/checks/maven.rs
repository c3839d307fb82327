//! What a machine tells of Maven and apt: settings, super POM, sources.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use kimg::lock::Upstream;
use kimg::upstream::hosts::Machine;
use kimg::upstream::maven::Coordinates;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("kimg-fuzz-{}", std::process::id()));
    for below in [".m2", "etc/apt/sources.list.d"] {
        fs::create_dir_all(folder.join(below)).expect("a folder for the fuzzer");
    }
    folder
});

/// Checks one input.
pub fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Coordinates>();
    }
    for file in [".m2/settings.xml", "etc/apt/sources.list", "etc/apt/sources.list.d/a.sources"] {
        fs::write(FOLDER.join(file), bytes).expect("a file for the fuzzer");
    }
    let machine = Machine { root: FOLDER.clone(), home: Some(FOLDER.clone()), ..Machine::default() };
    for upstream in [Upstream::Maven, Upstream::Debian, Upstream::DebianSecurity] {
        for base in machine.bases(upstream, None) {
            assert!(base.url.starts_with("http"), "{}", base.url);
        }
    }
}
