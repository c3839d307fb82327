//! Every variable of a family's own is on the page about coming from it.

use std::fs;
use std::path::Path;

use kimg_entrypoint::kafka::Dialect;

#[test]
fn every_variable_is_on_the_page_of_its_family() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Kimg) {
        let rules = dialect.rules();
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/migrate-from-{}.md", dialect.name()));
        let page = fs::read_to_string(&page).unwrap();
        let aliases = rules.aliases.iter().map(|(name, _)| *name);
        let without_effect = rules.without_effect.iter().map(|(name, _)| *name);
        for name in rules.own_variables.iter().copied().chain(aliases).chain(without_effect) {
            // `KAFKA_A_*` stands for the names that begin so; a table may have their ends only: `…_TYPE`.
            let whole = name.split('*').next().unwrap_or_default();
            let end = name.strip_prefix("KAFKA_").and_then(|name| name.strip_prefix("CFG_").or(Some(name)));
            let is_told = page.contains(&format!("`{name}`"))
                || (name.contains('*') && page.contains(&format!("`{whole}")))
                || end.is_some_and(|end| page.contains(&format!("`{end}`")));
            assert!(is_told, "{}: {name}", dialect.name());
        }
        for place in
            rules.mounted.files.iter().chain(rules.unread).chain(rules.base.as_ref()).chain(rules.secrets.as_ref())
        {
            assert!(page.contains(&format!("`{place}`")), "{}: {place}", dialect.name());
        }
        for told in [rules.follows.split(' ').next_back().unwrap(), "--explain", "KIMG_DIALECT"] {
            assert!(page.contains(told), "{}: {told}", dialect.name());
        }
    }
}

#[test]
fn the_table_of_dialects_has_what_each_decides() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects.md");
    let page = fs::read_to_string(&page).unwrap();
    let row = |title: &str| -> Vec<String> {
        let line = page.lines().find(|line| line.starts_with(&format!("| {title} |"))).unwrap();
        line.trim_matches('|').split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    for (index, dialect) in Dialect::ALL.into_iter().enumerate() {
        let rules = dialect.rules();
        assert_eq!(row("`log.dirs`")[index], rules.data);
        assert_eq!(row("heap")[index], rules.heap);
        assert!(rules.follows.ends_with(&row("follows")[index]), "{}", rules.follows);
        assert_eq!(row("listeners")[index] == "PLAINTEXT://:9092", rules.listeners.is_some());
    }
}
