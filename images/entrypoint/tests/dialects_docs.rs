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
