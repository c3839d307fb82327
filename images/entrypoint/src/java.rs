//! The command that this program becomes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Environment;
use crate::problem::Problem;

/// A Java program, ready to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Java {
    /// The java program.
    pub program: PathBuf,
    /// Options of the JVM.
    pub options: Vec<String>,
    /// The class path's jars and folders, in order.
    pub class_path: Vec<PathBuf>,
    /// The main class.
    pub main: String,
    /// Arguments of the main class.
    pub arguments: Vec<OsString>,
    /// Variables that the program must not see: Kafka's tools would open the server's JMX port again.
    pub without: Vec<&'static str>,
    /// Whether its output is a log in the pattern of [`crate::json_log`], which becomes JSON on its way.
    pub json_log: bool,
}

impl Java {
    /// The java of `JAVA_HOME`, else the one on the path of the image.
    pub fn program(environment: &Environment) -> PathBuf {
        match environment.get("JAVA_HOME") {
            Some(home) => Path::new(home).join("bin/java"),
            None => PathBuf::from("/usr/bin/java"),
        }
    }

    /// All arguments of the program.
    pub fn command_line(&self) -> Vec<OsString> {
        let class_path: Vec<String> = self.class_path.iter().map(|path| path.display().to_string()).collect();
        let mut line: Vec<OsString> = self.options.iter().map(OsString::from).collect();
        line.extend(["-cp".into(), class_path.join(":").into(), OsString::from(&self.main)]);
        line.extend(self.arguments.iter().cloned());
        line
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for name in &self.without {
            command.env_remove(name);
        }
        command.args(self.command_line());
        command
    }

    /// Becomes it; comes back only with the reason why not.
    pub fn exec(&self) -> Problem {
        let error = self.command().exec();
        self.problem(&error)
    }

    /// What is wrong where it does not start.
    pub fn problem(&self, error: &std::io::Error) -> Problem {
        Problem::new(
            self.program.display().to_string(),
            format!("it cannot be started: {error}"),
            "set JAVA_HOME to a Java runtime, or leave it unset",
        )
    }
}

/// The jars of a folder, sorted by name: the order of a class path must not depend on the file system.
#[allow(clippy::disallowed_methods, reason = "sorted below")]
pub fn jars(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let missing = |why: String| {
        Problem::new(folder.display().to_string(), why, "do not mount a volume over the program's folder")
    };
    let entries = fs::read_dir(folder).map_err(|error| missing(format!("its jars cannot be listed: {error}")))?;
    let mut jars: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    jars.retain(|path| path.extension().is_some_and(|ending| ending == "jar"));
    jars.sort();
    match jars.is_empty() {
        true => Err(missing("it holds no jar".to_owned())),
        false => Ok(jars),
    }
}

/// The words of a variable with options.
pub fn words(environment: &Environment, name: &str) -> Vec<String> {
    split(environment.get(name).unwrap_or_default()).0
}

/// The words of a text, parted by blanks. Upstream's scripts leave the parting to the shell, which takes the quotes of a
/// value as letters, so that Java fails on them; here a quoted part belongs to one word, as whoever wrote it meant. The
/// second value is what is odd about the quotes, where something is.
pub fn split(text: &str) -> (Vec<String>, Option<&'static str>) {
    let text = text.trim();
    // `- KAFKA_OPTS="-Da=b -Dc=d"` in a list of compose: the quotes are part of the value.
    if let Some(inner) = ['"', '\''].iter().find_map(|quote| within(text, *quote)) {
        return (split(inner).0, Some("the quotes around it are part of the value, and are left out"));
    }
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    (words, quote.map(|_| "a quote in it is not closed"))
}

/// What is between quotes that hold all of a text of more than one word; one quoted word needs nothing special.
fn within(text: &str, quote: char) -> Option<&str> {
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inner).filter(|inner| !inner.contains(quote) && inner.trim_start().starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_then_class_path_then_class() {
        let java = Java {
            program: PathBuf::from("/j"),
            options: vec!["-Xmx1G".to_owned()],
            class_path: vec![PathBuf::from("/a.jar"), PathBuf::from("/b.jar")],
            main: "x.Main".to_owned(),
            arguments: vec!["--help".into()],
            ..Java::default()
        };
        assert_eq!(java.command_line(), ["-Xmx1G", "-cp", "/a.jar:/b.jar", "x.Main", "--help"]);
    }

    #[test]
    fn words_are_parted_outside_of_quotes() {
        for (text, words, odd) in [
            ("", &[][..], false),
            (" -Xmx1g\n -Xms1g\t", &["-Xmx1g", "-Xms1g"], false),
            ("-Da=\"b c\" -Dd='e \"f'", &["-Da=b c", "-Dd=e \"f"], false),
            ("\"-Da=b -Dc=d\"", &["-Da=b", "-Dc=d"], true),
            ("'-Da=b'", &["-Da=b"], true),
            ("-Da='' \"\"", &["-Da=", ""], false),
            ("-Da=\"b c", &["-Da=b c"], true),
            ("-Da=b\\c$d", &["-Da=b\\c$d"], false),
        ] {
            let (found, why) = split(text);
            assert_eq!(
                (found.as_slice(), why.is_some()),
                (&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..], odd),
                "{text}"
            );
        }
    }
}
