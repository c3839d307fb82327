use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::prune::reachable;
use super::{Store, StoreError, files};
use crate::digest::{Algorithm, Digest, Hasher};

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
    /// are removed. `progress` is called with the bytes read so far.
    pub fn check(&self, repair: bool, progress: &mut dyn FnMut(u64)) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let mut read = 0;
        for folder in [self.layout.blobs(), self.downloads().folder()] {
            for path in files::list(&folder)? {
                if let Some(what) = examine(&path, &mut read, progress)? {
                    if repair {
                        fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
                    }
                    findings.push(Finding { path, what, mended: repair });
                }
            }
        }
        let mut seen = BTreeSet::new();
        for (digest, owner) in reachable(&self.layout)? {
            let path = self.layout.blob_path(&digest);
            if !path.exists() && seen.insert(digest) {
                findings.push(Finding { path, what: format!("is missing, and {owner} needs it"), mended: false });
            }
        }
        Ok(findings)
    }
}

fn examine(path: &Path, read: &mut u64, progress: &mut dyn FnMut(u64)) -> Result<Option<String>, StoreError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Ok(expected) = format!("sha256:{name}").parse::<Digest>() else {
        return Ok(Some("its name is no digest".to_owned()));
    };
    let mut file = File::open(path).map_err(StoreError::io("read", path))?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
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
