use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{Archive, docker_name};
use crate::copy::{Blob, CopyError, Form, Have, Origin, Plan, PlannedImage, Root, Sink, Taken};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, media_type};

/// The tar of `docker save`, as a sink: `docker load`, `podman load` and skopeo read it. `manifest.json` comes first; a
/// file that several images share is there once; layers are not packed, for Docker before 23 knows nothing newer than
/// gzip, and to a daemon on the same machine packing costs more than it saves. The same images always give the same
/// bytes.
#[derive(Debug)]
pub struct DockerArchiveSink {
    place: String,
    archive: Mutex<Archive>,
}

impl DockerArchiveSink {
    /// Images into that archive.
    pub fn new(archive: Archive) -> DockerArchiveSink {
        DockerArchiveSink { place: archive.place().to_owned(), archive: Mutex::new(archive) }
    }
}

/// An image in `manifest.json` (Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// One item an image, in the order of the plan; of one name given twice, the last image has it.
fn items(images: &[PlannedImage], place: &str) -> Result<Vec<Item>, CopyError> {
    let mut items: Vec<Item> = Vec::new();
    for image in images {
        let config = config_path(&image.config.digest);
        let mut names = Vec::new();
        for name in &image.names {
            names.push(docker_name(name).map_err(|error| CopyError::Unfit {
                place: place.to_owned(),
                image: name.clone(),
                why: error.to_string(),
                hint: "give it another name with --tag".to_owned(),
            })?);
        }
        for item in &mut items {
            item.repo_tags.retain(|name| !names.contains(name));
        }
        match items.iter_mut().find(|item| item.config == config) {
            Some(item) => item.repo_tags.extend(names),
            None => {
                let layers = image.layers.iter().map(|layer| tar_path(&layer.digest)).collect();
                items.push(Item { config, repo_tags: names, layers });
            }
        }
    }
    Ok(items)
}

fn config_path(digest: &Digest) -> String {
    format!("{}.json", digest.hex())
}

fn tar_path(diff_id: &Digest) -> String {
    format!("{}.tar", diff_id.hex())
}

impl Sink for DockerArchiveSink {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn form(&self) -> Form {
        Form::Tars
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        let items = items(&plan.images, &self.place)?;
        self.archive.get_mut().unwrap_or_else(PoisonError::into_inner).file("manifest.json", &oci::to_bytes(&items))
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        let descriptor = blob.descriptor();
        let path = match descriptor.media_type.as_str() {
            media_type::LAYER => tar_path(&descriptor.digest),
            _ => config_path(&descriptor.digest),
        };
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        archive.blob(&path, descriptor, &blob.source(), &mut blob.open(0)?, progress)?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, _: &Descriptor, _: &[u8]) -> Result<(), CopyError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        self.archive.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }
}
