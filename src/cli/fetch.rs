use super::arguments::Definitions;
use super::definition::{self, OwnDefinition};
use super::registry::RegistryFlags;
use super::values::{InputsPlace, Location};
use super::workshop::{self, Means};
use super::{CliError, Failure, Session, answer, interrupt, values};
use crate::build::{self, Fetched, InputsSource, Workshop};
use crate::copy::{self, Choice, Execution, Root};
use crate::ui::{escape, size};

const EXAMPLES: &str = "\
Examples:
  kimg fetch kafka zookeeper -o inputs                   where there is a network
  kimg build kafka zookeeper --offline --inputs inputs   where there is none
  kimg fetch -f image.toml -o inputs                     of a definition of yours
  kimg fetch kafka -o docker://registry.example/inputs   into a registry of yours
  kimg build kafka --inputs docker://registry.example/inputs

The folder is laid out as the upstreams are, so any web server makes mirrors of it:
  kimg build kafka --mirror debian=http://mirror.example/debian --mirror maven=http://mirror.example/maven";

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Whose inputs; without VERSION those of the family's default
    #[arg(id = "image", value_name = "IMAGE[:VERSION]", value_parser = values::image)]
    #[arg(required_unless_present = "file")]
    images: Vec<String>,
    #[command(flatten)]
    own: OwnDefinition,
    /// The folder, or docker://REF for an artifact in a registry; what is there already stays
    #[arg(short, long, value_name = "DIR", value_parser = values::inputs)]
    output: InputsPlace,
    #[command(flatten)]
    registry: RegistryFlags,
    #[command(flatten)]
    means: Means,
    #[command(flatten)]
    definitions: Definitions,
}

/// Downloads every input of images, and prints one line an image, or the artifact.
pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let catalog = args.own.add_to(args.definitions.catalog()?)?;
    let images = definition::images(&args.images, &catalog);
    let workshop = args.means.workshop(catalog, session)?;
    let target = match &args.output {
        InputsPlace::Folder(_) => None,
        InputsPlace::Registry(location) => Some(target(location)?),
    };
    interrupt::run(async {
        let workshop = definition::lock_if_absent(workshop, None, &session.environment).await?;
        match (&args.output, target) {
            (InputsPlace::Folder(folder), _) => {
                for image in &images {
                    let fetched = build::fetch(image, folder, &workshop).await?;
                    answer::print(&format!("{}\n", line(&fetched)))?;
                }
                Ok(())
            }
            (_, None) => Ok(()),
            (InputsPlace::Registry(location), Some(name)) => {
                let (all, source) = build::fetch_artifact(&images, &workshop).await?;
                all.iter().for_each(|fetched| workshop.events.note(line(fetched)));
                let digest = source.descriptor().digest;
                send(source, location.clone(), &name, args, session, &workshop).await?;
                let Location::Registry { reference, .. } = location else { return Ok(()) };
                answer::print(&format!("{}:{name}@{digest}\n", reference.repository))
            }
        }
    })
}

fn line(fetched: &Fetched) -> String {
    let files = if fetched.files == 1 { "1 file".to_owned() } else { format!("{} files", fetched.files) };
    format!("{}: {files}, {}", escape(&fetched.name), size(fetched.bytes))
}

/// The tag that the artifact gets.
fn target(location: &Location) -> Result<String, CliError> {
    match location {
        Location::Registry { reference, .. } if reference.digest.is_none() => {
            Ok(reference.tag.clone().unwrap_or_else(|| "latest".to_owned()))
        }
        location => Err(CliError::Flags {
            flag: "--output",
            why: format!("{}: a digest cannot be given to an artifact", location.place()),
            hint: "leave out `@` and what follows".to_owned(),
        }),
    }
}

async fn send(
    source: InputsSource,
    location: Location,
    name: &str,
    args: &Args,
    session: &Session,
    workshop: &Workshop,
) -> Result<(), Failure> {
    let ends = workshop::ends(workshop, &args.registry, session)?;
    let root = Root { descriptor: source.descriptor(), names: vec![name.to_owned()] };
    let execution = Execution { jobs: JOBS, ..Execution::new(workshop.events.clone()) };
    let going = execution.stop.when_dropped();
    let work = move || -> Result<(), Failure> {
        let sink = ends.sink(&location)?;
        let plan = copy::plan(&source, sink.as_ref(), &[root], &Choice::default())?;
        copy::execute(&plan, &source, sink, &execution)?;
        Ok(())
    };
    let done = tokio::task::spawn_blocking(work).await;
    drop(going);
    done.map_err(|error| Failure::from(CliError::Worker(error.to_string())))?
}

/// Files at once.
const JOBS: usize = 4;
