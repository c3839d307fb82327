use std::io::{self, Read};

use super::registry::{AccessFlags, RegistryName, Saved, Surroundings, registry_name};
use super::{CliError, Failure, Session, interrupt, terminal};
use crate::copy::CopyError;
use crate::net::Client;
use crate::transport::registry::Credentials;
use crate::ui::escape;

const EXAMPLES: &str = "\
Examples:
  kimg login registry.example -u me
  kimg login registry.example -u me --password-stdin < token
  kimg login registry.example/team -u robot --password-stdin < token   for repositories below a path

What podman and Docker know is read too, and they read what kimg writes.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// The registry, or a path below one
    #[arg(value_name = "REGISTRY", value_parser = registry_name)]
    registry: RegistryName,
    /// The user
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    access: AccessFlags,
}

/// The longest password: tokens are some thousand letters.
const LONGEST: u64 = 64 << 10;

/// Asks the registry whether it lets the user in, and keeps the credentials.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (user, password) = secret(args)?;
    let settings = session.settings(Vec::new())?;
    let events = session.story.events();
    let client = Client::new(settings.network, events.clone());
    let credentials = Credentials::Password { user: user.clone(), password: password.clone() };
    let wanted = interrupt::run(async {
        let around =
            Surroundings { client: &client, registries: &settings.registries, environment: &session.environment };
        let entering = args.access.session(args.registry.repository(), Some(credentials), &around).await?;
        Ok(entering.enter().await.map_err(refused)?)
    })?;
    if !wanted {
        events.warning(format!("{}: it lets everybody in, so that the password was not checked", args.registry));
    }
    let saved = args.access.files(&session.environment).save(&args.registry, &user, &password)?;
    let place = match saved {
        Saved::File(path) => format!("written to {}", path.display()),
        Saved::Program(program) => format!("kept by {program}"),
    };
    events.note(format!("{}: logged in as {}, {place}", args.registry, escape(&user)));
    Ok(())
}

/// Who logs in needs no hint to log in.
fn refused(error: CopyError) -> CopyError {
    match error {
        CopyError::Failed { place, what, why, category, hint: Some(hint) } if hint.contains("kimg login") => {
            let hint = "check user and password; some registries take a token that is made on their site only";
            CopyError::Failed { place, what, why, category, hint: Some(hint.to_owned()) }
        }
        error => error,
    }
}

/// The user and the password: never from the command line, which all users of a machine can see.
fn secret(args: &Args) -> Result<(String, String), Failure> {
    let wrong = |why: &str, hint: &str| CliError::Flags {
        flag: "--password-stdin",
        why: why.to_owned(),
        hint: hint.to_owned(),
    };
    if args.password_stdin && args.username.is_none() {
        return Err(wrong("the user is missing", "say --username USER").into());
    }
    let may_ask = !args.password_stdin && terminal::can_ask();
    if !args.password_stdin && !may_ask {
        let hint = "write --password-stdin, and the password to standard input";
        return Err(wrong("there is no terminal to ask for the password at", hint).into());
    }
    let user = match &args.username {
        Some(user) => user.clone(),
        None => terminal::ask("user: ")?,
    };
    if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
        let why = "a user is one letter or more, without `:`";
        return Err(CliError::Flags { flag: "--username", why: why.to_owned(), hint: "check it".to_owned() }.into());
    }
    let password = if may_ask { terminal::ask_hidden("password: ")? } else { piped()? };
    if password.is_empty() {
        return Err(wrong("the password is empty", "write it to standard input").into());
    }
    if password.chars().any(char::is_control) {
        return Err(wrong("the password is more than one line", "write nothing else to standard input").into());
    }
    Ok((user, password))
}

/// Standard input without the end of its line.
fn piped() -> Result<String, CliError> {
    let failed = |source: io::Error| CliError::Read { path: "standard input".into(), source };
    let mut text = String::new();
    io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LONGEST {
        return Err(failed(io::Error::other("it is too long for a password")));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
