//! Which repositories of registries images go into.

use super::Args;
use crate::cli::CliError;
use crate::cli::values::Location;
use crate::oci::Reference;

/// A repository, and the tags that the image gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// Without tag and digest.
    pub(super) reference: Reference,
    pub(super) tags: Vec<String>,
}

impl Repository {
    /// The image's name there.
    pub(super) fn name(&self) -> String {
        let tag = self.tags.first().map_or(LATEST, String::as_str);
        format!("{}:{tag}", self.reference.repository)
    }
}

/// The tag of names without one, as Docker has it.
const LATEST: &str = "latest";

/// Those of `-o docker://REF`, and with `--push` those of the tags that name a registry.
pub(super) fn repositories(args: &Args) -> Result<Vec<Repository>, CliError> {
    let mut found = Vec::new();
    for output in &args.output {
        if let Location::Registry { reference, .. } = output {
            if reference.digest.is_some() {
                return Err(CliError::Flags {
                    flag: "--output",
                    why: format!("docker://{reference}: a digest cannot be given to an image"),
                    hint: "leave out `@` and what follows".to_owned(),
                });
            }
            add(&mut found, reference);
        }
    }
    if args.push {
        let tags = args.tags.iter().filter_map(|tag| tag.parse::<Reference>().ok());
        let named: Vec<Reference> = tags.filter(names_registry).collect();
        if named.is_empty() {
            return Err(CliError::Flags {
                flag: "--push",
                why: "no --tag names a registry".to_owned(),
                hint: "write -t HOST/NAME:TAG; Docker Hub's host is docker.io".to_owned(),
            });
        }
        named.iter().for_each(|reference| add(&mut found, reference));
    }
    Ok(found)
}

fn add(found: &mut Vec<Repository>, reference: &Reference) {
    let tag = reference.tag.clone().unwrap_or_else(|| LATEST.to_owned());
    match found.iter_mut().find(|one| one.reference.repository == reference.repository) {
        Some(one) if one.tags.contains(&tag) => {}
        Some(one) => one.tags.push(tag),
        None => {
            let reference = Reference { tag: None, digest: None, ..reference.clone() };
            found.push(Repository { reference, tags: vec![tag] });
        }
    }
}

/// Whether it begins with a host: the name of an image of kimg's is no image of Docker Hub's.
fn names_registry(reference: &Reference) -> bool {
    let first = reference.repository.split_once('/').map(|(first, _)| first);
    first.is_some_and(|first| first.contains(['.', ':']) || first == "localhost")
}
