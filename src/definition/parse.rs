use super::Definition;

/// A definition that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("definition")]
pub struct DefinitionError;

/// Reads a definition; `file` names it in errors.
pub fn parse(text: &str, file: &str) -> Result<Definition, DefinitionError> {
    todo!("{text} {file}")
}
