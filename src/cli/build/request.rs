use std::collections::BTreeMap;

use super::Args;
use crate::build::Request;
use crate::cli::CliError;
use crate::cli::values::Pair;
use crate::oci::Platform;

/// One request for each image.
pub(super) fn requests(args: &Args) -> Result<Vec<Request>, CliError> {
    let platform = platform(&args.platform)?;
    let request = |image: &String| Request {
        image: image.clone(),
        platform: platform.clone(),
        locked: args.locked,
        tags: args.tags.clone(),
        labels: map(&args.changes.label),
        annotations: map(&args.changes.annotation),
        env: map(&args.changes.env),
        compression: args.compression,
        add: args.changes.add.clone(),
        authorities: args.changes.ca.clone(),
    };
    Ok(args.images.iter().map(request).collect())
}

/// Which platforms an image is made for is in its definition; one build makes one.
fn platform(platforms: &[Platform]) -> Result<Platform, CliError> {
    match platforms {
        [] => Ok(Platform::linux_amd64()),
        [platform] => Ok(platform.clone()),
        several => Err(CliError::Flags {
            flag: "--platform",
            why: format!("kimg cannot build for {} platforms at once yet", several.len()),
            hint: format!("build for one, such as --platform {}", several[0]),
        }),
    }
}

/// Of equal keys the last counts.
fn map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect()
}
