use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use super::archive_kind::{no_tar, refuse_packed, unread};
use super::layout_names::{self, Referrers};
use super::layout_source::{absent, right_size};
use crate::copy::{CopyError, MAX_DESCRIPTORS, MAX_MANIFEST, Source};
use crate::digest::Digest;
use crate::error::Category;
use crate::layer::{Member, Members};
use crate::oci::{Descriptor, Index};
use crate::store::Verified;

/// Entries of an archive, at most: every blob, and the folders.
pub(super) const MAX_ENTRIES: u64 = 10 * MAX_DESCRIPTORS as u64;

/// An `index.json` is read whole.
pub(super) const INDEX_LIMIT: u64 = 64 << 20;

/// An OCI layout as a tar, as a source: its headers tell where the blobs lie, and these are read in place.
#[derive(Debug)]
pub struct OciArchiveSource {
    place: String,
    file: File,
    members: Members,
    index: Index,
    referrers: OnceLock<Referrers>,
}

impl OciArchiveSource {
    /// Opens the archive, and looks at its headers.
    pub fn open(path: &Path) -> Result<OciArchiveSource, CopyError> {
        let place = format!("oci-archive:{}", path.display());
        let mut file = open_archive(&place, path)?;
        refuse_packed(&place, &mut file)?;
        let members = Members::find(&mut file, &place, MAX_ENTRIES).map_err(|error| no_tar(&place, &place, &error))?;
        let mut source =
            OciArchiveSource { place, file, members, index: Index::new(Vec::new()), referrers: OnceLock::new() };
        source.index = source.read_index()?;
        Ok(source)
    }

    /// What its index points at by that name, digest or position (`@0`); without one, the only image that there is.
    pub fn find(&self, name: Option<&str>) -> Result<Descriptor, CopyError> {
        layout_names::find(&self.place, &self.index, name, &|digest| self.small(digest))
    }

    fn read_index(&self) -> Result<Index, CopyError> {
        let wrong = |what: &str, why: String, hint: Option<String>| CopyError::Failed {
            place: self.place.clone(),
            what: what.to_owned(),
            why,
            category: Category::Failed,
            hint,
        };
        let Some(member) = self.members.get("index.json").filter(|member| member.size <= INDEX_LIMIT) else {
            let docker = self.members.get("manifest.json").is_some();
            let hint = docker.then(|| format!("write docker-{}", self.place.trim_start_matches("oci-")));
            return Err(wrong("index.json", "it is not there, so this is no OCI archive".to_owned(), hint));
        };
        let mut bytes = Vec::new();
        self.part(member, 0).read_to_end(&mut bytes).map_err(|error| wrong("index.json", error.to_string(), None))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| wrong("index.json", format!("is no index of a layout: {error}"), None))
    }

    fn member(&self, digest: &Digest) -> Option<Member> {
        self.members.get(&format!("blobs/{}/{}", digest.algorithm().name(), digest.hex()))
    }

    fn part(&self, member: Member, offset: u64) -> Part<'_> {
        let offset = offset.min(member.size);
        Part { file: &self.file, at: member.offset + offset, left: member.size - offset }
    }

    /// A document, where it is one.
    fn small(&self, digest: &Digest) -> Option<Vec<u8>> {
        let member = self.member(digest).filter(|member| member.size <= MAX_MANIFEST)?;
        let mut bytes = Vec::new();
        Verified::new(self.part(member, 0), *digest, member.size).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Opens an archive's file; `place` is what messages call it.
pub fn open_archive(place: &str, path: &Path) -> Result<File, CopyError> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => CopyError::Failed {
            place: place.to_owned(),
            what: "cannot be read".to_owned(),
            why: "there is no such file".to_owned(),
            category: Category::NotFound,
            hint: Some("check the path; a relative one begins at the working folder".to_owned()),
        },
        _ => unread(place, &error),
    })
}

/// A part of a file; several are read at once.
struct Part<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..want], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Source for OciArchiveSource {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn list(&self) -> Result<Vec<Descriptor>, CopyError> {
        Ok(self.index.manifests.clone())
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.find(Some(name))
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        let Some(member) = self.member(&blob.digest) else {
            return Err(absent(&self.place, &blob.digest.to_string()));
        };
        // Whoever reads it verifies it.
        Ok(Box::new(self.part(member, offset)))
    }

    fn look_for(&self, blobs: &[Descriptor]) -> Result<(), CopyError> {
        let size = |blob: &Descriptor| self.member(&blob.digest).map(|member| member.size);
        blobs.iter().try_for_each(|blob| right_size(&self.place, blob, size(blob)))
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        let all = self.referrers.get_or_init(|| layout_names::referrers(&self.index, &|digest| self.small(digest)));
        Ok(all.get(&subject.digest).cloned().unwrap_or_default())
    }
}
