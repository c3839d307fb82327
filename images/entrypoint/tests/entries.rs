//! The entries of other images: what the program knows, the image has, and the other way round.

use std::fs;
use std::path::Path;

use kimg_entrypoint::entries;

/// The definition of Kafka's image.
fn definition() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../kafka/image.toml")).unwrap()
}

#[test]
fn each_path_is_in_the_image() {
    let definition = definition();
    for path in entries::paths() {
        let inside = path.trim_start_matches('/');
        let is_file = definition.contains(&format!("from = \"config/entry\", to = \"{inside}\""));
        let is_link = definition.lines().any(|line| line.starts_with(&format!("\"{inside}\" = ")));
        assert!(is_file || is_link, "{path}");
    }
}

#[test]
fn each_file_is_known() {
    let definition = definition();
    let files = definition.lines().filter(|line| line.contains("from = \"config/entry\""));
    let paths: Vec<&str> = files.filter_map(|line| line.split('"').nth(3)).collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        assert!(entries::find(&format!("/{path}")).is_some(), "{path}");
    }
}

#[test]
fn a_shell_comes_to_the_same() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../kafka/config/entry")).unwrap();
    assert!(text.starts_with("#!/usr/bin/kimg-entrypoint\n"));
    assert!(text.ends_with("\nexec /usr/bin/kimg-entrypoint \"$0\" \"$@\"\n"));
}
