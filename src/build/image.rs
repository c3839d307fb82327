//! The configuration and the manifest of an image.

use std::collections::BTreeMap;

use super::Request;
use super::base::BaseImage;
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
pub(super) fn config(recipe: &Recipe, request: &Request, base: Option<&BaseImage>, layers: &[FinishedLayer]) -> Config {
    let created = recipe.created().to_owned();
    let history = |layer: &FinishedLayer| History {
        created: Some(created.clone()),
        created_by: Some(layer.history.clone()),
        comment: Some(format!("kimg layer {}", layer.name)),
        empty_layer: false,
    };
    let mut labels = annotations(recipe, request, base);
    labels.extend(request.labels.clone());
    let below_ids = base.iter().flat_map(|base| base.diff_ids.iter().copied());
    let below = base.iter().flat_map(|base| base.history.iter().cloned());
    Config {
        created: Some(created.clone()),
        platform: recipe.platform.clone(),
        config: execution(recipe, request, base, labels),
        rootfs: RootFs::new(below_ids.chain(layers.iter().map(|layer| layer.diff_id)).collect()),
        history: below.chain(layers.iter().map(history)).collect(),
    }
}

/// The manifest that ties a configuration to its layers.
pub(super) fn manifest(
    recipe: &Recipe,
    request: &Request,
    config: Descriptor,
    base: Option<&BaseImage>,
    layers: &[FinishedLayer],
) -> Manifest {
    let mut annotations = annotations(recipe, request, base);
    annotations.extend(request.annotations.clone());
    let below = base.iter().flat_map(|base| base.layers.iter().cloned());
    Manifest::new(config, below.chain(layers.iter().map(|layer| layer.descriptor.clone())).collect(), annotations)
}

/// The index of the manifests of several platforms.
pub(super) fn index(recipe: &Recipe, request: &Request, manifests: Vec<Descriptor>) -> Index {
    let mut annotations = annotations(recipe, request, None);
    annotations.extend(request.annotations.clone());
    Index { annotations, ..Index::new(manifests) }
}

fn execution(
    recipe: &Recipe,
    request: &Request,
    base: Option<&BaseImage>,
    labels: BTreeMap<String, String>,
) -> ImageConfig {
    let run = &recipe.own().family.definition.run;
    let mut variables = run.env.clone();
    merge(&mut variables, base);
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

/// Adds the variables of a base from elsewhere. They say where things are in it, so that they replace those of the
/// definition; but the definition's folders of programs come before the base's.
fn merge(variables: &mut BTreeMap<String, String>, base: Option<&BaseImage>) {
    const PATH: &str = "PATH";
    for (name, value) in base.iter().flat_map(|base| &base.env).filter_map(|variable| variable.split_once('=')) {
        let mut value = value.to_owned();
        if let Some(own) = variables.get(PATH).filter(|_| name == PATH) {
            let own: Vec<&str> = own.split(':').collect();
            let more = value.split(':').filter(|folder| !own.contains(folder));
            value = own.iter().copied().chain(more).collect::<Vec<_>>().join(":");
        }
        variables.insert(name.to_owned(), value);
    }
}

/// The annotations of image-spec 1.1, annotations.md, "Pre-Defined Annotation Keys"; also the labels, where Docker's
/// users look for them.
fn annotations(recipe: &Recipe, request: &Request, base: Option<&BaseImage>) -> BTreeMap<String, String> {
    let part = recipe.own();
    let definition = &part.family.definition;
    let revision = definition.versions.get(&part.version).and_then(|version| version.revision.clone());
    let licenses = recipe.parts.iter().map(|part| &part.family.definition.licenses).filter(|text| !text.is_empty());
    let licenses: Vec<String> = licenses.map(|licenses| format!("({licenses})")).collect();
    let base_name = match &request.base {
        Some(base) => base.name().cloned(),
        None => definition.base.clone(),
    };
    let all = [
        ("created", Some(recipe.created().to_owned())),
        ("title", Some(definition.title.clone())),
        ("description", Some(definition.description.clone()).filter(|text| !text.is_empty())),
        ("version", Some(part.version.clone())),
        ("source", definition.source.clone()),
        ("revision", revision),
        ("licenses", Some(licenses.join(" AND "))),
        ("base.name", base_name),
        ("base.digest", base.map(|base| base.manifest.digest.to_string())),
    ];
    let key = |name: &str| format!("org.opencontainers.image.{name}");
    all.into_iter().filter_map(|(name, value)| Some((key(name), value?))).collect()
}
