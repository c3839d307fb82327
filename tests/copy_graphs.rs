//! How an image is walked, planned and moved, whatever its source and sink: a contract, and graphs that no image has.

#[path = "support/stores.rs"]
mod stores;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use kimg::copy::{
    Blob, Choice, CopyError, Execution, Have, MAX_DEPTH, MAX_DESCRIPTORS, MAX_MANIFEST, Origin, Plan, Root, Sink,
    Source, Taken, execute, plan,
};
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::oci::{Descriptor, Index, Manifest, media_type, to_bytes};
use kimg::transport::StoreSource;
use stores::{index, store};

/// A sink that only writes down what it is told, and fails where it shall.
#[derive(Clone, Default)]
struct Protocol {
    calls: Arc<Mutex<Vec<String>>>,
    fail_at: usize,
}

impl Protocol {
    fn call(&self, what: &str, on: &Descriptor) -> Result<(), CopyError> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(format!("{what} {}", &on.digest.hex()[..8]));
        match calls.len() == self.fail_at {
            true => Err(CopyError::NotFound { place: "test".to_owned(), name: "x".to_owned() }),
            false => Ok(()),
        }
    }
}

impl Sink for Protocol {
    fn describe(&self) -> String {
        "test".to_owned()
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.call("begin", &plan.roots[0].descriptor)
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        progress(io::copy(&mut blob.open(0)?, &mut io::sink()).unwrap());
        self.call("blob", blob.descriptor())?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        assert_eq!(Digest::of(bytes), descriptor.digest);
        self.call("manifest", descriptor)
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        roots.iter().try_for_each(|root| self.call(&format!("finish {:?}", root.names), &root.descriptor))
    }
}

#[test]
fn blobs_then_manifests_bottom_up_then_names() {
    let (_folder, store) = store();
    let source = StoreSource::open(store.clone()).unwrap();
    let (root, one, two) = index(&store);
    let roots = [Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }];
    let plan = plan(&source, &Protocol::default(), &roots, &Choice::default()).unwrap();
    let run = |fail_at| {
        let sink = Protocol { fail_at, ..Protocol::default() };
        let result = execute(&plan, &source, Box::new(sink.clone()), &Execution::new(Events::silent()));
        assert_eq!(result.is_err(), fail_at > 0);
        Arc::into_inner(sink.calls).unwrap().into_inner().unwrap()
    };
    let short = |part: &Descriptor| part.digest.hex()[..8].to_owned();
    let mut expected = vec![format!("begin {}", short(&root))];
    expected.extend(plan.blobs.iter().map(|blob| format!("blob {}", short(&blob.descriptor))));
    expected.extend([&one.manifest, &two.manifest, &root].map(|part| format!("manifest {}", short(part))));
    expected.push(format!("finish [\"a:1\"] {}", short(&root)));
    assert!(plan.blobs.is_sorted_by(|a, b| a.descriptor.size >= b.descriptor.size));
    assert_eq!(run(0), expected);
    // Whatever fails, nothing comes after it.
    for fail_at in 1..=expected.len() {
        assert_eq!(run(fail_at), expected[..fail_at]);
    }
}

/// A source of documents by digest, which may lie.
#[derive(Default)]
struct Documents(BTreeMap<Digest, Vec<u8>>);

impl Documents {
    fn put(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        self.0.insert(descriptor.digest, bytes);
        descriptor
    }

    fn index(&mut self, manifests: Vec<Descriptor>) -> Descriptor {
        self.put(media_type::INDEX, to_bytes(&Index::new(manifests)))
    }

    fn image(&mut self, layers: Vec<Descriptor>) -> Descriptor {
        let config = blob("config");
        self.put(media_type::MANIFEST, to_bytes(&Manifest::new(config, layers, BTreeMap::new())))
    }

    fn walk(&self, root: &Descriptor) -> Result<Plan, CopyError> {
        plan(self, &Protocol::default(), &[Root { descriptor: root.clone(), names: Vec::new() }], &Choice::default())
    }

    fn refusal(&self, root: &Descriptor) -> String {
        let error = self.walk(root).unwrap_err();
        assert_eq!(error.category(), Category::Verification, "{error}");
        error.to_string()
    }
}

impl Source for Documents {
    fn describe(&self) -> String {
        "test".to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        Err(CopyError::NotFound { place: "test".to_owned(), name: name.to_owned() })
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        Ok(Box::new(&self.0[&blob.digest][usize::try_from(offset).unwrap()..]))
    }
}

fn blob(name: &str) -> Descriptor {
    Descriptor::of(media_type::LAYER, name.as_bytes())
}

fn numbered(from: usize, to: usize) -> Vec<Descriptor> {
    (from..to).map(|number| blob(&number.to_string())).collect()
}

#[test]
fn graphs_that_are_too_deep_or_too_many() {
    let mut documents = Documents::default();
    let mut root = documents.image(Vec::new());
    for depth in 1..=MAX_DEPTH + 1 {
        root = documents.index(vec![root]);
        assert_eq!(documents.walk(&root).is_ok(), depth <= MAX_DEPTH, "{depth}");
    }
    assert!(documents.refusal(&root).ends_with("more than 8 levels, which no image has"));
    // One manifest, its configuration, and layers.
    let most = documents.image(numbered(0, MAX_DESCRIPTORS - 2));
    assert_eq!(documents.walk(&most).unwrap().blobs.len(), MAX_DESCRIPTORS - 1);
    let one_more = documents.image(numbered(0, MAX_DESCRIPTORS - 1));
    assert!(documents.refusal(&one_more).ends_with("more than 10000 parts, which no image has"));
    // Together they are too many.
    let half = documents.image(numbered(0, MAX_DESCRIPTORS / 2));
    let other = documents.image(numbered(MAX_DESCRIPTORS / 2, MAX_DESCRIPTORS));
    let both = documents.index(vec![half, other]);
    assert!(documents.refusal(&both).ends_with("more than 10000 parts, which no image has"));
}

#[test]
fn manifests_that_are_too_large_or_not_what_they_seem() {
    let mut documents = Documents::default();
    let huge = Descriptor::new(media_type::MANIFEST, Digest::of(b"x"), MAX_MANIFEST + 1);
    assert!(documents.refusal(&huge).ends_with("8388609 bytes are more than the 8388608 that a manifest may have"));
    // All together: each is large, and its padding another one.
    let padded: Vec<_> = (0..9)
        .map(|number| {
            let mut bytes = to_bytes(&Index::new(Vec::new()));
            bytes.resize(8_000_000 + number, b' ');
            documents.put(media_type::INDEX, bytes)
        })
        .collect();
    let root = documents.index(padded);
    assert!(documents.refusal(&root).ends_with("more than 67108864 bytes of manifests, which no image has"));

    let good = documents.image(Vec::new());
    for (change, why) in [
        ((|root| root.size += 1) as fn(&mut Descriptor), "size or digest do not fit"),
        (|root| root.size -= 1, "size or digest do not fit"),
        (|root| root.media_type = "text/\n".to_owned(), r"the media type `text/\n` is not known"),
        (|root| root.media_type = media_type::INDEX.to_owned(), "may be read as a manifest and as an index"),
    ] {
        let mut root = good.clone();
        change(&mut root);
        let refused = documents.refusal(&root);
        assert_eq!(refused, format!("test: manifest {}: {why}", good.digest));
    }
    documents.0.insert(good.digest, b"other bytes".to_vec());
    assert!(documents.refusal(&good).ends_with("size or digest do not fit"));
    for text in ["", "{", "[]", r#"{"schemaVersion":2}"#] {
        let root = documents.put(media_type::MANIFEST, text.as_bytes().to_vec());
        assert!(documents.refusal(&root).contains("is not the JSON that its media type says"), "{text}");
    }
    let both = format!(r#"{{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}}"#, serde_json::json!(blob("x")));
    for media_type in [media_type::MANIFEST, media_type::INDEX] {
        let root = documents.put(media_type, both.clone().into_bytes());
        assert!(documents.refusal(&root).ends_with("may be read as a manifest and as an index"));
    }
}

#[test]
fn what_is_shared_moves_once_and_is_never_forgotten() {
    let mut documents = Documents::default();
    let one = documents.image(vec![blob("a"), blob("b"), blob("a")]);
    // Its layer is another manifest, whose parts must come too.
    let mut disguised = one.clone();
    disguised.media_type = media_type::LAYER.to_owned();
    let two = documents.image(vec![blob("b"), disguised]);
    for order in [vec![one.clone(), two.clone()], vec![two.clone(), one.clone(), two.clone()]] {
        let root = documents.index(order);
        let plan = documents.walk(&root).unwrap();
        let mut blobs: Vec<_> = plan.blobs.iter().map(|blob| blob.descriptor.digest).collect();
        let mut expected = [blob("a"), blob("b"), blob("config"), one.clone()].map(|part| part.digest).to_vec();
        blobs.sort();
        expected.sort();
        assert_eq!(blobs, expected);
        let manifests: Vec<_> = plan.manifests.iter().map(|(manifest, _)| manifest.digest).collect();
        assert_eq!((manifests.len(), manifests.last()), (3, Some(&root.digest)));
        assert!(manifests.contains(&one.digest) && manifests.contains(&two.digest));
    }
    let mut larger = blob("a");
    larger.size += 1;
    let wrong = documents.image(vec![blob("a"), larger]);
    assert!(documents.refusal(&wrong).ends_with(&format!("{} is given two sizes", blob("a").digest)));
    let endless = Descriptor::new(media_type::LAYER, Digest::of(b"x"), u64::MAX);
    let endless = documents.image(vec![endless, blob("a")]);
    assert_eq!(documents.walk(&endless).unwrap().bytes(), u64::MAX);
}
