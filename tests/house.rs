//! The rules of the house, read off the sources: which floor uses which, who may print, where hosts stand.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

use std::fs;
use std::path::{Path, PathBuf};

/// A source file below `src/` without comments and without its tests.
struct Source {
    path: String,
    floor: String,
    lines: Vec<(usize, String)>,
    length: usize,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> Vec<Source> {
    let root = root().join(folder);
    files(&root, ".rs").iter().map(|path| source(path, &root)).collect()
}

fn source(path: &Path, root: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let floor = path.split(['/', '.']).next().unwrap().to_owned();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let lines = lines.map(|(index, line)| (index + 1, line.to_owned())).collect();
    Source { path, floor, lines, length: text.lines().count() }
}

/// Every line of the sources that `wrong` finds fault with.
fn faults(sources: &[Source], wrong: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (number, line) in source.lines.iter().filter(|(_, line)| wrong(source, line)) {
            found.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    found
}

#[track_caller]
fn none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

/// The floors from the top down: groups of modules in `src/lib.rs`, parted by empty lines.
fn floors() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let group = |lines: &str| -> Vec<String> {
        let names = lines.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
        names.map(str::to_owned).collect()
    };
    text.split("\n\n").map(group).filter(|group| !group.is_empty()).collect()
}

#[test]
fn each_floor_uses_only_those_above_it() {
    let floors = floors();
    let place = |name: &str| floors.iter().position(|floor| floor.iter().any(|own| own == name));
    let used = |line: &str| -> Vec<String> {
        let parts = line.split("crate::").skip(1);
        let word =
            |part: &str| part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
        parts.map(word).collect()
    };
    let sources = sources("src");
    assert!(sources.len() > 100 && floors.len() > 10, "the sources are not where this test looks for them");
    let wrong = |source: &Source, line: &str| {
        let Some(own) = place(&source.floor) else { return source.floor != "lib" && source.floor != "main" };
        used(line).iter().any(|name| place(name).is_some_and(|other| other > own))
    };
    none(&faults(&sources, wrong), "a floor uses one below it (the order is that of src/lib.rs)");
}

#[test]
fn the_architecture_page_has_the_same_floors() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let mut row = 0;
    for name in floors().into_iter().flatten() {
        let cell = format!("`{name}`");
        let found = rows.iter().position(|line| line.split('|').nth(1).is_some_and(|first| first.contains(&cell)));
        let found = found.unwrap_or_else(|| panic!("docs/architecture.md does not have the floor {cell}"));
        assert!(found >= row, "docs/architecture.md has the floor {cell} in another order");
        row = found;
    }
}

#[test]
fn the_upper_floors_and_layers_know_no_tokio() {
    const SYNCHRONOUS: [&str; 8] = ["digest", "error", "event", "oci", "definition", "lock", "store", "layer"];
    let wrong = |source: &Source, line: &str| {
        SYNCHRONOUS.contains(&source.floor.as_str())
            && ["tokio", "async ", "reqwest"].iter().any(|word| line.contains(word))
    };
    none(&faults(&sources("src"), wrong), "these floors are synchronous");
}

#[test]
fn only_the_network_floor_knows_reqwest() {
    let wrong = |source: &Source, line: &str| source.floor != "net" && line.contains("reqwest::");
    none(&faults(&sources("src"), wrong), "reqwest has one user");
}

#[test]
fn only_the_lowest_floors_print_and_read_the_environment() {
    let words = ["println!", "eprint", "io::stdout", "io::stderr", "env::var", "env::args", "is_terminal", "stdin()"];
    let wrong = |source: &Source, line: &str| {
        !["ui", "cli"].contains(&source.floor.as_str()) && words.iter().any(|word| line.contains(word))
    };
    none(&faults(&sources("src"), wrong), "only ui and cli print, read the environment or know a terminal");
}

#[test]
fn the_sources_do_not_know_what_is_built() {
    // The command line's examples are for people.
    let wrong = |source: &Source, line: &str| {
        let line = line.to_lowercase();
        source.floor != "cli" && ["kafka", "zookeeper"].iter().any(|word| line.contains(word))
    };
    none(&faults(&sources("src"), wrong), "where a word of them is needed, the definition lacks a field");
}

#[test]
fn public_hosts_stand_in_two_files() {
    let wrong = |source: &Source, line: &str| {
        let after = line.split("://").skip(1);
        let host = |rest: &str| rest.split(['/', '"', ' ', ':']).next().unwrap_or_default().to_owned();
        let is_host = |host: String| host.contains('.') && !host.ends_with(".example") && !host.contains(['{', '…']);
        let may = ["upstream/hosts/public.rs", "transport/registry/profile.rs"].contains(&source.path.as_str());
        !may && after.map(host).any(is_host)
    };
    none(&faults(&sources("src"), wrong), "hosts come from the machine, or from one of two files");
}

#[test]
fn definitions_and_locks_hold_paths_and_no_hosts() {
    for path in files(&root().join("images"), ".lock.toml") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("://"), "{}: a lock names a host", path.display());
    }
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let mut pages = files(&root().join("docs"), ".md");
    pages.push(root().join("README.md"));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            assert!(page.with_file_name(target).exists(), "{}: nothing is at {target}", page.display());
        }
    }
}

#[test]
fn every_file_is_one_idea() {
    let mut all = sources("src");
    all.extend(sources("images/entrypoint/src"));
    all.extend(sources("tests"));
    let long: Vec<String> = all.iter().filter(|source| source.length > 450).map(|source| source.path.clone()).collect();
    none(&long, "files of more than 450 lines");
}

/// A program that takes `docker://…` for a folder once left 200 MB of packages there, and they were committed.
#[test]
fn nothing_strays_at_the_top() {
    const KNOWN: [&str; 17] = [
        ".ci",
        ".git",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "README.md",
        "build.rs",
        "clippy.toml",
        "deny.toml",
        "docs",
        "fuzz",
        "images",
        "rustfmt.toml",
        "scripts",
        "src",
        "target",
        "tests",
    ];
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stray: Vec<String> = names.filter(|name| !KNOWN.contains(&name.as_str())).collect();
    assert_eq!(stray, [""; 0]);
}
