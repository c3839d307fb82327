//! The tables of launchers that ship: each row is one that this program understands.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

use std::fs;
use std::path::{Path, PathBuf};

use kimg_entrypoint::launchers::{Launcher, find, has_trait};

/// Every file of that name below `images/`.
fn tables() -> Vec<(PathBuf, String)> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let families = below(&images);
    let folders = families.iter().flat_map(|family| [vec![family.clone()], below(family)].concat());
    let mut tables: Vec<PathBuf> =
        folders.map(|folder| folder.join("launchers")).filter(|path| path.exists()).collect();
    tables.sort();
    tables.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn names(table: &str) -> Vec<&str> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split_whitespace().next().unwrap()).collect()
}

#[test]
fn every_row_is_understood_and_names_are_sorted() {
    assert!(tables().len() >= 6);
    for (path, table) in tables() {
        let names = names(&table);
        assert!(names.is_sorted_by(|one, other| one < other), "{}", path.display());
        let mut servers = 0;
        for name in names {
            let launcher = find(&table, name).unwrap_or_else(|| panic!("{}: {name}", path.display()));
            match launcher {
                Launcher::Server { traits, .. } => {
                    servers += 1;
                    assert!(traits.iter().all(|name| ["kraft", "log4j2"].contains(&name.as_str())), "{traits:?}");
                }
                Launcher::Tool { heap, main, .. } => {
                    let (number, unit) = heap.split_at(heap.len() - 1);
                    assert!(number.parse::<u32>().is_ok() && "mMG".contains(unit), "{name}: {heap}");
                    assert!(main.contains('.') && !main.ends_with('.'), "{name}: {main}");
                }
                Launcher::Class { .. } => {}
                Launcher::Absent { why } => assert!(!why.is_empty(), "{name}"),
            }
        }
        assert_eq!(servers, 1, "{}", path.display());
    }
}

#[test]
fn only_the_newer_kafka_is_without_zookeeper() {
    for (path, table) in tables() {
        let newer = path.components().any(|part| part.as_os_str() == "4.3");
        assert_eq!(has_trait(&table, "kafka", "kraft"), newer, "{}", path.display());
        assert_eq!(has_trait(&table, "kafka", "log4j2"), newer, "{}", path.display());
        assert_eq!(table.contains("zookeeper-shell.sh"), !newer && table.contains("kafka-topics.sh"));
    }
}
