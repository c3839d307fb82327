//! Runs the program in an environment of its own, and shows all that it did.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A home folder, and the program that runs there with nothing else in its environment.
pub struct Kimg {
    home: TempDir,
    variables: Vec<(String, String)>,
}

#[allow(dead_code, reason = "each test program uses a part of this")]
impl Kimg {
    /// An empty home.
    pub fn new() -> Kimg {
        Kimg { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// With one more variable in the environment.
    pub fn with(mut self, name: &str, value: &str) -> Kimg {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The home folder, which is the working folder too.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Puts a file into the home folder.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The program with these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kimg"));
        command.args(arguments).env_clear().env("HOME", self.home()).current_dir(self.home());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it to its end, and shows the command, both streams and the exit code, with `~` for the home folder.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.show(arguments, &self.output(arguments))
    }

    /// Shows what a run did.
    pub fn show(&self, arguments: &[&str], output: &Output) -> String {
        let stream = |name: &str, bytes: &[u8]| match String::from_utf8_lossy(bytes) {
            text if text.is_empty() => String::new(),
            text => format!("{name}:\n{}", text.split_inclusive('\n').map(|l| format!("  {l}")).collect::<String>()),
        };
        let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
        let text = format!(
            "$ kimg {}\n{}{}exit code: {code}\n",
            arguments.join(" ").escape_debug(),
            stream("stdout", &output.stdout),
            stream("stderr", &output.stderr),
        );
        text.replace(&self.home().display().to_string(), "~")
    }
}
