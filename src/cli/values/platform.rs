use super::InvalidValue;
use crate::oci::Platform;

/// Parses `OS/ARCHITECTURE[/VARIANT]`. Which of them an image is made for is in its definition.
pub(in crate::cli) fn platform(text: &str) -> Result<Platform, InvalidValue> {
    text.parse().map_err(|_| InvalidValue::new("it is not a platform", "write linux/amd64 or linux/arm64"))
}
