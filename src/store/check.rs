use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::prune::{digest_of, reachable};
use super::{Store, StoreError, files};
use crate::digest::Hasher;
use crate::error::{Category, Diagnose};
use crate::oci::Index;

/// Something in the store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file concerned.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
    /// Whether it was mended: a damaged file was removed, and is made or fetched again when it is needed.
    pub mended: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mended = if self.mended { " (removed)" } else { "" };
        write!(f, "{}: {}{mended}", self.path.display(), self.what)
    }
}

impl Store {
    /// Hashes every blob and input and looks for what the index names and the store lacks. With `repair`, damaged files
    /// are removed, and a damaged index is replaced by an empty one. `progress` is called with the bytes read so far.
    pub fn check(&self, repair: bool, progress: &mut dyn FnMut(u64)) -> Result<Vec<Finding>, StoreError> {
        let _lease = self.lease()?;
        let mut findings = Vec::new();
        let mut damaged = BTreeSet::new();
        let mut read = 0;
        for path in self.layout.blob_files()?.into_iter().chain(self.downloads().files()?) {
            let Some(what) = examine(&path, &mut read, progress)? else { continue };
            if repair {
                files::remove(&path)?;
            } else {
                damaged.insert(path.clone());
            }
            findings.push(Finding { path, what, mended: repair });
        }
        match self.examine_index(repair)? {
            Some(finding) => findings.push(finding),
            None => findings.extend(self.examine_images(&damaged)?),
        }
        Ok(findings)
    }

    fn examine_index(&self, repair: bool) -> Result<Option<Finding>, StoreError> {
        let _lock = repair.then(|| files::lock_exclusive(&self.layout.index_lock())).transpose()?;
        let what = match self.layout.index() {
            Ok(_) => return Ok(None),
            Err(StoreError::Document { why, .. }) => why,
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => "is missing".to_owned(),
            Err(error) => return Err(error),
        };
        if repair {
            self.layout.write_index(&Index::new(Vec::new()))?;
        }
        Ok(Some(Finding { path: self.layout.index_file(), what, mended: repair }))
    }

    /// What images lack; `damaged` is known already.
    fn examine_images(&self, damaged: &BTreeSet<PathBuf>) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let needed = reachable(&self.layout, &mut |error| match error {
            StoreError::Document { path, why } => {
                findings.push(Finding { path, what: why, mended: false });
                Ok(())
            }
            // A damaged manifest, which is known too.
            error if error.category() == Category::Verification => Ok(()),
            error => Err(error),
        })?;
        for (descriptor, owner) in needed.into_values() {
            let path = self.layout.blob_path(&descriptor.digest);
            if self.layout.has(&descriptor) || damaged.contains(&path) {
                continue;
            }
            let what = match path.exists() {
                true => format!("has another size than the {} bytes that {owner} says", descriptor.size),
                false => format!("is missing, and {owner} needs it"),
            };
            findings.push(Finding { path, what, mended: false });
        }
        Ok(findings)
    }
}

/// What is wrong with a file where blobs or inputs lie.
fn examine(path: &Path, read: &mut u64, progress: &mut dyn FnMut(u64)) -> Result<Option<String>, StoreError> {
    let Some(expected) = digest_of(path) else {
        return Ok(Some("its name is no digest".to_owned()));
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // Another command was faster.
        Err(_) if fs::symlink_metadata(path).is_err() => return Ok(None),
        _ => return Ok(Some("it is no file".to_owned())),
    }
    let mut file = File::open(path).map_err(StoreError::io("read", path))?;
    let mut hasher = Hasher::new(expected.algorithm());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(StoreError::io("read", path))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        *read += count as u64;
        progress(*read);
    }
    let found = hasher.finish();
    Ok((found != expected).then(|| format!("its bytes have the digest {found}")))
}
