//! Images as configuration and tars: what goes into a Docker archive from any source, and what cannot.

#[path = "support/archive.rs"]
mod archive;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use archive::Archive;
use kimg::copy::{self, Choice, CopyError, Execution, Root, Source};
use kimg::digest::Digest;
use kimg::error::Diagnose;
use kimg::event::Events;
use kimg::oci::{self, Config, Descriptor, ImageConfig, Index, Manifest, Platform, RootFs, media_type};
use kimg::transport::{self, DockerArchiveSink, OciArchiveSink};
use proptest::prelude::*;

/// Blobs in memory.
#[derive(Debug, Default)]
struct Memory(BTreeMap<Digest, Vec<u8>>);

impl Memory {
    fn put(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        self.0.insert(descriptor.digest, bytes);
        descriptor
    }

    /// An image of these layers: media type, packed bytes, diff id.
    fn image(&mut self, layers: &[(&str, Vec<u8>, Digest)]) -> Descriptor {
        let config = Config {
            created: None,
            platform: Platform::linux_amd64(),
            config: ImageConfig::default(),
            rootfs: RootFs::new(layers.iter().map(|(.., diff_id)| *diff_id).collect()),
            history: Vec::new(),
        };
        let config = self.put(media_type::CONFIG, oci::to_bytes(&config));
        let layers = layers.iter().map(|(kind, bytes, _)| self.put(kind, bytes.clone())).collect();
        self.put(media_type::MANIFEST, oci::to_bytes(&Manifest::new(config, layers, BTreeMap::new())))
    }

    fn index(&mut self, manifests: Vec<Descriptor>) -> Descriptor {
        self.put(media_type::INDEX, oci::to_bytes(&Index::new(manifests)))
    }
}

impl Source for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        unreachable!("{name} is not asked for")
    }

    fn open(&self, descriptor: &Descriptor, _: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        Ok(Box::new(self.0[&descriptor.digest].as_slice()))
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn root(descriptor: Descriptor) -> Root {
    Root { descriptor, names: vec!["a:1".to_owned()] }
}

fn docker_archive(memory: &Memory, roots: &[Root]) -> Result<Vec<u8>, CopyError> {
    let buffer = Buffer::default();
    let sink = Box::new(DockerArchiveSink::new(transport::Archive::to("docker-archive:-", buffer.clone())));
    let plan = copy::plan(memory, sink.as_ref(), roots, &Choice::default())?;
    copy::execute(&plan, memory, sink, &Execution::new(Events::silent()))?;
    let bytes = std::mem::take(&mut *buffer.0.lock().unwrap());
    Ok(bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(kind: u8, tar: &[u8]) -> (&'static str, Vec<u8>, Digest) {
    let (left, right) = tar.split_at(tar.len() / 2);
    match kind % 4 {
        0 => (media_type::LAYER, tar.to_vec(), Digest::of(tar)),
        1 => (media_type::LAYER_GZIP, gzip(tar), Digest::of(tar)),
        // Of several members, as others pack them.
        2 => (media_type::LAYER_GZIP, [gzip(left), gzip(right)].concat(), Digest::of(tar)),
        _ => (media_type::LAYER_ZSTD, zstd::encode_all(tar, 1).unwrap(), Digest::of(tar)),
    }
}

proptest! {
    #[test]
    fn layers_come_out_as_they_went_in(
        images in prop::collection::vec(
            prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..3000)), 0..4),
            1..4,
        )
    ) {
        let mut memory = Memory::default();
        let mut roots = Vec::new();
        for (number, layers) in images.iter().enumerate() {
            let layers: Vec<_> = layers.iter().map(|(kind, tar)| packed(*kind, tar)).collect();
            roots.push(Root { descriptor: memory.image(&layers), names: vec![format!("a:{number}")] });
        }
        let archive = Archive::read(&docker_archive(&memory, &roots).unwrap());
        // Reading them has checked that each file has its digest for a name; now each tar is there.
        let found = archive.docker_images();
        for (number, layers) in images.iter().enumerate() {
            let name = format!("a:{number}");
            let image = found.iter().find(|image| image.names.contains(&name)).unwrap();
            let expected: Vec<String> = layers.iter().map(|(_, tar)| Digest::of(tar).to_string()).collect();
            prop_assert_eq!(&image.diff_ids, &expected);
            prop_assert_eq!(image.there.len(), layers.len());
        }
    }
}

#[test]
fn one_platform_is_what_docker_can_hold() {
    let mut memory = Memory::default();
    let image = memory.image(&[packed(1, b"one")]);
    let other = memory.image(&[packed(1, b"two")]);
    let inner = memory.index(vec![image.clone()]);
    let single = memory.index(vec![inner]);
    let bytes = docker_archive(&memory, &[root(single)]).unwrap();
    assert_eq!(bytes, docker_archive(&memory, &[root(image.clone())]).unwrap());
    let both = memory.index(vec![image, other]);
    let error = docker_archive(&memory, &[root(both.clone())]).unwrap_err();
    assert_eq!(error.to_string(), "docker-archive:-: a:1: it is made for 2 platforms, and one can be held there");
    assert_eq!(error.category().exit_code(), 2);
    assert!(error.hint().unwrap().contains("--platform"));
    let empty = memory.index(Vec::new());
    assert!(docker_archive(&memory, &[root(empty)]).is_err());
    // An OCI archive holds them all, and what they name, each once.
    let buffer = Buffer::default();
    let sink = Box::new(OciArchiveSink::new(transport::Archive::to("oci-archive:-", buffer.clone())));
    let plan = copy::plan(&memory, sink.as_ref(), &[root(both)], &Choice::default()).unwrap();
    copy::execute(&plan, &memory, sink, &Execution::new(Events::silent())).unwrap();
    let archive = Archive::read(&buffer.0.lock().unwrap());
    let blobs = archive.files.iter().filter(|(path, _)| path.starts_with("blobs/sha256/") && path.len() > 13);
    let blobs: Vec<_> = blobs.inspect(|(path, bytes)| assert!(path.ends_with(&Digest::of(bytes).hex()))).collect();
    // Two of each: manifests, configurations, layers; and the index.
    assert_eq!(blobs.len(), 7);
    assert_eq!(archive.json("index.json")["manifests"].as_array().unwrap().len(), 1);
}

#[test]
fn what_does_not_fit_is_found() {
    let mut memory = Memory::default();
    let (kind, bytes, _) = packed(1, b"a layer");
    let wrong_diff_id = memory.image(&[(kind, bytes.clone(), Digest::of(b"another"))]);
    let wrong_type = memory.image(&[(media_type::LAYER_GZIP, b"no gzip".to_vec(), Digest::of(b"no gzip"))]);
    let cut = memory.image(&[(kind, bytes[..bytes.len() - 9].to_vec(), Digest::of(b"a layer"))]);
    let unknown = memory.image(&[("application/x-layer", bytes, Digest::of(b"a layer"))]);
    let config = memory.put(media_type::CONFIG, b"{}".to_vec());
    let no_config = memory.put(media_type::MANIFEST, oci::to_bytes(&Manifest::new(config, vec![], BTreeMap::new())));
    let mut short: Manifest = serde_json::from_slice(&memory.0[&cut.digest]).unwrap();
    short.layers.clear();
    let short = memory.put(media_type::MANIFEST, oci::to_bytes(&short));
    for (descriptor, why) in [
        (wrong_diff_id, "found sha256:"),
        (wrong_type, "memory: sha256:"),
        (cut, "memory: sha256:"),
        (unknown, "layers of the type `application/x-layer` are not known"),
        (no_config, "its configuration is not one of an image"),
        (short, "it has 0 layers, and its configuration 1"),
    ] {
        let error = docker_archive(&memory, &[root(descriptor)]).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.category().exit_code(), 3, "{error}");
    }
}
