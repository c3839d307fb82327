use bollard::errors::Error;
use bollard::query_parameters::ListImagesOptions;

use super::docker_daemon::Daemon;
use super::docker_name;
use crate::copy::{CopyError, PlannedImage};
use crate::oci::Descriptor;

/// So many images are looked at for layers, at most: beyond that, sending is as fast as asking.
const LOOKED_AT: usize = 100;

/// Images that a daemon has.
#[derive(Debug, Default)]
pub(super) struct Images(Vec<Found>);

/// One of them.
#[derive(Debug)]
struct Found {
    /// The name or id by which it was asked for.
    asked: String,
    id: String,
    /// The diff ids of its layers, lowest first.
    layers: Vec<String>,
}

impl Images {
    /// Asks for the images by their names and ids; and, where these have not all of the layers, for all others.
    pub(super) fn of(daemon: &Daemon, wanted: &[PlannedImage]) -> Result<Images, CopyError> {
        let mut images = Images::by_name(daemon, wanted)?;
        if wanted.iter().all(|image| images.layers(&image.layers) == image.layers.len()) {
            return Ok(images);
        }
        let all = known(daemon, daemon.docker().list_images(None::<ListImagesOptions>))?.unwrap_or_default();
        for summary in all.into_iter().take(LOOKED_AT) {
            if !images.0.iter().any(|found| found.id == summary.id) {
                images.0.extend(inspect(daemon, summary.id)?);
            }
        }
        Ok(images)
    }

    /// Asks for the images by their names and ids.
    pub(super) fn by_name(daemon: &Daemon, wanted: &[PlannedImage]) -> Result<Images, CopyError> {
        let mut images = Images::default();
        for image in wanted {
            for name in names(image).chain([image.config.digest.to_string()]) {
                images.0.extend(inspect(daemon, name)?);
            }
        }
        Ok(images)
    }

    /// How many of these layers, from the lowest, lie one upon the other in some image.
    pub(super) fn layers(&self, layers: &[Descriptor]) -> usize {
        let same = |found: &Found| {
            let pairs = found.layers.iter().zip(layers);
            pairs.take_while(|(own, wanted)| **own == wanted.digest.to_string()).count()
        };
        self.0.iter().map(same).max().unwrap_or_default()
    }

    /// Whether these very images are there, under all their names.
    pub(super) fn hold(&self, images: &[PlannedImage]) -> bool {
        self.each(images, |found, image| found.id == image.config.digest.to_string())
    }

    /// Whether under all names there are images of these layers: not every daemon knows an image by its configuration.
    pub(super) fn hold_layers(&self, images: &[PlannedImage]) -> bool {
        self.each(images, |found, image| {
            found.layers.len() == image.layers.len()
                && found.layers.iter().zip(&image.layers).all(|(own, wanted)| *own == wanted.digest.to_string())
        })
    }

    fn each(&self, images: &[PlannedImage], fits: impl Fn(&Found, &PlannedImage) -> bool) -> bool {
        let is_there =
            |image: &PlannedImage, name: &String| self.0.iter().any(|found| found.asked == *name && fits(found, image));
        images.iter().all(|image| names(image).all(|name| is_there(image, &name)))
    }
}

fn names(image: &PlannedImage) -> impl Iterator<Item = String> {
    image.names.iter().filter_map(|name| docker_name(name).ok())
}

fn inspect(daemon: &Daemon, asked: String) -> Result<Option<Found>, CopyError> {
    let Some(found) = known(daemon, daemon.docker().inspect_image(&asked))? else { return Ok(None) };
    let layers = found.root_fs.and_then(|root| root.layers).unwrap_or_default();
    Ok(Some(Found { asked, id: found.id.unwrap_or_default(), layers }))
}

/// What the daemon answers; `None` where it has no such thing, or says it in a way that is not understood: all of this
/// only saves sending what is there.
fn known<T>(daemon: &Daemon, question: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, CopyError> {
    match daemon.ask(question) {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::DockerResponseServerError { .. } | Error::JsonDataError { .. } | Error::JsonSerdeError { .. }) => {
            Ok(None)
        }
        Err(error) => Err(daemon.failed(error)),
    }
}
