//! Programs that keep credentials: `docker-credential-NAME` (docker-credential-helpers, README, "Development").

use std::fmt;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use crate::cli::CliError;
use crate::transport::registry::{Credentials, stored_as};

/// One program. What it writes is never shown, since it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Helper {
    program: String,
}

/// What is said to it, and what it says.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(rename = "ServerURL", default)]
    server: String,
    username: String,
    secret: String,
}

/// The user that stands before an identity token.
const TOKEN_USER: &str = "<token>";

impl Helper {
    /// The program of that name. A name that is more than a word would start something else.
    pub(super) fn new(name: &str) -> Result<Helper, String> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match !name.is_empty() && !name.starts_with(['-', '.']) && name.bytes().all(is_word) {
            true => Ok(Helper { program: format!("docker-credential-{name}") }),
            false => Err(format!("`{}` is no name of a credential helper", name.escape_debug())),
        }
    }

    /// What it knows of a registry.
    pub(super) fn get(&self, registry: &str) -> Result<Option<Credentials>, CliError> {
        let (succeeded, output) = self.run("get", stored_as(registry).as_bytes())?;
        if !succeeded {
            // The protocol has no other sign for it than these words.
            let is_unknown = String::from_utf8_lossy(&output).contains("credentials not found");
            return if is_unknown { Ok(None) } else { Err(self.failed("it cannot get them")) };
        }
        let wrong = |_| self.failed("it does not answer as a credential helper");
        let message: Message = serde_json::from_slice(&output).map_err(wrong)?;
        Ok(Some(match message.username.as_str() {
            TOKEN_USER => Credentials::IdentityToken(message.secret),
            _ => Credentials::Password { user: message.username, password: message.secret },
        }))
    }

    /// Lets it keep a user and password.
    pub(super) fn store(&self, registry: &str, user: &str, password: &str) -> Result<(), CliError> {
        let message =
            Message { server: stored_as(registry).to_owned(), username: user.to_owned(), secret: password.to_owned() };
        let message = serde_json::to_vec(&message).map_err(|error| self.failed(&error.to_string()))?;
        self.run("store", &message)?.0.then_some(()).ok_or_else(|| self.failed("it cannot keep them"))
    }

    /// Lets it forget those of a registry.
    pub(super) fn erase(&self, registry: &str) -> Result<(), CliError> {
        let (succeeded, _) = self.run("erase", stored_as(registry).as_bytes())?;
        succeeded.then_some(()).ok_or_else(|| self.failed("it cannot forget them"))
    }

    /// Whether it succeeded, and what it wrote.
    fn run(&self, action: &str, input: &[u8]) -> Result<(bool, Vec<u8>), CliError> {
        let failed = |error: std::io::Error| self.failed(&error.to_string());
        let mut child = Command::new(&self.program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input) {
                // It ended without a look at it.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                end => end.map_err(failed)?,
            }
        }
        let output = child.wait_with_output().map_err(failed)?;
        Ok((output.status.success(), output.stdout))
    }

    fn failed(&self, why: &str) -> CliError {
        CliError::Helper { program: self.program.clone(), why: why.to_owned() }
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)
    }
}
