use std::collections::BTreeMap;

use super::Args;
use crate::build::Request;
use crate::cli::values::Pair;

/// One request for each image.
pub(super) fn requests(args: &Args, images: &[String]) -> Vec<Request> {
    let request = |image: &String| Request {
        image: image.clone(),
        platforms: args.platform.clone(),
        variant: args.variant.clone(),
        dialect: args.changes.dialect.clone(),
        user: args.changes.user.clone(),
        locked: args.locked,
        tags: args.tags.clone(),
        labels: map(&args.changes.label),
        annotations: map(&args.changes.annotation),
        env: map(&args.changes.env),
        compression: args.compression,
        add: args.changes.add.clone(),
        authorities: args.changes.ca.clone(),
        base: None,
    };
    images.iter().map(request).collect()
}

/// Of equal keys the last counts.
fn map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect()
}
