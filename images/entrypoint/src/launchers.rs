//! The table of launchers: the names in `bin/` under which this program starts something.
//!
//! A line has the launcher's name, what it is, and more by what it is; `#` begins a comment:
//!
//! ```text
//! kafka-server-start.sh  server  kafka kraft log4j2
//! kafka-topics.sh        tool    256M  kafka.admin.TopicCommand
//! connect-mirror-maker.sh  absent  it needs a jar that this image does not have
//! ```

/// What a launcher starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// A server, whose configuration is made first, or given as the first argument.
    Server {
        /// `kafka` or `zookeeper`.
        product: String,
        /// What sets this version of it apart from others.
        traits: Vec<String>,
    },
    /// A program with this heap, main class and first arguments.
    Tool {
        /// `-Xmx`.
        heap: String,
        /// The main class.
        main: String,
        /// Arguments before the user's.
        arguments: Vec<String>,
    },
    /// The class that the first argument names, with this heap.
    Class {
        /// `-Xmx`.
        heap: String,
    },
    /// A program that this image lacks.
    Absent {
        /// Why.
        why: String,
    },
}

/// Finds a name in the table; `kafka-topics` is the same as `kafka-topics.sh`, for some images have it so.
pub fn find(table: &str, name: &str) -> Option<Launcher> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut rows = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_it = |row: &Vec<&str>| row.first().is_some_and(|own| *own == name || own.strip_suffix(".sh") == Some(name));
    let row = rows.find(is_it)?;
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match row.get(1..)? {
        ["server", product, traits @ ..] => {
            Some(Launcher::Server { product: (*product).to_owned(), traits: owned(traits) })
        }
        ["tool", heap, main, arguments @ ..] => {
            Some(Launcher::Tool { heap: (*heap).to_owned(), main: (*main).to_owned(), arguments: owned(arguments) })
        }
        ["class", heap] => Some(Launcher::Class { heap: (*heap).to_owned() }),
        ["absent", why @ ..] => Some(Launcher::Absent { why: why.join(" ") }),
        _ => None,
    }
}

/// Whether the table says of a product's server that it has a trait.
pub fn has_trait(table: &str, product: &str, name: &str) -> bool {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut rows = lines.map(|line| line.split_whitespace().skip(1));
    rows.any(|mut row| row.next() == Some("server") && row.next() == Some(product) && row.any(|own| own == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_each_kind() {
        let table =
            "# comment\na.sh server kafka\nb.sh tool 256M x.Main --flag\nc.sh absent no such jar\nd.sh nonsense\n";
        let server = |product: &str, traits: &[&str]| {
            let traits = traits.iter().map(|name| (*name).to_owned()).collect();
            Some(Launcher::Server { product: product.to_owned(), traits })
        };
        assert_eq!(find(table, "a.sh"), server("kafka", &[]));
        assert_eq!(find("a.sh server kafka kraft log4j2", "a.sh"), server("kafka", &["kraft", "log4j2"]));
        let tool =
            Launcher::Tool { heap: "256M".to_owned(), main: "x.Main".to_owned(), arguments: vec!["--flag".to_owned()] };
        assert_eq!(find(table, "b.sh"), Some(tool));
        assert_eq!(find(table, "c.sh"), Some(Launcher::Absent { why: "no such jar".to_owned() }));
        assert_eq!((find(table, "d.sh"), find(table, "#")), (None, None));
        assert_eq!(find(table, "b"), find(table, "b.sh"));
    }

    #[test]
    fn traits_are_those_of_the_server() {
        let table = "# a.sh server kafka kraft\n\nt.sh tool 1M x.Main kraft\na.sh server kafka log4j2\n";
        assert!(has_trait(table, "kafka", "log4j2"));
        assert!(!has_trait(table, "kafka", "kraft") && !has_trait(table, "zookeeper", "log4j2"));
    }
}
