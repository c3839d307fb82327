use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use super::layout::failed;
use super::layout_names::{self, Referrers};
use crate::copy::{CopyError, MAX_MANIFEST, Source};
use crate::digest::Digest;
use crate::error::Category;
use crate::oci::{Descriptor, Index};
use crate::store::{Layout, StoreError};

/// An OCI layout in a folder, as a source.
#[derive(Debug)]
pub struct LayoutSource {
    layout: Layout,
    place: String,
    referrers: OnceLock<Referrers>,
}

impl LayoutSource {
    /// Opens the layout, which must be there.
    pub fn open(folder: &Path) -> Result<LayoutSource, CopyError> {
        let place = format!("oci:{}", folder.display());
        if !folder.join("oci-layout").is_file() {
            let why = match folder.is_dir() {
                true => "it is no OCI layout, for it has no file `oci-layout`",
                false => "there is no such folder",
            };
            return Err(CopyError::Failed {
                place,
                what: "cannot be opened".to_owned(),
                why: why.to_owned(),
                category: Category::NotFound,
                hint: Some("check the path; a relative one begins at the working folder".to_owned()),
            });
        }
        let layout = Layout::open(folder).map_err(failed(&place, "cannot be opened"))?;
        Ok(LayoutSource { layout, place, referrers: OnceLock::new() })
    }

    /// What its index points at by that name, digest or position (`@0`); without one, the only image that there is.
    pub fn find(&self, name: Option<&str>) -> Result<Descriptor, CopyError> {
        layout_names::find(&self.place, &self.index()?, name, &|digest| small(&self.layout, digest))
    }

    /// The size of what lies in a blob's place, where that is a file.
    fn size(&self, blob: &Descriptor) -> Result<Option<u64>, CopyError> {
        match self.layout.blob_path(&blob.digest).metadata() {
            Ok(metadata) if !metadata.is_file() => Err(CopyError::Failed {
                place: self.place.clone(),
                what: blob.digest.to_string(),
                why: "what lies in its place is no file".to_owned(),
                category: Category::Verification,
                hint: None,
            }),
            found => Ok(found.ok().map(|metadata| metadata.len())),
        }
    }

    fn index(&self) -> Result<Index, CopyError> {
        self.layout.index().map_err(failed(&self.place, "index.json"))
    }
}

/// A blob that a layout should have.
pub(super) fn absent(place: &str, name: &str) -> CopyError {
    CopyError::Failed {
        place: place.to_owned(),
        what: name.to_owned(),
        why: "this blob is not there".to_owned(),
        category: Category::NotFound,
        hint: Some("make it again, whole, or copy from elsewhere".to_owned()),
    }
}

/// Refuses a blob that is not there, or not of its size.
pub(super) fn right_size(place: &str, blob: &Descriptor, found: Option<u64>) -> Result<(), CopyError> {
    match found {
        None => Err(absent(place, &blob.digest.to_string())),
        Some(size) if size == blob.size => Ok(()),
        Some(size) => Err(CopyError::Failed {
            place: place.to_owned(),
            what: blob.digest.to_string(),
            why: format!("this blob has {size} bytes, and its manifest says {}", blob.size),
            category: Category::Verification,
            hint: Some("make it again, whole, or copy from elsewhere".to_owned()),
        }),
    }
}

/// A document of a layout, where it is one.
pub(super) fn small(layout: &Layout, digest: &Digest) -> Option<Vec<u8>> {
    let metadata = layout.blob_path(digest).metadata().ok()?;
    let descriptor = Descriptor::new("", *digest, metadata.len());
    metadata.is_file().then(|| layout.read_blob(&descriptor, MAX_MANIFEST).ok()).flatten()
}

impl Source for LayoutSource {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn list(&self) -> Result<Vec<Descriptor>, CopyError> {
        Ok(self.index()?.manifests)
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.find(Some(name))
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let name = blob.digest.to_string();
        // A pipe in a blob's place would be waited for.
        self.size(blob)?;
        match self.layout.open_unverified_at(blob, offset) {
            Ok(file) => Ok(Box::new(file)),
            Err(StoreError::Absent { .. }) => Err(absent(&self.place, &name)),
            Err(error) => Err(failed(&self.place, &name)(error)),
        }
    }

    fn look_for(&self, blobs: &[Descriptor]) -> Result<(), CopyError> {
        blobs.iter().try_for_each(|blob| right_size(&self.place, blob, self.size(blob)?))
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        let index = self.index()?;
        let all = self.referrers.get_or_init(|| layout_names::referrers(&index, &|digest| small(&self.layout, digest)));
        Ok(all.get(&subject.digest).cloned().unwrap_or_default())
    }
}
