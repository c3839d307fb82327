//! Embeds what kimg carries: the program inside images, and every file below `images/`.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "cargo tells and is told by these")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    for path in ["build.rs", "Cargo.toml", "images", "src/layer", "src/build"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let mut text = String::new();
    embed_entrypoint(&root, &out, &mut text);
    embed_files(&root.join("images"), &mut text);
    let sources: Vec<(String, PathBuf)> =
        ["src/layer", "src/build"].iter().flat_map(|folder| files(&root, &root.join(folder))).collect();
    define(&mut text, "ASSEMBLY_HASH", "The digest of the sources that assemble layers.", &hash_all(&sources));
    write(&out.join("embedded.rs"), text.as_bytes());
}

/// Builds `images/entrypoint` by a cargo of its own. Its bytes must depend on nothing but its sources and the compiler,
/// so what the outer build was told is taken from its environment, and the folder's name from its paths.
fn embed_entrypoint(root: &Path, out: &Path, text: &mut String) {
    let target = variable("TARGET");
    let target_folder = out.join("entrypoint");
    let mut cargo = Command::new(variable("CARGO"));
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let keep = ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
        let ours = name.starts_with("CARGO_") && !keep.iter().any(|prefix| name.starts_with(prefix));
        if ours || matches!(name.as_str(), "RUSTFLAGS" | "RUSTC_WORKSPACE_WRAPPER" | "PROFILE" | "OPT_LEVEL" | "DEBUG")
        {
            cargo.env_remove(name);
        }
    }
    let flags = ["-Ctarget-feature=+crt-static".to_owned(), format!("--remap-path-prefix={}=/kimg", root.display())];
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .current_dir(root)
        .args(["build", "--quiet", "--locked", "--offline", "--package", "kimg-entrypoint", "--bin", "kimg-entrypoint"])
        .args(["--profile", "entrypoint", "--target", &target, "--target-dir"])
        .arg(&target_folder);
    let status = cargo.status().unwrap_or_else(|error| panic!("cargo for images/entrypoint: {error}"));
    assert!(status.success(), "images/entrypoint did not build: {status}");

    let program = target_folder.join(&target).join("entrypoint/kimg-entrypoint");
    let digest = hex(&Sha256::digest(read(&program)));
    let compiler = compiler();
    let pins = String::from_utf8_lossy(&read(&root.join("images/entrypoint/pins.txt"))).into_owned();
    let pinned = pins.lines().any(|line| line == format!("{digest} {target} {compiler}"));
    let path = program.display();
    let _ = writeln!(
        text,
        "/// The program inside images.\npub static ENTRYPOINT: &[u8] = include_bytes!({path:?});",
        path = path.to_string()
    );
    define(text, "ENTRYPOINT_SHA256", "Its SHA-256 digest.", &digest);
    define(
        text,
        "ENTRYPOINT_BUILD",
        "Its line in `images/entrypoint/pins.txt`.",
        &format!("{digest} {target} {compiler}"),
    );
    let kind = if pinned { "pinned" } else { "own build" };
    define(text, "ENTRYPOINT_KIND", "`pinned`: the project's bytes for that compiler; or `own build`.", kind);
    define(
        text,
        "LONG_VERSION",
        "What `kimg --version` prints after the name.",
        &format!("{}\nentrypoint: {kind}, sha256:{digest}, {target}, {compiler}", variable("CARGO_PKG_VERSION")),
    );
}

fn compiler() -> String {
    let output = Command::new(variable("RUSTC")).arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("rustc --version: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn embed_files(images: &Path, text: &mut String) {
    let _ = writeln!(text, "/// Files below `images/`, by path, sorted.\npub static FILES: &[(&str, &[u8])] = &[");
    for (name, path) in files(images, images) {
        if !name.starts_with("entrypoint/") {
            let _ = writeln!(text, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
        }
    }
    text.push_str("];\n");
}

fn define(text: &mut String, name: &str, doc: &str, value: &str) {
    let _ = writeln!(text, "/// {doc}\npub const {name}: &str = {value:?};");
}

/// Files below a folder with their path below `root`, sorted by it.
fn files(root: &Path, folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else if let Ok(name) = path.strip_prefix(root) {
            found.push((name.to_string_lossy().into_owned(), path.clone()));
        }
    }
    found.sort();
    found
}

fn hash_all(sources: &[(String, PathBuf)]) -> String {
    let mut hasher = Sha256::new();
    for (name, path) in sources {
        let bytes = read(path);
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
