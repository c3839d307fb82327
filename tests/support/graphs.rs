//! Graphs of descriptors in memory, and a sink that writes down what it is told.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use kimg::copy::{Blob, Choice, CopyError, Have, Origin, Plan, Root, Sink, Source, Taken, plan};
use kimg::digest::Digest;
use kimg::oci::{Descriptor, Platform, media_type};
use serde_json::{Value, json};

/// Documents and blobs by digest, and who refers to whom.
#[derive(Default)]
pub struct Memory {
    pub blobs: BTreeMap<Digest, Vec<u8>>,
    pub referrers: BTreeMap<Digest, Vec<Descriptor>>,
}

impl Memory {
    pub fn put(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        self.blobs.insert(descriptor.digest, bytes);
        descriptor
    }

    pub fn document(&mut self, media_type: &str, mut document: Value) -> Descriptor {
        document["schemaVersion"] = 2.into();
        document["mediaType"] = media_type.into();
        self.put(media_type, document.to_string().into_bytes())
    }

    /// An image that runs on a platform, with one layer of its own.
    pub fn image(&mut self, platform: &str) -> Descriptor {
        let runs: Platform = platform.parse().unwrap();
        let layer = self.put(media_type::LAYER, platform.as_bytes().to_vec());
        let mut config = json!(runs);
        config["rootfs"] = json!({"type": "layers", "diff_ids": [layer.digest]});
        let config = self.put(media_type::CONFIG, config.to_string().into_bytes());
        self.document(media_type::MANIFEST, json!({"config": config, "layers": [layer]}))
    }

    /// An image as an index has it.
    pub fn child(&mut self, platform: &str) -> Descriptor {
        let mut image = self.image(platform);
        image.platform = Some(platform.parse().unwrap());
        image
    }

    pub fn index(&mut self, manifests: &[Descriptor]) -> Descriptor {
        self.document(media_type::INDEX, json!({"manifests": manifests}))
    }

    /// Something about another manifest, which is listed as its referrer.
    pub fn refer(&mut self, subject: &Descriptor, what: &str) -> Descriptor {
        let empty = self.put("application/vnd.oci.empty.v1+json", b"{}".to_vec());
        let layer = self.put("text/plain", what.as_bytes().to_vec());
        let document = json!({"artifactType": "text/plain", "config": empty, "layers": [layer], "subject": subject});
        let referrer = self.document(media_type::MANIFEST, document);
        self.referrers.entry(subject.digest).or_default().push(referrer.clone());
        referrer
    }

    pub fn plan(&self, root: &Descriptor, choice: &Choice) -> Result<Plan, CopyError> {
        self.plan_to(&Notes::default(), root, choice)
    }

    pub fn plan_to(&self, sink: &dyn Sink, root: &Descriptor, choice: &Choice) -> Result<Plan, CopyError> {
        plan(self, sink, &[Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }], choice)
    }

    pub fn json(&self, descriptor: &Descriptor) -> Value {
        serde_json::from_slice(&self.blobs[&descriptor.digest]).unwrap()
    }
}

impl Source for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        Err(CopyError::NotFound { place: "memory".to_owned(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        match self.blobs.get(&blob.digest) {
            Some(bytes) => Ok(Box::new(&bytes[usize::try_from(offset).unwrap()..])),
            None => Err(CopyError::Failed {
                place: "memory".to_owned(),
                what: blob.digest.to_string(),
                why: "it is not there".to_owned(),
                category: kimg::error::Category::NotFound,
                hint: None,
            }),
        }
    }

    fn referrers(&self, subject: &Descriptor) -> Result<Vec<Descriptor>, CopyError> {
        Ok(self.referrers.get(&subject.digest).cloned().unwrap_or_default())
    }
}

/// What a sink was told: one line a call.
#[derive(Clone, Default)]
pub struct Notes {
    pub calls: Arc<Mutex<Vec<String>>>,
    /// Manifests that it has.
    pub has: BTreeSet<Digest>,
    /// Roots that it holds.
    pub holds: BTreeSet<Digest>,
}

impl Notes {
    fn note(&self, what: &str, on: &Descriptor) -> Result<(), CopyError> {
        self.calls.lock().unwrap().push(format!("{what} {}", on.digest));
        Ok(())
    }
}

impl Sink for Notes {
    fn describe(&self) -> String {
        "notes".to_owned()
    }

    fn begin(&mut self, _: &Plan) -> Result<(), CopyError> {
        Ok(())
    }

    fn holds(&self, root: &Root) -> Result<bool, CopyError> {
        Ok(self.holds.contains(&root.descriptor.digest))
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn has_manifest(&self, manifest: &Descriptor) -> Result<bool, CopyError> {
        Ok(self.has.contains(&manifest.digest))
    }

    fn take_blob(&self, blob: &Blob<'_>, _: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        io::copy(&mut blob.open(0)?, &mut io::sink()).unwrap();
        self.note("blob", blob.descriptor())?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        assert!(descriptor.digest.fits(bytes));
        self.note("manifest", descriptor)
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        roots.iter().try_for_each(|root| self.note("finish", &root.descriptor))
    }
}
