use std::io::Read;

use serde::Serialize;

use super::{Archive, docker_name};
use crate::copy::{CopyError, Form, Have, Plan, PlannedImage, Root, Sink};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, media_type};

/// The tar of `docker save`, as a sink: `docker load`, `podman load` and skopeo read it. `manifest.json` comes first; a
/// file that several images share is there once; layers are not packed, for Docker before 23 knows nothing newer than
/// gzip, and to a daemon on the same machine packing costs more than it saves. The same images always give the same
/// bytes.
#[derive(Debug)]
pub struct DockerArchiveSink {
    archive: Archive,
}

impl DockerArchiveSink {
    /// Images into that archive.
    pub fn new(archive: Archive) -> DockerArchiveSink {
        DockerArchiveSink { archive }
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
        self.archive.place().to_owned()
    }

    fn form(&self) -> Form {
        Form::Tars
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        let items = items(&plan.images, self.archive.place())?;
        self.archive.file("manifest.json", &oci::to_bytes(&items))
    }

    fn have(&self, _: &Descriptor) -> Result<Have, CopyError> {
        Ok(Have::Absent)
    }

    fn take_blob(
        &mut self,
        descriptor: &Descriptor,
        content: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError> {
        let path = match descriptor.media_type.as_str() {
            media_type::LAYER => tar_path(&descriptor.digest),
            _ => config_path(&descriptor.digest),
        };
        self.archive.blob(&path, descriptor, content, progress)
    }

    fn take_manifest(&mut self, _: &Descriptor, _: &[u8]) -> Result<(), CopyError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        self.archive.finish()
    }
}
