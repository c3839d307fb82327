//! The configuration and the manifest of an image.

use std::collections::BTreeMap;

use super::Request;
use super::recipe::Recipe;
use super::shape::Shape;
use crate::digest::Digest;
use crate::oci::{Config, Descriptor, Empty, Healthcheck, History, ImageConfig, Index, Manifest, RootFs};

const NANOSECONDS: u64 = 1_000_000_000;

/// One finished layer of an image.
#[derive(Debug, Clone)]
pub(super) struct FinishedLayer {
    pub name: String,
    pub history: String,
    pub diff_id: Digest,
    pub descriptor: Descriptor,
    pub shape: Shape,
    /// `built` or `reused`.
    pub how: &'static str,
}

/// The configuration of the image of these layers.
pub(super) fn config(recipe: &Recipe, request: &Request, layers: &[FinishedLayer]) -> Config {
    let created = recipe.created().to_owned();
    let history = |layer: &FinishedLayer| History {
        created: Some(created.clone()),
        created_by: Some(layer.history.clone()),
        comment: Some(format!("kimg layer {}", layer.name)),
        empty_layer: false,
    };
    let mut labels = annotations(recipe);
    labels.extend(request.labels.clone());
    Config {
        created: Some(created.clone()),
        platform: recipe.platform.clone(),
        config: execution(recipe, request, labels),
        rootfs: RootFs::new(layers.iter().map(|layer| layer.diff_id).collect()),
        history: layers.iter().map(history).collect(),
    }
}

/// The manifest that ties a configuration to its layers.
pub(super) fn manifest(recipe: &Recipe, request: &Request, config: Descriptor, layers: &[FinishedLayer]) -> Manifest {
    let mut annotations = annotations(recipe);
    annotations.extend(request.annotations.clone());
    Manifest::new(config, layers.iter().map(|layer| layer.descriptor.clone()).collect(), annotations)
}

/// The index of the manifests of several platforms.
pub(super) fn index(recipe: &Recipe, request: &Request, manifests: Vec<Descriptor>) -> Index {
    let mut annotations = annotations(recipe);
    annotations.extend(request.annotations.clone());
    Index { annotations, ..Index::new(manifests) }
}

fn execution(recipe: &Recipe, request: &Request, labels: BTreeMap<String, String>) -> ImageConfig {
    let run = &recipe.own().family.definition.run;
    let mut variables = run.env.clone();
    if let (Some(dialects), Some(dialect)) = (recipe.dialects(), &request.dialect) {
        variables.insert(dialects.variable.clone(), dialect.clone());
    }
    variables.extend(request.env.clone());
    let set = |names: &[String]| names.iter().map(|name| (name.clone(), Empty {})).collect();
    let seconds = |count: u32| u64::from(count) * NANOSECONDS;
    ImageConfig {
        user: request.user.as_ref().or(run.user.as_ref()).cloned(),
        exposed_ports: set(&run.ports),
        env: variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        entrypoint: run.entrypoint.clone(),
        cmd: run.command.clone(),
        volumes: set(&run.volumes),
        working_dir: run.folder.clone(),
        labels,
        stop_signal: run.stop_signal.clone(),
        healthcheck: run.healthcheck.as_ref().map(|check| Healthcheck {
            test: [vec!["CMD".to_owned()], check.command.clone()].concat(),
            interval: seconds(check.interval),
            timeout: seconds(check.timeout),
            start_period: seconds(check.start_period),
            retries: check.retries,
        }),
    }
}

/// The annotations of image-spec 1.1, annotations.md, "Pre-Defined Annotation Keys"; also the labels, where Docker's
/// users look for them.
fn annotations(recipe: &Recipe) -> BTreeMap<String, String> {
    let part = recipe.own();
    let definition = &part.family.definition;
    let revision = definition.versions.get(&part.version).and_then(|version| version.revision.clone());
    let licenses = recipe.parts.iter().map(|part| &part.family.definition.licenses).filter(|text| !text.is_empty());
    let licenses: Vec<String> = licenses.map(|licenses| format!("({licenses})")).collect();
    let all = [
        ("created", Some(recipe.created().to_owned())),
        ("title", Some(definition.title.clone())),
        ("description", Some(definition.description.clone()).filter(|text| !text.is_empty())),
        ("version", Some(part.version.clone())),
        ("source", definition.source.clone()),
        ("revision", revision),
        ("licenses", Some(licenses.join(" AND "))),
        ("base.name", definition.base.clone()),
    ];
    let key = |name: &str| format!("org.opencontainers.image.{name}");
    all.into_iter().filter_map(|(name, value)| Some((key(name), value?))).collect()
}
