//! The variables of the environment, read once. The only place that reads them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::CliError;

/// The environment of the process, as a value. A variable that is set to nothing is not set.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// That of this process.
    pub(super) fn of_process() -> Environment {
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let variables = std::env::vars_os();
        Environment::of(variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value))))
    }

    /// These variables.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, OsString)>) -> Environment {
        Environment(variables.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Whether it is set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether it is set to `value`.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).map(OsString::as_os_str) == Some(OsStr::new(value))
    }

    /// A path.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from)
    }

    /// A path that counts only where it is absolute, as the XDG Base Directory Specification has it.
    pub(super) fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.path(name).filter(|path| path.is_absolute())
    }

    /// Text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, CliError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let not_text = || CliError::Variable { name: name.to_owned(), why: "is not UTF-8".to_owned(), hint: None };
        value.to_str().map(Some).ok_or_else(not_text)
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All variables whose values are text.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (&String, &OsString)| Some((name.clone(), value.to_str()?.to_owned()));
        self.0.iter().filter_map(text).collect()
    }
}
