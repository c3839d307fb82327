use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blob::BlobWriter;
use super::files;
use super::{StoreError, Verified};
use crate::digest::Digest;
use crate::oci::{Descriptor, Index};

/// image-spec 1.1, image-layout.md, "oci-layout file".
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// An OCI image layout: the store's own, and any other folder that images are written to.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

#[derive(serde::Deserialize)]
struct LayoutFile {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

impl Layout {
    /// Opens the layout at `root`, and makes it where the folder is absent or empty.
    pub fn open(root: &Path) -> Result<Layout, StoreError> {
        let layout = Layout { root: root.to_owned() };
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
        files::make_folder(&self.blobs())?;
        // Two processes may make it at once: both write the same bytes, the index only under its lock.
        let lock = files::lock_exclusive(&self.index_lock())?;
        if !self.index_file().exists() {
            self.write_index(&Index::new(Vec::new()))?;
        }
        drop(lock);
        files::write_whole(&self.root, file, LAYOUT.as_bytes())
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs/sha256")
    }

    pub(super) fn index_file(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(super) fn index_lock(&self) -> PathBuf {
        self.root.join("index.lock")
    }

    /// The path of a blob, whether it is there or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    /// Whether a blob is there, by name and size.
    pub fn has(&self, descriptor: &Descriptor) -> bool {
        let metadata = fs::metadata(self.blob_path(&descriptor.digest));
        metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == descriptor.size)
    }

    /// Opens a blob; reading to its end verifies it.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<Verified<File>, StoreError> {
        let path = self.blob_path(&descriptor.digest);
        match File::open(&path) {
            Ok(file) => Ok(Verified::new(file, descriptor.digest, descriptor.size)),
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
            return Err(StoreError::NoLayout { path, why });
        }
        let mut bytes = Vec::new();
        self.open_blob(descriptor)?.read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        Ok(bytes)
    }

    /// Begins a blob beside the others.
    pub fn create_blob(&self) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(&self.root, self.blobs())
    }
}

/// What a process that was killed while it made the layout may have left.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let temporary = name.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    matches!(name, "blobs" | "index.lock" | "index.json" | "cache") || temporary
}
