use super::InvalidValue;
use crate::oci::Reference;

/// Parses the name that an image gets.
pub(in crate::cli) fn tag(text: &str) -> Result<String, InvalidValue> {
    let reference: Reference = text.parse().map_err(|error: crate::oci::InvalidReference| InvalidValue {
        why: error.why.to_owned(),
        hint: Some("write NAME[:TAG] or HOST/NAME[:TAG], such as registry.example/kafka:3.5.2".to_owned()),
    })?;
    match reference.digest {
        Some(_) => Err(InvalidValue::new("a digest cannot be given to an image", "leave out `@` and what follows")),
        None => Ok(text.to_owned()),
    }
}
