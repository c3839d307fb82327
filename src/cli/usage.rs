//! A command line that clap refuses, told in kimg's own shape.

use std::error::Error as _;
use std::process::ExitCode;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::values::{InvalidValue, redact};
use super::{Environment, terminal};
use crate::error::Category;
use crate::ui::{Report, escape};

/// Prints help, version or the error, and gives the exit code.
pub(super) fn end(error: Error, environment: &Environment) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that left early (`kimg --help | head`) has read enough.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(Category::Usage.exit_code())
        }
        _ => {
            let report = report(error);
            terminal::story_without_flags(environment).fail(&report);
            ExitCode::from(report.exit_code)
        }
    }
}

/// clap writes the message, then after an empty line tips, usage and a pointer to the help, each after one more.
fn report(mut error: Error) -> Report {
    clean(&mut error);
    let text = error.render().to_string();
    let mut parts = text.split("\n\n");
    let message = parts.next().unwrap_or_default();
    let message: Vec<&str> = message.trim_start_matches("error: ").split_whitespace().collect();
    let rest: Vec<&str> = parts.collect();
    let own = error.source().and_then(|source| source.downcast_ref::<InvalidValue>());
    let hint = own
        .and_then(|invalid| invalid.hint.clone())
        .or_else(|| rest.iter().find_map(|part| tip(part)))
        .unwrap_or_else(|| help(&rest));
    Report { message: message.join(" "), hint: Some(hint), exit_code: Category::Usage.exit_code() }
}

/// What the user wrote comes back in messages: without control characters and passwords.
fn clean(error: &mut Error) {
    let is_variable = |(kind, value): (ContextKind, &ContextValue)| {
        kind == ContextKind::InvalidArg && value.to_string().starts_with("--env ")
    };
    let hides_values = error.context().any(is_variable);
    let words: Vec<(ContextKind, String)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, redact(text))),
            _ => None,
        })
        .collect();
    for (kind, mut text) in words {
        if let (true, ContextKind::InvalidValue, Some(end)) = (hides_values, kind, text.find('=')) {
            text.truncate(end + 1);
            text.push('…');
        }
        error.insert(kind, ContextValue::String(escape(&text).into_owned()));
    }
}

/// `tip: a similar argument exists: '--push'`.
fn tip(part: &str) -> Option<String> {
    let lines = part.lines().filter_map(|line| line.trim_start().strip_prefix("tip: "));
    let tips: Vec<&str> = lines.collect();
    (!tips.is_empty()).then(|| tips.join("; "))
}

/// Which help to read, by the usage line: `Usage: kimg build [OPTIONS] …`.
fn help(rest: &[&str]) -> String {
    let usage = rest.iter().find_map(|part| part.trim_start().strip_prefix("Usage: ")).unwrap_or("kimg");
    let command: Vec<&str> = usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '-'])).collect();
    format!("`{} --help` shows what there is", command.join(" "))
}
