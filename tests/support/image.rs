//! Reads an image out of an OCI layout with nothing of kimg but its digests, and checks on the way that every digest
//! and size fits.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use kimg::digest::Digest;
use serde_json::Value;

pub struct Image {
    /// The digest of the manifest.
    pub digest: String,
    pub manifest: Value,
    pub config: Value,
    pub layers: Vec<Layer>,
}

pub struct Layer {
    pub media_type: String,
    /// The digest of the blob.
    pub digest: String,
    pub diff_id: String,
    /// In the order of the tar, the path without `/` at its end.
    pub entries: Vec<Found>,
}

/// An entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: String,
    /// As tar writes it: `0` a file, `1` a hard link, `2` a symbolic link, `5` a folder.
    pub kind: char,
    pub mode: u32,
    pub owner: (u64, u64),
    pub mtime: u64,
    pub target: String,
    pub bytes: Vec<u8>,
}

impl Found {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// On a line: kind, mode, owner, path, target.
    pub fn line(&self) -> String {
        let Found { path, kind, mode, owner: (uid, gid), target, .. } = self;
        let arrow = if target.is_empty() { String::new() } else { format!(" -> {target}") };
        format!("{kind} {mode:04o} {uid}:{gid} {path}{arrow}")
    }
}

impl Image {
    /// The image of that name in a layout.
    pub fn open(layout: &Path, name: &str) -> Image {
        Image::read(layout, &descriptor(layout, name))
    }

    /// The image of a platform in the index of that name.
    pub fn of_platform(layout: &Path, name: &str, platform: &str) -> Image {
        let (_, index) = index(layout, name);
        let is_it = |manifest: &&Value| {
            let text = |key: &str| manifest["platform"][key].as_str().unwrap().to_owned();
            format!("{}/{}", text("os"), text("architecture")) == platform
        };
        Image::read(layout, index["manifests"].as_array().unwrap().iter().find(is_it).unwrap())
    }

    fn read(layout: &Path, descriptor: &Value) -> Image {
        let manifest: Value = serde_json::from_slice(&blob(layout, descriptor)).unwrap();
        let config: Value = serde_json::from_slice(&blob(layout, &manifest["config"])).unwrap();
        let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
        let descriptors = manifest["layers"].as_array().unwrap();
        assert_eq!(diff_ids.len(), descriptors.len());
        let layers = descriptors.iter().zip(diff_ids);
        let layers = layers.map(|(descriptor, id)| Layer::read(layout, descriptor, id.as_str().unwrap())).collect();
        Image { digest: descriptor["digest"].as_str().unwrap().to_owned(), manifest, config, layers }
    }

    /// The entry that a container sees at a path, where it leads through no link.
    pub fn entry(&self, path: &str) -> Option<&Found> {
        self.layers.iter().rev().flat_map(|layer| &layer.entries).find(|found| found.path == path)
    }

    /// The same, which must be there.
    pub fn at(&self, path: &str) -> &Found {
        self.entry(path).unwrap_or_else(|| panic!("no {path} in the image"))
    }

    pub fn digests(&self) -> Vec<&str> {
        self.layers.iter().map(|layer| layer.digest.as_str()).collect()
    }

    pub fn diff_ids(&self) -> Vec<&str> {
        self.layers.iter().map(|layer| layer.diff_id.as_str()).collect()
    }
}

/// The descriptor of that name in a layout.
fn descriptor(layout: &Path, name: &str) -> Value {
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let named = |manifest: &&Value| manifest["annotations"]["org.opencontainers.image.ref.name"] == name;
    let found = index["manifests"].as_array().unwrap().iter().find(named);
    found.unwrap_or_else(|| panic!("no {name} in {index}")).clone()
}

/// The index of that name in a layout, with its descriptor.
pub fn index(layout: &Path, name: &str) -> (Value, Value) {
    let descriptor = descriptor(layout, name);
    let index = serde_json::from_slice(&blob(layout, &descriptor)).unwrap();
    (descriptor, index)
}

impl Layer {
    fn read(layout: &Path, descriptor: &Value, diff_id: &str) -> Layer {
        let bytes = blob(layout, descriptor);
        let media_type = descriptor["mediaType"].as_str().unwrap();
        let mut tar = Vec::new();
        match media_type.rsplit_once('+').map(|(_, packing)| packing) {
            None => tar.extend(bytes),
            // One member, so that readers that stop after the first read all.
            Some("gzip") => drop(flate2::bufread::GzDecoder::new(bytes.as_slice()).read_to_end(&mut tar).unwrap()),
            Some("zstd") => drop(zstd::Decoder::new(bytes.as_slice()).unwrap().read_to_end(&mut tar).unwrap()),
            other => panic!("{other:?}"),
        }
        assert_eq!(Digest::of(&tar).to_string(), diff_id);
        let mut entries = Vec::new();
        for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
            let header = entry.header();
            entries.push(Found {
                path: text(&entry.path_bytes()).trim_end_matches('/').to_owned(),
                kind: char::from(header.entry_type().as_byte()),
                mode: header.mode().unwrap(),
                owner: (header.uid().unwrap(), header.gid().unwrap()),
                mtime: header.mtime().unwrap(),
                target: entry.link_name_bytes().map(|target| text(&target)).unwrap_or_default(),
                bytes,
            });
        }
        let paths: BTreeMap<&str, char> = entries.iter().map(|found| (found.path.as_str(), found.kind)).collect();
        assert_eq!(paths.len(), entries.len(), "a path comes twice");
        let digest = descriptor["digest"].as_str().unwrap().to_owned();
        Layer { media_type: media_type.to_owned(), digest, diff_id: diff_id.to_owned(), entries }
    }

    pub fn lines(&self) -> String {
        self.entries.iter().map(|found| format!("{}\n", found.line())).collect()
    }
}

fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
    let bytes = fs::read(layout.join("blobs/sha256").join(digest.hex())).unwrap();
    assert_eq!(Digest::of(&bytes), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}
