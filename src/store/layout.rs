use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::blob::BlobWriter;
use super::blob_file::Written;
use super::files::{self, Temporary};
use super::{StoreError, Verified};
use crate::digest::{Algorithm, Digest};
use crate::oci::{Descriptor, Index};

/// What a layout's file `oci-layout` holds (image-spec 1.1, image-layout.md, "oci-layout file").
pub const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// An OCI image layout: the store's own, and any other folder that images are written to.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
    written: Written,
}

#[derive(serde::Deserialize)]
struct LayoutFile {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl Layout {
    /// Opens the layout at `root`, and makes it where the folder is absent or empty.
    pub fn open(root: &Path) -> Result<Layout, StoreError> {
        let layout = Layout { root: root.to_owned(), written: Written::default() };
        let file = root.join("oci-layout");
        match fs::read(&file) {
            Ok(bytes) => layout.check_version(&file, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => layout.create(&file)?,
            Err(error) => return Err(StoreError::io("read", &file)(error)),
        }
        Ok(layout)
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn check_version(&self, file: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let no_layout = |why: String| StoreError::NoLayout { path: file.to_owned(), why };
        let found: LayoutFile =
            serde_json::from_slice(bytes).map_err(|error| no_layout(format!("is no `oci-layout` file: {error}")))?;
        match found.version.as_str() {
            "1.0.0" => Ok(()),
            other => Err(no_layout(format!("the layout has version `{}`, not 1.0.0", other.escape_debug()))),
        }
    }

    fn create(&self, file: &Path) -> Result<(), StoreError> {
        let foreign = files::list(&self.root)?.into_iter().find(|path| !is_ours(path));
        if let Some(path) = foreign {
            let why = "it holds other files, and no OCI layout is made among them".to_owned();
            return Err(StoreError::NoLayout { path, why });
        }
        files::make_folder(&self.blob_folder(Algorithm::Sha256))?;
        // Two processes may make it at once: both write the same bytes, the index only under its lock.
        let lock = files::lock_exclusive(&self.index_lock())?;
        if !self.index_file().exists() {
            self.write_index(&Index::new(Vec::new()))?;
        }
        drop(lock);
        files::write_whole(&self.root, file, LAYOUT.as_bytes())
    }

    /// Removes what processes that were killed left under way in the folder.
    pub fn sweep(&self) -> Result<(), StoreError> {
        files::sweep(&self.root, false).map(drop)
    }

    pub(super) fn blob_folder(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.name())
    }

    /// All files that lie where blobs do.
    pub(super) fn blob_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut all = files::list(&self.blob_folder(Algorithm::Sha256))?;
        all.extend(files::list(&self.blob_folder(Algorithm::Sha512))?);
        Ok(all)
    }

    pub(super) fn index_file(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(super) fn index_lock(&self) -> PathBuf {
        self.root.join("index.lock")
    }

    /// The path of a blob, whether it is there or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blob_folder(digest.algorithm()).join(digest.hex())
    }

    /// Whether a blob is there, by name and size.
    pub fn has(&self, descriptor: &Descriptor) -> bool {
        self.look_at(descriptor).is_some()
    }

    /// What the file system says of a blob that is there, by name and size.
    pub(super) fn look_at(&self, descriptor: &Descriptor) -> Option<Metadata> {
        let metadata = fs::metadata(self.blob_path(&descriptor.digest)).ok()?;
        (metadata.is_file() && metadata.len() == descriptor.size).then_some(metadata)
    }

    /// Opens a blob; reading to its end verifies it.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<Verified<File>, StoreError> {
        let file = self.open_file(descriptor)?;
        Ok(Verified::new(file, descriptor.digest, descriptor.size))
    }

    /// Opens a blob at an offset in bytes: reading from 0 to the end verifies it.
    pub fn open_blob_at(&self, descriptor: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send>, StoreError> {
        if offset == 0 {
            return Ok(Box::new(self.open_blob(descriptor)?));
        }
        let mut file = self.open_file(descriptor)?;
        file.seek(SeekFrom::Start(offset)).map_err(StoreError::io("read", &self.blob_path(&descriptor.digest)))?;
        Ok(Box::new(file))
    }

    /// Opens a blob at an offset in bytes, for who verifies what is read.
    pub fn open_unverified_at(&self, descriptor: &Descriptor, offset: u64) -> Result<File, StoreError> {
        let mut file = self.open_file(descriptor)?;
        file.seek(SeekFrom::Start(offset)).map_err(StoreError::io("read", &self.blob_path(&descriptor.digest)))?;
        Ok(file)
    }

    /// Opens a blob's file, which is not verified.
    pub(super) fn open_file(&self, descriptor: &Descriptor) -> Result<File, StoreError> {
        let path = self.blob_path(&descriptor.digest);
        match File::open(&path) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Absent { digest: descriptor.digest, path: self.root.clone() })
            }
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// Reads a small blob (manifest, config) and verifies it; more than `limit` bytes is an error.
    pub fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(&descriptor.digest);
        if descriptor.size > limit {
            let why = format!("{} bytes are more than the {limit} that it may have", descriptor.size);
            return Err(StoreError::Document { path, why });
        }
        let mut bytes = Vec::new();
        self.open_blob(descriptor)?.read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        Ok(bytes)
    }

    pub(super) fn written(&self) -> &Written {
        &self.written
    }

    /// Syncs a file that is the blob of this digest, and gives it its final name.
    pub(super) fn name_blob(&self, file: Temporary, digest: &Digest) -> Result<(), StoreError> {
        // A layout that others made need not have the folder yet.
        files::make_folder(&self.blob_folder(digest.algorithm()))?;
        let path = self.blob_path(digest);
        // rename(2) would leave both names of one file; another process was faster.
        if !file.is(&path) {
            file.rename(&path)?;
        }
        Ok(())
    }

    /// Begins a blob beside the others.
    pub fn create_blob(&self) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(&self.root, self)
    }
}

/// What a process that makes the layout at this moment, or was killed in the midst of it, brings.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "blobs" | "index.lock" | "index.json" | "oci-layout" | "cache") || files::is_temporary(path)
}
