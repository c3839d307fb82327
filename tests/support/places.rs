//! A home with a layout of images in it, as somebody else wrote it, for the program to copy from.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of this")]

use std::fs;
use std::io::Write;
use std::path::Path;

use kimg::digest::Digest;
use kimg::oci::{Descriptor, media_type};
use serde_json::{Value, json};

/// A layout under way, not written by kimg.
pub struct Foreign {
    pub folder: std::path::PathBuf,
    index: Vec<Value>,
}

impl Foreign {
    pub fn new(folder: &Path) -> Foreign {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}\n").unwrap();
        Foreign { folder: folder.to_owned(), index: Vec::new() }
    }

    pub fn put(&self, kind: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(kind, bytes);
        fs::write(self.folder.join("blobs/sha256").join(descriptor.digest.hex()), bytes).unwrap();
        descriptor
    }

    /// An image with one layer, which is a tar of one file with this text.
    pub fn image(&self, platform: &str, text: &str) -> Descriptor {
        let tar = layer(text);
        let (os, architecture) = platform.split_once('/').unwrap();
        let config = json!({
            "os": os, "architecture": architecture, "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&tar).to_string()]},
        });
        let config = self.put(media_type::CONFIG, config.to_string().as_bytes());
        let layer = self.put(media_type::LAYER_GZIP, &gzip(&tar));
        let manifest =
            json!({"schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config, "layers": [layer]});
        // As others write JSON.
        self.put(media_type::MANIFEST, serde_json::to_string_pretty(&manifest).unwrap().as_bytes())
    }

    pub fn index(&self, manifests: &[Value]) -> Descriptor {
        let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": manifests});
        self.put(media_type::INDEX, serde_json::to_string_pretty(&index).unwrap().as_bytes())
    }

    /// Lists something in `index.json`, with these annotations.
    pub fn list(&mut self, descriptor: &Descriptor, annotations: &Value) {
        let mut entry = json!(descriptor);
        entry["annotations"] = annotations.clone();
        self.index.push(entry);
        let index = json!({"schemaVersion": 2, "manifests": self.index});
        fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
    }

    /// Lists something under a name.
    pub fn name(&mut self, descriptor: &Descriptor, name: &str) {
        self.list(descriptor, &json!({"org.opencontainers.image.ref.name": name}));
    }

    pub fn blob(&self, descriptor: &Descriptor) -> std::path::PathBuf {
        self.folder.join("blobs/sha256").join(descriptor.digest.hex())
    }
}

/// A tar of one file.
pub fn layer(text: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, "etc/text", text.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar of these files, in this order.
pub fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}
