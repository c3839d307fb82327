//! Embeds what kimg carries: the programs inside images, and every file below `images/`.

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
    embed_entrypoints(&root, &out, &mut text);
    embed_files(&root.join("images"), &mut text);
    let sources: Vec<(String, PathBuf)> =
        ["src/layer", "src/build"].iter().flat_map(|folder| files(&root, &root.join(folder))).collect();
    define(&mut text, "ASSEMBLY_HASH", "The digest of the sources that assemble layers.", &hash_all(&sources));
    write(&out.join("embedded.rs"), text.as_bytes());
}

/// Builds `images/entrypoint` by a cargo of its own. Its bytes must depend on nothing but its sources and the compiler,
/// so what the outer build was told is taken from its environment, and the folder's name from its paths.
fn compile_entrypoint(root: &Path, out: &Path, target: &str) -> PathBuf {
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
        .args(["--profile", "entrypoint", "--target", target, "--target-dir"])
        .arg(&target_folder);
    let status = cargo.status().unwrap_or_else(|error| panic!("cargo for images/entrypoint: {error}"));
    assert!(status.success(), "images/entrypoint did not build: {status}");

    target_folder.join(target).join("entrypoint/kimg-entrypoint")
}

/// A program inside images, and its line in the pins.
struct Entrypoint {
    path: PathBuf,
    digest: String,
    target: String,
    compiler: String,
}

impl Entrypoint {
    fn line(&self) -> String {
        format!("{} {} {}", self.digest, self.target, self.compiler)
    }
}

/// The programs that `scripts/entrypoint-arm64` put into `images/entrypoint/built`, each with a file beside it that tells
/// its line in the pins and the sources it is of. One of other sources would not do what this kimg says of it.
fn other_entrypoints(root: &Path) -> Vec<Entrypoint> {
    let folder = root.join("images/entrypoint/built");
    let sources = format!("sources {}", sources_digest(&root.join("images/entrypoint")));
    let mut found = Vec::new();
    let told = if folder.is_dir() { files(&folder, &folder) } else { Vec::new() };
    for (name, path) in told.iter().filter(|(name, _)| name.ends_with(".txt")) {
        let text = String::from_utf8_lossy(&read(path)).into_owned();
        let program = path.with_extension("");
        let mut words = text.lines().next().unwrap_or_default().splitn(3, ' ').map(str::to_owned);
        let (Some(digest), Some(target), Some(compiler)) = (words.next(), words.next(), words.next()) else { continue };
        if format!("{target}.txt") != *name || target == variable("TARGET") || architecture(&target).is_none() {
            continue;
        }
        let is_whole = program.is_file() && hex(&Sha256::digest(read(&program))) == digest;
        if is_whole && text.lines().nth(1) == Some(sources.as_str()) {
            found.push(Entrypoint { path: program, digest, target, compiler });
        } else {
            let why = if is_whole { "is of other sources than images/entrypoint" } else { "is not what was put there" };
            println!("cargo::warning={} {why} and is left out: make it again", program.display());
        }
    }
    found
}

/// What `sha256sum` says of the lines that it prints of all sources, sorted by their path.
fn sources_digest(folder: &Path) -> String {
    let mut sources = vec![("Cargo.toml".to_owned(), folder.join("Cargo.toml"))];
    sources.extend(files(folder, &folder.join("src")));
    let line = |(name, path): &(String, PathBuf)| format!("{}  {name}\n", hex(&Sha256::digest(read(path))));
    hex(&Sha256::digest(sources.iter().map(line).collect::<String>()))
}

/// The architecture of a target in OCI's words.
fn architecture(target: &str) -> Option<&'static str> {
    match target.split_once("-unknown-linux-")?.0 {
        "x86_64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        _ => None,
    }
}

/// The table of programs, that of this kimg's own target first.
fn embed_entrypoints(root: &Path, out: &Path, text: &mut String) {
    let target = variable("TARGET");
    let path = compile_entrypoint(root, out, &target);
    let digest = hex(&Sha256::digest(read(&path)));
    let mut all = vec![Entrypoint { path, digest, target, compiler: compiler() }];
    all.extend(other_entrypoints(root));
    let pins = String::from_utf8_lossy(&read(&root.join("images/entrypoint/pins.txt"))).into_owned();
    let mut version = variable("CARGO_PKG_VERSION");
    text.push_str("/// The programs inside images.\npub static ENTRYPOINTS: &[Entrypoint] = &[\n");
    for entrypoint in &all {
        let line = entrypoint.line();
        let kind = if pins.lines().any(|pin| pin == line) { "pinned" } else { "own build" };
        let Entrypoint { path, digest, target, compiler } = entrypoint;
        let architecture = architecture(target).unwrap_or(target);
        let _ = writeln!(
            text,
            "    Entrypoint {{ architecture: {architecture:?}, program: include_bytes!({path:?}), sha256: {digest:?}, \
             kind: {kind:?}, build: {line:?} }},"
        );
        let _ = write!(version, "\nentrypoint: {kind}, sha256:{digest}, {target}, {compiler}");
    }
    text.push_str("];\n");
    define(text, "LONG_VERSION", "What `kimg --version` prints after the name.", &version);
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
