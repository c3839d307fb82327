//! Reads archives with the tar crate and nothing of kimg but its digests.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::path::Path;

use kimg::digest::Digest;
use serde_json::Value;

/// The files and folders of an archive, in its order.
pub struct Archive {
    pub paths: Vec<String>,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    /// Reads a tar; every header is one of kimg's, and no path comes twice.
    pub fn read(bytes: &[u8]) -> Archive {
        assert!(bytes.ends_with(&[0; 1024]), "a tar ends with two empty blocks");
        let (mut paths, mut files) = (Vec::new(), BTreeMap::new());
        for entry in tar::Archive::new(bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let header = entry.header().as_ustar().unwrap();
            let mode = if header.typeflag == [b'5'] { b"0000755\0" } else { b"0000644\0" };
            assert_eq!(&header.mode, mode, "{path}");
            assert_eq!((&header.uid, &header.gid), (b"0000000\0", b"0000000\0"), "{path}");
            assert_eq!(
                (&header.mtime, &header.magic, &header.version),
                (b"00000000000\0", b"ustar\0", b"00"),
                "{path}"
            );
            assert_eq!((&header.uname[0], &header.gname[0], &header.prefix[0]), (&0, &0, &0), "{path}");
            assert_eq!((&header.dev_major, &header.dev_minor), (b"0000000\0", b"0000000\0"), "{path}");
            let mut file = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut file).unwrap();
            assert!(files.insert(path.clone(), file).is_none(), "{path} comes twice");
            paths.push(path);
        }
        Archive { paths, files }
    }

    /// Reads an archive that lies in a file.
    pub fn open(path: &Path) -> Archive {
        Archive::read(&std::fs::read(path).unwrap())
    }

    /// Writes all files into a folder.
    pub fn unpack(&self, folder: &Path) {
        for (path, bytes) in self.files.iter().filter(|(path, _)| !path.ends_with('/')) {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.files[path]).unwrap()
    }

    /// The images of a Docker archive, whose files all have their digests for names; those of layers need not be there.
    pub fn docker_images(&self) -> Vec<DockerImage> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().iter().map(text).collect::<Vec<_>>();
        let mut images = Vec::new();
        for item in self.json("manifest.json").as_array().unwrap() {
            let config = text(&item["Config"]);
            let diff_ids = list(&self.json(&config)["rootfs"]["diff_ids"]);
            let layers = list(&item["Layers"]);
            let expected: Vec<String> =
                diff_ids.iter().map(|id| format!("{}.tar", id.strip_prefix("sha256:").unwrap())).collect();
            assert_eq!(layers, expected);
            let there = layers.iter().filter(|layer| self.files.contains_key(*layer)).cloned().collect();
            let id = Digest::of(&self.files[&config]).to_string();
            assert_eq!(config, format!("{}.json", id.strip_prefix("sha256:").unwrap()));
            images.push(DockerImage { id, names: list(&item["RepoTags"]), diff_ids, there });
        }
        for (path, bytes) in self.files.iter().filter(|(path, _)| *path != "manifest.json") {
            assert_eq!(*path.split('.').next().unwrap(), Digest::of(bytes).hex(), "{path}");
        }
        images
    }
}

/// An image of a Docker archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerImage {
    /// The digest of its configuration.
    pub id: String,
    pub names: Vec<String>,
    pub diff_ids: Vec<String>,
    /// The files of layers that are there.
    pub there: Vec<String>,
}
