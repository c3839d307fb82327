use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::arguments::{Global, Progress};
use super::{CliError, Environment, Failure, interrupt};
use crate::ui::{Out, Story, Style, Verbosity};

/// How the story is told: by the flags, and by what standard error is.
pub(super) fn story(global: &Global, environment: &Environment) -> Story {
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let draws = draws(environment, io::stderr().is_terminal());
    let style = match global.progress {
        Progress::Auto if draws && !is_ci(environment) => Style::Bars,
        Progress::Auto | Progress::Plain => Style::Plain,
        Progress::Json => Style::Json,
        Progress::None => Style::None,
    };
    Story::new(Out::stderr(), style, verbosity, has_color(environment, draws))
}

/// How a wrong command line is told of: its flags are not known.
pub(super) fn story_without_flags(environment: &Environment) -> Story {
    let draws = draws(environment, io::stderr().is_terminal());
    let style = if asks_for_json(std::env::args_os()) { Style::Json } else { Style::Plain };
    Story::new(Out::stderr(), style, Verbosity::Normal, has_color(environment, draws))
}

/// Whether it is a terminal that understands more than lines.
fn draws(environment: &Environment, is_terminal: bool) -> bool {
    is_terminal && environment.has("TERM") && !environment.is("TERM", "dumb")
}

/// See no-color.org: any value but the empty one.
fn has_color(environment: &Environment, draws: bool) -> bool {
    draws && !environment.has("NO_COLOR")
}

/// The terminals of CI services keep every line that is drawn over.
fn is_ci(environment: &Environment) -> bool {
    environment.has("CI") && !environment.is("CI", "false")
}

fn asks_for_json(arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let mut before = std::ffi::OsString::new();
    for argument in arguments {
        if argument == "--progress=json" || (before == "--progress" && argument == "json") {
            return true;
        }
        before = argument;
    }
    false
}

/// Whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line at the terminal.
pub(super) fn ask(question: &str) -> Result<String, CliError> {
    let failed = |source| CliError::Read { path: "the terminal".into(), source };
    // Not locked while it is waited for an answer.
    let mut stderr = io::stderr();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// The same without a look at what is written. Whoever ends the program meanwhile sees again what he writes.
pub(super) fn ask_hidden(question: &'static str) -> Result<String, Failure> {
    let failed = |error: rustix::io::Errno| CliError::Read { path: "the terminal".into(), source: error.into() };
    let before = tcgetattr(io::stdin()).map_err(failed)?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(failed)?;
    let line = interrupt::run_blocking(move || Ok(ask(question)?));
    let restored = tcsetattr(io::stdin(), OptionalActions::Flush, &before).map_err(failed);
    // The end of the line was not seen either.
    let _ = io::stderr().lock().write_all(b"\n");
    restored?;
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_can_do() {
        let of = |name: &str, value: &str| {
            Environment::of([("TERM".to_owned(), "xterm".into()), (name.to_owned(), value.into())])
        };
        assert!(draws(&of("A", "b"), true));
        assert!(!draws(&of("A", "b"), false));
        assert!(!draws(&of("TERM", "dumb"), true));
        assert!(!draws(&Environment::default(), true));
        assert!(!has_color(&of("NO_COLOR", "1"), true));
        assert!(has_color(&of("NO_COLOR", ""), true));
        assert!(is_ci(&of("CI", "true")));
        assert!(!is_ci(&of("CI", "false")));
    }

    #[test]
    fn json_is_told_as_json_even_when_the_rest_is_wrong() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(Into::into));
        assert!(asks("kimg biuld --progress json"));
        assert!(asks("kimg --progress=json biuld"));
        assert!(!asks("kimg biuld json --progress"));
    }
}
