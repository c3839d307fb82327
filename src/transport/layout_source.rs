use std::io::Read;
use std::path::Path;

use super::layout::failed;
use crate::copy::{CopyError, Source};
use crate::error::Category;
use crate::oci::Descriptor;
use crate::store::Layout;

/// An OCI layout in a folder, as a source; what is read from it is verified.
#[derive(Debug)]
pub struct LayoutSource {
    layout: Layout,
    place: String,
}

impl LayoutSource {
    /// Opens the layout, which must be there.
    pub fn open(folder: &Path) -> Result<LayoutSource, CopyError> {
        let place = format!("oci:{}", folder.display());
        if !folder.join("oci-layout").is_file() {
            let why = if folder.is_dir() {
                "the folder is none: it has no file `oci-layout`"
            } else {
                "there is no such folder"
            };
            return Err(CopyError::Failed {
                place,
                what: "no OCI layout is there".to_owned(),
                why: why.to_owned(),
                category: crate::error::Category::NotFound,
                hint: Some("check the path; a relative one begins at the working folder".to_owned()),
            });
        }
        let layout = Layout::open(folder).map_err(failed(&place, "cannot be opened"))?;
        Ok(LayoutSource { layout, place })
    }

    /// What its index points at by that name; without one, the only image that there is.
    pub fn find(&self, name: Option<&str>) -> Result<Descriptor, CopyError> {
        match name {
            Some(name) => self.resolve(name),
            None => {
                let index = self.layout.index().map_err(failed(&self.place, "index.json"))?;
                match index.manifests.as_slice() {
                    [one] => Ok(one.clone()),
                    [] => Err(CopyError::NotFound { place: self.place.clone(), name: String::new() }),
                    several => Err(CopyError::Failed {
                        place: self.place.clone(),
                        what: "index.json".to_owned(),
                        why: format!("it has {} images, and no name says which", several.len()),
                        category: Category::Usage,
                        hint: Some(format!("write {}:NAME", self.place)),
                    }),
                }
            }
        }
    }
}

impl Source for LayoutSource {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn list(&self) -> Result<Vec<Descriptor>, CopyError> {
        Ok(self.layout.index().map_err(failed(&self.place, "index.json"))?.manifests)
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        let found = self.layout.resolve(name).map_err(failed(&self.place, name))?;
        found.ok_or_else(|| CopyError::NotFound { place: self.place.clone(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        self.layout.open_blob_at(blob, offset).map_err(failed(&self.place, &blob.digest.to_string()))
    }
}
