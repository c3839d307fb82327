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

/// The words of a variable with options, parted by blanks as the shell scripts of upstream part them.
pub fn words(environment: &Environment, name: &str) -> Vec<String> {
    environment.get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
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
            without: Vec::new(),
        };
        assert_eq!(java.command_line(), ["-Xmx1G", "-cp", "/a.jar:/b.jar", "x.Main", "--help"]);
    }
}
