use std::io::Read;
use std::path::Path;

use crate::copy::{CopyError, Have, Plan, Root, Sink};
use crate::error::{Category, Diagnose};
use crate::oci::Descriptor;
use crate::store::{BlobFile, Layout, StoreError, Verified};

/// An OCI layout in a folder, as a sink. Images that are there stay; a name that is there is moved.
#[derive(Debug)]
pub struct LayoutSink {
    layout: Layout,
    place: String,
}

impl LayoutSink {
    /// Opens the layout, and makes it where the folder is absent or empty. What a copy that was killed left under way is
    /// removed.
    pub fn open(folder: &Path) -> Result<LayoutSink, CopyError> {
        let place = format!("oci:{}", folder.display());
        let opened = Layout::open(folder).and_then(|layout| layout.sweep().map(|()| layout));
        let layout = opened.map_err(failed(&place, "cannot be opened"))?;
        Ok(LayoutSink { layout, place })
    }

    fn failed(&self, what: &str) -> impl FnOnce(StoreError) -> CopyError {
        failed(&self.place, what)
    }

    fn take(
        &self,
        descriptor: &Descriptor,
        content: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError> {
        let name = descriptor.digest.to_string();
        let mut blob = self.layout.create_blob().map_err(self.failed(&name))?;
        self.pass(descriptor, content, &mut |bytes| blob.append(bytes).map_err(self.failed(&name)), progress)?;
        blob.commit(&descriptor.digest).map_err(self.failed(&name))
    }

    /// Verifies a blob while it passes.
    fn pass(
        &self,
        descriptor: &Descriptor,
        content: &mut dyn Read,
        to: &mut dyn FnMut(&[u8]) -> Result<(), CopyError>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError> {
        let mut content = Verified::new(content, descriptor.digest, descriptor.size);
        let mut buffer = vec![0; 1 << 20];
        let mut done = 0;
        loop {
            let count = content.read(&mut buffer).map_err(|error| CopyError::Failed {
                place: self.place.clone(),
                what: descriptor.digest.to_string(),
                why: error.to_string(),
                category: Category::Verification,
                hint: Some("`kimg store check --repair` removes what is damaged".to_owned()),
            })?;
            if count == 0 {
                return Ok(());
            }
            to(&buffer[..count])?;
            done += count as u64;
            progress(done);
        }
    }
}

fn failed(place: &str, what: &str) -> impl FnOnce(StoreError) -> CopyError {
    let (place, what) = (place.to_owned(), what.to_owned());
    move |error| CopyError::Failed {
        place,
        what,
        why: error.to_string(),
        category: error.category(),
        // The hints of the store speak of the store.
        hint: (error.category() == Category::Failed).then(|| "name another folder, or free space there".to_owned()),
    }
}

impl Sink for LayoutSink {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn begin(&mut self, _: &Plan) -> Result<(), CopyError> {
        Ok(())
    }

    fn have(&self, descriptor: &Descriptor) -> Result<Have, CopyError> {
        Ok(if self.layout.has(descriptor) { Have::Present } else { Have::Absent })
    }

    fn take_blob(
        &mut self,
        descriptor: &Descriptor,
        content: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError> {
        self.take(descriptor, content, progress)
    }

    fn take_file(
        &mut self,
        descriptor: &Descriptor,
        file: &BlobFile,
        progress: &mut dyn FnMut(u64),
    ) -> Result<bool, CopyError> {
        let Some(link) = self.layout.link(descriptor, file) else { return Ok(false) };
        if !link.is_written_here() {
            self.pass(descriptor, &mut link.file(), &mut |_| Ok(()), progress)?;
        }
        link.commit(&descriptor.digest).map_err(self.failed(&descriptor.digest.to_string()))?;
        Ok(true)
    }

    fn take_manifest(&mut self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        self.take(descriptor, &mut &bytes[..], &mut |_| {})
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        for root in roots {
            let mut descriptor = root.descriptor.clone();
            // Names are those of the target.
            descriptor.annotations.clear();
            self.layout.name(&root.names, &descriptor).map_err(self.failed("index.json"))?;
        }
        Ok(())
    }
}
