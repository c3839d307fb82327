use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::Archive;
use crate::copy::{CopyError, Have, Plan, Root, Sink};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, Index};
use crate::store::{LAYOUT, NAME};

/// An OCI layout as a tar, as a sink. The index comes first, then blobs and manifests in the order in which a registry
/// takes them, each once; the same images always give the same bytes.
#[derive(Debug)]
pub struct OciArchiveSink {
    archive: Archive,
    written: BTreeSet<Digest>,
}

impl OciArchiveSink {
    /// Images into that archive.
    pub fn new(archive: Archive) -> OciArchiveSink {
        OciArchiveSink { archive, written: BTreeSet::new() }
    }
}

/// The index of these roots, sorted by name as that of a layout; of one name given twice, the last root has it.
fn index(roots: &[Root]) -> Index {
    let mut named = BTreeMap::new();
    for root in roots {
        for name in &root.names {
            let mut descriptor = root.descriptor.clone();
            // Names are those of the target.
            descriptor.annotations.clear();
            descriptor.annotations.insert(NAME.to_owned(), name.clone());
            named.insert(name.clone(), descriptor);
        }
    }
    Index::new(named.into_values().collect())
}

fn path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

impl Sink for OciArchiveSink {
    fn describe(&self) -> String {
        self.archive.place().to_owned()
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.archive.file("oci-layout", LAYOUT.as_bytes())?;
        self.archive.file("index.json", &oci::to_bytes(&index(&plan.roots)))?;
        let blobs = plan.blobs.iter().map(|blob| blob.descriptor.digest);
        let manifests = plan.manifests.iter().map(|(descriptor, _)| descriptor.digest);
        let algorithms: BTreeSet<&str> = blobs.chain(manifests).map(|digest| digest.algorithm().name()).collect();
        self.archive.folder("blobs")?;
        algorithms.iter().try_for_each(|algorithm| self.archive.folder(&format!("blobs/{algorithm}")))
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
        // A manifest may be another's layer.
        match self.written.insert(descriptor.digest) {
            true => self.archive.blob(&path(&descriptor.digest), descriptor, content, progress),
            false => Ok(()),
        }
    }

    fn take_manifest(&mut self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        self.take_blob(descriptor, &mut &bytes[..], &mut |_| {})
    }

    fn finish(self: Box<Self>, _: &[Root]) -> Result<(), CopyError> {
        self.archive.finish()
    }
}
