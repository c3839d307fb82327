use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use super::Archive;
use crate::copy::{Blob, CopyError, Have, Origin, Plan, Root, Sink, Taken};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, Index};
use crate::store::{LAYOUT, NAME};

/// An OCI layout as a tar, as a sink. The index comes first, then blobs and manifests in the order in which a registry
/// takes them, each once; the same images always give the same bytes.
#[derive(Debug)]
pub struct OciArchiveSink {
    place: String,
    tar: Mutex<Tar>,
}

#[derive(Debug)]
struct Tar {
    archive: Archive,
    written: BTreeSet<Digest>,
}

impl Tar {
    fn take(
        &mut self,
        descriptor: &Descriptor,
        source: &str,
        content: &mut dyn Read,
        progress: &dyn Fn(u64),
    ) -> Result<(), CopyError> {
        // A manifest may be another's layer.
        match self.written.insert(descriptor.digest) {
            true => self.archive.blob(&path(&descriptor.digest), descriptor, source, content, progress),
            false => Ok(()),
        }
    }
}

impl OciArchiveSink {
    /// Images into that archive.
    pub fn new(archive: Archive) -> OciArchiveSink {
        OciArchiveSink { place: archive.place().to_owned(), tar: Mutex::new(Tar { archive, written: BTreeSet::new() }) }
    }
}

/// The index of these roots, sorted by name as that of a layout; of one name given twice, the last root has it. Referrers
/// come after them, for nothing else in a layout leads from a subject to them.
fn index(roots: &[Root], referrers: &[Descriptor]) -> Index {
    let (mut named, mut unnamed) = (BTreeMap::new(), Vec::new());
    for root in roots {
        if root.names.is_empty() {
            let mut descriptor = root.descriptor.clone();
            descriptor.annotations.clear();
            unnamed.push(descriptor);
        }
        for name in &root.names {
            let mut descriptor = root.descriptor.clone();
            // Names are those of the target.
            descriptor.annotations.clear();
            descriptor.annotations.insert(NAME.to_owned(), name.clone());
            named.insert(name.clone(), descriptor);
        }
    }
    Index::new(named.into_values().chain(unnamed).chain(referrers.iter().cloned()).collect())
}

fn path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

impl Sink for OciArchiveSink {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        let archive = &mut self.tar.get_mut().unwrap_or_else(PoisonError::into_inner).archive;
        archive.file("oci-layout", LAYOUT.as_bytes())?;
        archive.file("index.json", &oci::to_bytes(&index(&plan.roots, &plan.referrers)))?;
        let blobs = plan.blobs.iter().map(|blob| blob.descriptor.digest);
        let manifests = plan.manifests.iter().map(|(descriptor, _)| descriptor.digest);
        let algorithms: BTreeSet<&str> = blobs.chain(manifests).map(|digest| digest.algorithm().name()).collect();
        archive.folder("blobs")?;
        algorithms.iter().try_for_each(|algorithm| archive.folder(&format!("blobs/{algorithm}")))
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        let mut tar = self.tar.lock().unwrap_or_else(PoisonError::into_inner);
        tar.take(blob.descriptor(), &blob.source(), &mut blob.open(0)?, progress)?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        let mut tar = self.tar.lock().unwrap_or_else(PoisonError::into_inner);
        tar.take(descriptor, "it", &mut &bytes[..], &|_| {})
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        self.tar.into_inner().unwrap_or_else(PoisonError::into_inner).archive.finish()
    }
}
