use crate::oci::{InvalidReference, Reference};

/// A name as Docker gives it to images: without a tag it is `latest`.
pub fn docker_name(name: &str) -> Result<String, InvalidReference> {
    let mut reference: Reference = name.parse()?;
    reference.digest = None;
    reference.tag.get_or_insert_with(|| "latest".to_owned());
    Ok(reference.to_string())
}

#[cfg(test)]
mod tests {
    use super::docker_name;

    #[test]
    fn a_name_without_a_tag_is_latest() {
        for (name, expected) in [
            ("kafka", "kafka:latest"),
            ("kafka:3.5.2", "kafka:3.5.2"),
            ("localhost:5000/a/kafka", "localhost:5000/a/kafka:latest"),
        ] {
            assert_eq!(docker_name(name).as_deref(), Ok(expected));
        }
    }
}
