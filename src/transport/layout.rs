use std::io::{self, Read};
use std::path::Path;

use crate::copy::{Blob, CopyError, Have, Origin, Plan, Root, Sink, Taken};
use crate::digest::Hasher;
use crate::error::{Category, Diagnose};
use crate::oci::Descriptor;
use crate::store::{BlobPart, Layout, Store, StoreError, Verified};

/// An OCI layout in a folder, as a sink. Images that are there stay; a name that is there is moved.
#[derive(Debug)]
pub struct LayoutSink {
    layout: Layout,
    place: String,
    referrers: Vec<Descriptor>,
    /// The store, where it is its layout: large blobs that broke off go on there.
    store: Option<Store>,
}

impl LayoutSink {
    /// Opens the layout, and makes it where the folder is absent or empty. What a copy that was killed left under way is
    /// removed.
    pub fn open(folder: &Path) -> Result<LayoutSink, CopyError> {
        let place = format!("oci:{}", folder.display());
        let opened = Layout::open(folder).and_then(|layout| layout.sweep().map(|()| layout));
        let layout = opened.map_err(failed(&place, "cannot be opened"))?;
        Ok(LayoutSink { layout, place, referrers: Vec::new(), store: None })
    }

    /// The store, whose lease the caller holds.
    pub fn of_store(store: &Store) -> LayoutSink {
        let (layout, place) = (store.layout().clone(), "store".to_owned());
        LayoutSink { layout, place, referrers: Vec::new(), store: Some(store.clone()) }
    }

    fn failed(&self, what: &str) -> impl FnOnce(StoreError) -> CopyError {
        failed(&self.place, what)
    }

    fn take(
        &self,
        descriptor: &Descriptor,
        source: &str,
        content: &mut dyn Read,
        progress: &dyn Fn(u64),
    ) -> Result<(), CopyError> {
        let name = descriptor.digest.to_string();
        let mut blob = self.layout.create_blob().map_err(self.failed(&name))?;
        let append = &mut |bytes: &[u8]| blob.append(bytes).map_err(self.failed(&name));
        self.pass(descriptor, source, content, append, progress)?;
        blob.commit(&descriptor.digest).map_err(self.failed(&name))
    }

    /// Takes the rest of a blob of which an earlier process got a part. Where the whole does not fit then, it is taken
    /// again from its start, once.
    fn go_on(&self, mut part: BlobPart, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        let descriptor = blob.descriptor();
        let name = descriptor.digest.to_string();
        let mut hasher = Hasher::new(descriptor.digest.algorithm());
        let mut from = hashed(&mut part.content().map_err(self.failed(&name))?, &mut hasher, descriptor.size);
        if from.is_none() {
            part.clear().map_err(self.failed(&name))?;
            (from, hasher) = (Some(0), Hasher::new(descriptor.digest.algorithm()));
        }
        let from = from.unwrap_or_default();
        if from > 0 {
            let mut offset = from;
            // All of it may be there, and only its name be missing.
            let mut content = if from < descriptor.size { blob.open(from)? } else { Box::new(io::empty()) };
            let mut buffer = vec![0; 1 << 20];
            while offset < descriptor.size {
                let read = content.read(&mut buffer);
                let count = read.map_err(|error| CopyError::carried(error).unwrap_or_else(|_| self.torn(blob)))?;
                let left = usize::try_from(descriptor.size - offset).unwrap_or(usize::MAX);
                let count = count.min(left);
                if count == 0 {
                    break;
                }
                hasher.update(&buffer[..count]);
                part.append(&buffer[..count]).map_err(self.failed(&name))?;
                offset += count as u64;
                progress(offset);
            }
            if offset == descriptor.size && hasher.finish() == descriptor.digest {
                part.commit().map_err(self.failed(&name))?;
                return Ok(Taken::Sent { from });
            }
            part.clear().map_err(self.failed(&name))?;
        }
        let append = &mut |bytes: &[u8]| part.append(bytes).map_err(self.failed(&name));
        // What broke off stays for the next process, which finds what does not fit.
        self.pass(descriptor, &blob.source(), &mut blob.open(0)?, append, progress)?;
        part.commit().map_err(self.failed(&name))?;
        Ok(Taken::Sent { from: 0 })
    }

    fn torn(&self, blob: &Blob<'_>) -> CopyError {
        CopyError::Failed {
            place: self.place.clone(),
            what: blob.descriptor().digest.to_string(),
            why: "the source broke off".to_owned(),
            category: Category::Failed,
            hint: Some("run the command again: it goes on from there".to_owned()),
        }
    }

    /// Verifies a blob while it passes.
    fn pass(
        &self,
        descriptor: &Descriptor,
        source: &str,
        content: &mut dyn Read,
        to: &mut dyn FnMut(&[u8]) -> Result<(), CopyError>,
        progress: &dyn Fn(u64),
    ) -> Result<(), CopyError> {
        let mut content = Verified::new(content, descriptor.digest, descriptor.size);
        let mut buffer = vec![0; 1 << 20];
        let mut done = 0;
        loop {
            let failed = |error: io::Error| CopyError::Failed {
                place: self.place.clone(),
                what: descriptor.digest.to_string(),
                why: error.to_string(),
                category: Category::Verification,
                hint: Some(damaged(source)),
            };
            let read = content.read(&mut buffer);
            let count = read.map_err(|error| CopyError::carried(error).unwrap_or_else(failed))?;
            if count == 0 {
                return Ok(());
            }
            to(&buffer[..count])?;
            done += count as u64;
            progress(done);
        }
    }
}

/// Hashes a part; its size, or `None` where it cannot be read or is too long.
fn hashed(content: &mut impl Read, hasher: &mut Hasher, limit: u64) -> Option<u64> {
    let (mut buffer, mut size) = (vec![0; 1 << 20], 0);
    loop {
        match content.read(&mut buffer).ok()? {
            0 => return (size <= limit).then_some(size),
            count => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

/// What to do about a blob that does not fit.
pub(super) fn damaged(source: &str) -> String {
    match source {
        "store" => "`kimg store check --repair` removes what is damaged".to_owned(),
        source => format!("{source} is damaged, or cut short: make it again, or copy from elsewhere"),
    }
}

pub(super) fn failed(place: &str, what: &str) -> impl FnOnce(StoreError) -> CopyError {
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

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.referrers.clone_from(&plan.referrers);
        Ok(())
    }

    fn jobs(&self, allowed: usize) -> usize {
        allowed
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        let part = |blob| self.store.as_ref().map_or(0, |store| store.blob_part_size(blob));
        let each = |blob| match (self.layout.has(blob), part(blob)) {
            (true, _) => Have::Present,
            (false, 0) => Have::Absent,
            (false, offset) => Have::PartAt(offset),
        };
        Ok(blobs.iter().map(each).collect())
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        let descriptor = blob.descriptor();
        let Some(link) = blob.file().and_then(|file| self.layout.link(descriptor, &file)) else {
            let name = descriptor.digest.to_string();
            let part = self.store.as_ref().map(|store| store.blob_part(descriptor)).transpose();
            if let Some(part) = part.map_err(self.failed(&name))?.flatten() {
                return self.go_on(part, blob, progress);
            }
            self.take(descriptor, &blob.source(), &mut blob.open(0)?, progress)?;
            return Ok(Taken::Sent { from: 0 });
        };
        if !link.is_written_here() {
            self.pass(descriptor, &blob.source(), &mut link.file(), &mut |_| Ok(()), progress)?;
        }
        link.commit(&descriptor.digest).map_err(self.failed(&descriptor.digest.to_string()))?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        self.take(descriptor, "it", &mut &bytes[..], &|_| {})
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        for root in roots {
            let mut descriptor = root.descriptor.clone();
            // Names are those of the target.
            descriptor.annotations.clear();
            self.layout.name(&root.names, &descriptor).map_err(self.failed("index.json"))?;
        }
        // Nothing else in a layout leads from a subject to them.
        for referrer in &self.referrers {
            self.layout.name(&[], referrer).map_err(self.failed("index.json"))?;
        }
        Ok(())
    }
}
