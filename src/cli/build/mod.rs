//! `kimg build`.

mod base;
mod deliver;
mod doubted;
mod inputs;
mod metadata;
mod order;
mod push;
mod repositories;
mod request;

pub(in crate::cli) use self::order::docker_host;

use std::path::PathBuf;

use super::arguments::Definitions;
use super::definition::{self, OwnDefinition};
use super::places::Ends;
use super::registry::RegistryFlags;
use super::values::{self, InputsPlace, Location, Pair};
use super::workshop::{self, Means};
use super::{Failure, Session, answer, files, interrupt};
use crate::build::{self, Addition, Built, BuiltImage, Request, Reuse, Sources, Workshop};
use crate::layer::Compression;
use crate::oci::Platform;
use crate::transport::docker_name;
use crate::ui::{escape, size};

use order::Order;
use repositories::Repository;

const EXAMPLES: &str = "\
Examples:
  kimg build kafka:3.5.2
  docker run $(kimg build kafka --load)
  kimg build kafka zookeeper -o oci-archive:both.tar
  kimg build kafka -o docker-archive:- | ssh host docker load
  kimg build kafka -t registry.example/team/kafka:3.5.2 --label team=data
  kimg build kafka --add ./my.properties:/etc/kafka/my.properties:0640 --ca company.pem
  kimg build kafka --platform linux/amd64,linux/arm64 --variant distroless
  kimg build kafka --compression zstd:19 --metadata-file out.json
  kimg build kafka --mirror maven=https://mirror.example/maven2
  kimg build kafka --offline --inputs inputs
  kimg build -f image.toml --locked

Standard output has one line an image: its name (the first --tag, or else NAME:VERSION) and digest.
With --load or docker-daemon:REF it has the name there; with `-` as FILE, the archive instead.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// What to build; without VERSION the family's default
    #[arg(id = "image", value_name = "IMAGE[:VERSION]", value_parser = values::image)]
    #[arg(required_unless_present = "file")]
    images: Vec<String>,
    #[command(flatten)]
    own: OwnDefinition,
    /// Write the images there too: docker://REF, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF] or docker-daemon:REF;
    /// `-` as FILE is standard output (repeatable)
    #[arg(short, long, value_name = "LOCATION", value_parser = values::location)]
    output: Vec<Location>,
    /// Load the images into the Docker daemon (at DOCKER_HOST), and print their names there
    #[arg(long)]
    load: bool,
    /// Push the image to the registries that tags name
    #[arg(long)]
    push: bool,
    /// Let layers that a registry has already stay there by what any lock says of them, not only kimg's own
    #[arg(long)]
    trust_lock_outputs: bool,
    /// Take this image as the base, instead of Debian and Java: docker://REF@DIGEST, oci:DIR[:REF] or store:REF
    #[arg(long, value_name = "LOCATION", value_parser = values::location)]
    base: Option<Location>,
    #[command(flatten)]
    registry: RegistryFlags,
    /// A further name for the image (repeatable)
    #[arg(short, long = "tag", value_name = "NAME[:TAG]", value_parser = values::tag)]
    tags: Vec<String>,
    /// Build for these platforms; several make an index (repeatable)
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',', value_parser = values::platform)]
    platform: Vec<Platform>,
    /// Build this variant, such as full or distroless; `kimg images` lists them
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// How layers are compressed: gzip[:1-9], zstd[:1-19] or none
    #[arg(long, value_name = "KIND[:LEVEL]", default_value = "gzip", value_parser = values::compression)]
    compression: Compression,
    /// Write what was built as JSON to FILE
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,
    /// Write the image's id to FILE
    #[arg(long, value_name = "FILE")]
    iidfile: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Make no lock for --file, and refuse locks that do not say what each layer of locked inputs must be
    #[arg(long)]
    locked: bool,
    /// Take inputs from this folder or docker://REF first, which `kimg fetch` made (repeatable)
    #[arg(long, value_name = "DIR", value_parser = values::inputs)]
    inputs: Vec<InputsPlace>,
    /// Ask no host: all inputs must be in the store or the folders of --inputs
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    means: Means,
    #[command(flatten)]
    definitions: Definitions,
}

/// What the user changes in images.
#[derive(Debug, clap::Args)]
struct Changes {
    /// Have the image understand the environment of another, such as bitnami or confluent, whatever it finds
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// Run as this user and group, by number, unless the runtime says otherwise
    #[arg(long, value_name = "UID[:GID]", value_parser = values::user)]
    user: Option<String>,
    /// Add a label to the image (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    label: Vec<Pair>,
    /// Add an annotation to the manifest, and to the index of several platforms (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    annotation: Vec<Pair>,
    /// Set a variable of the image's environment (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    env: Vec<Pair>,
    /// Add a file or folder of yours in a last layer (repeatable)
    #[arg(long, value_name = "SRC:DST[:MODE]", value_parser = values::addition_parser())]
    add: Vec<Addition>,
    /// Trust the certificate authorities of a PEM file in the image and in its Java (repeatable)
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

/// Builds images, one after the other, for they share layers; then takes all of them to each output.
pub(super) fn run(args: Box<Args>, session: &Session) -> Result<(), Failure> {
    let catalog = args.own.add_to(args.definitions.catalog()?)?;
    let order = Order::resolve(&args, &definition::images(&args.images, &catalog), &session.environment)?;
    let mut workshop = args.means.workshop(catalog, session)?;
    let refused_by = if args.locked { Some("--locked") } else { args.offline.then_some("--offline") };
    workshop.sources = Sources { folders: order.folders.clone(), offline: args.offline, ..workshop.sources };
    let built = interrupt::run(async {
        let daemon = deliver::daemon(&order).await?;
        build::check_files(&workshop.catalog)?;
        let ends = workshop::ends(&workshop, &args.registry, session)?;
        workshop.sources.artifacts = inputs::find(&args.inputs, &ends).await?;
        let workshop = definition::lock_if_absent(workshop, refused_by, &session.environment).await?;
        let base = base::find(args.base.as_ref(), &ends, &workshop.events).await?;
        let mut all = Vec::new();
        for request in &order.requests {
            let request = Request { base: base.clone(), ..request.clone() };
            let built = build_one(&request, &order, &ends, &workshop).await?;
            if order.is_for_the_store() {
                answer(&built, &request.tags, &order, &workshop)?;
            }
            all.push((built, request.tags));
        }
        if !order.outputs.is_empty() {
            deliver::deliver(&all, &order, daemon, &workshop).await?;
        }
        if !order.is_for_the_store() {
            all.iter().try_for_each(|(built, tags)| answer(built, tags, &order, &workshop))?;
        }
        Ok(all)
    })?;
    if let Some(path) = &order.iidfile {
        files::write_whole(path, metadata::image_id(&built).as_bytes())?;
    }
    if let Some(path) = &order.metadata_file {
        files::write_whole(path, &metadata::document(&built))?;
    }
    Ok(())
}

/// Builds an image into the store, or as much of it as the registries lack that it goes into, and takes it there.
async fn build_one(request: &Request, order: &Order, ends: &Ends, workshop: &Workshop) -> Result<Built, Failure> {
    let mut outline = build::outline(request, workshop, order.reuse).await?;
    if order.reuse == Reuse::Nothing {
        outline.complete().await?;
    }
    push::push(&mut outline, &order.repositories, ends, &workshop.events).await?;
    let built = outline.finish()?;
    tell(&built, workshop);
    Ok(built)
}

/// Prints the name of an image that is where it was wanted. The images are wanted even where nobody reads their names.
fn answer(built: &Built, tags: &[String], order: &Order, workshop: &Workshop) -> Result<(), Failure> {
    let line = answer_line(built, tags, order);
    if order.outputs.iter().any(Location::is_stdout) {
        // Standard output is an archive.
        workshop.events.note(line);
        return Ok(());
    }
    match answer::print(&format!("{}\n", escape(&line))) {
        Err(Failure::Unread) => Ok(()),
        printed => printed,
    }
}

/// The reference with its digest: that in a registry, or else the first tag's, or the image's own name's. Where it went into a Docker daemon,
/// what `docker run` takes: there it has no digest.
fn answer_line(built: &Built, tags: &[String], order: &Order) -> String {
    let name = order.repositories.first().map(Repository::name);
    let name = &name.unwrap_or_else(|| tags.first().unwrap_or(&built.name).clone());
    match order.outputs.iter().find(|output| output.is_daemon()) {
        None => format!("{name}@{}", built.manifest.digest),
        Some(daemon) => {
            let name = daemon.name().unwrap_or(name);
            docker_name(name).unwrap_or_else(|_| name.clone())
        }
    }
}

fn tell(built: &Built, workshop: &Workshop) {
    for image in &built.images {
        let name = match built.images.len() {
            1 => built.name.clone(),
            _ => format!("{} {}", built.name, image.platform),
        };
        tell_image(&name, image, workshop);
    }
}

fn tell_image(name: &str, image: &BuiltImage, workshop: &Workshop) {
    for (layer, descriptor, how) in &image.layers {
        let text = format!("layer {layer}: {how}, {} in {}", descriptor.digest, size(descriptor.size));
        workshop.events.detail(text);
    }
    let total: u64 = image.layers.iter().map(|(_, descriptor, _)| descriptor.size).sum();
    let made = image.layers.iter().filter(|(_, _, how)| *how == "built").count();
    let layers = match image.layers.len() {
        1 => "1 layer".to_owned(),
        count => format!("{count} layers"),
    };
    workshop.events.note(format!("{name}: {layers}, {} ({made} built)", size(total)));
}
