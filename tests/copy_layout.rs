//! An image moves from the store to `oci:DIR`: names come last, and nothing moves that need not.

#[path = "support/child.rs"]
mod child;
#[path = "support/stores.rs"]
mod stores;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kimg::copy::{Choice, CopyError, Execution, Have, Plan, Root, Source, execute, plan};
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::event::{Event, Events, Listener, Outcome, Share, Transfer};
use kimg::oci::{Descriptor, Index, media_type, to_bytes};
use kimg::store::{Layout, NAME, Store};
use kimg::transport::{LayoutSink, StoreSource};
use stores::{files, image, index, replace, store};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn plan_to(store: &Store, root: &Descriptor, folder: &Path, named: &[&str]) -> Result<Plan, CopyError> {
    plan(
        &StoreSource::open(store.clone())?,
        &LayoutSink::open(folder)?,
        &[Root { descriptor: root.clone(), names: names(named) }],
        &Choice::default(),
    )
}

fn copy(store: &Store, root: &Descriptor, folder: &Path, named: &[&str]) -> Result<(), CopyError> {
    let plan = plan_to(store, root, folder, named)?;
    let sink = Box::new(LayoutSink::open(folder)?);
    execute(&plan, &StoreSource::open(store.clone())?, sink, &Execution::new(Events::silent())).map(drop)
}

#[test]
fn an_image_is_whole_and_named() {
    let (folder, store) = store();
    let target = folder.path().join("out/layout");
    let (root, one, two) = index(&store);
    copy(&store, &root, &target, &["a:1", "b:1"]).unwrap();
    let layout = Layout::open(&target).unwrap();
    for part in [&root, &one.manifest, &one.config, &one.layer, &two.manifest, &two.config, &two.layer] {
        let (mut there, mut here) = (Vec::new(), Vec::new());
        layout.open_blob(part).unwrap().read_to_end(&mut there).unwrap();
        store.open_blob(part).unwrap().read_to_end(&mut here).unwrap();
        assert!(there == here, "the bytes are passed on as they are");
    }
    for name in ["a:1", "b:1"] {
        let descriptor = layout.resolve(name).unwrap().unwrap();
        assert_eq!((&descriptor.digest, &descriptor.media_type), (&root.digest, &root.media_type));
    }
    // Seven blobs, and what makes it a layout; nothing else.
    assert_eq!(files(&target.join("blobs")).len(), 7);
    let other: Vec<_> = files(&target).into_iter().filter(|path| !path.starts_with("blobs")).collect();
    assert_eq!(other, ["index.json", "index.lock", "oci-layout"].map(PathBuf::from));
}

#[test]
fn names_of_the_source_do_not_come_along() {
    let (folder, store) = store();
    let image = image(&store, b"one");
    store.name(&names(&["here:1"]), &image.manifest).unwrap();
    let root = StoreSource::open(store.clone()).unwrap().resolve("here:1").unwrap();
    copy(&store, &root, folder.path().join("layout").as_path(), &["there:1"]).unwrap();
    let index = Layout::open(&folder.path().join("layout")).unwrap().index().unwrap();
    assert_eq!(index.manifests.len(), 1);
    assert_eq!(index.manifests[0].annotations, BTreeMap::from([(NAME.to_owned(), "there:1".to_owned())]));
}

#[test]
fn a_name_that_is_not_there() {
    let (_folder, store) = store();
    let error = StoreSource::open(store).unwrap().resolve("ka\nfka:1").unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.category()),
        (r"store: nothing is named `ka\nfka:1`", Category::NotFound)
    );
}

/// Collects what happens.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Listener for Told {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

#[test]
fn what_is_there_does_not_move() {
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let (one, two) = (image(&store, &[1; 3_000_000]), image(&store, b"two"));
    let before = plan_to(&store, &one.manifest, &target, &[]).unwrap();
    assert_eq!(before.bytes(), one.layer.size + one.config.size);
    assert_eq!(before.blobs[0].descriptor, one.layer, "the biggest comes first");
    copy(&store, &one.manifest, &target, &["a:1"]).unwrap();
    let inode = |part: &Descriptor| fs::metadata(target.join("blobs/sha256").join(part.digest.hex())).unwrap().ino();
    let inode_before = inode(&one.layer);
    assert_eq!(plan_to(&store, &one.manifest, &target, &[]).unwrap().bytes(), 0);

    // An index of both: only what is new moves.
    let both = Index::new(vec![one.manifest.clone(), two.manifest]);
    let root = store.put(media_type::INDEX, &to_bytes(&both)).unwrap();
    let plan = plan_to(&store, &root, &target, &["both:1"]).unwrap();
    let moves: Vec<_> = plan.blobs.iter().filter(|blob| blob.have == Have::Absent).collect();
    assert_eq!((moves.len(), plan.bytes()), (2, two.layer.size + two.config.size));
    let told = Told::default();
    let source = StoreSource::open(store.clone()).unwrap();
    execute(&plan, &source, Box::new(LayoutSink::open(&target).unwrap()), &Execution::new(Events::new(told.clone())))
        .unwrap();
    let (mut started, mut done, mut there) = (Vec::new(), 0, Vec::new());
    let mut last = None;
    for event in told.0.lock().unwrap().iter() {
        match event {
            Event::Started { name, total, .. } => started.push((name.clone(), total.unwrap())),
            Event::Finished { outcome: Outcome::Done, .. } => done += 1,
            Event::Finished { outcome: Outcome::Present, .. } => there.extend(started.pop()),
            Event::Transfer { name, transfer, outcome, .. } => last = Some((name.clone(), *transfer, *outcome)),
            _ => {}
        }
    }
    let share = |parts: [&Descriptor; 2]| Share { blobs: 2, bytes: parts.iter().map(|part| part.size).sum() };
    let transfer = Transfer {
        all: Share { blobs: 4, bytes: share([&one.layer, &one.config]).bytes + plan.bytes() },
        sent: share([&two.layer, &two.config]),
        present: share([&one.layer, &one.config]),
        ..Transfer::default()
    };
    assert_eq!(last, Some((format!("oci:{}:both:1", target.display()), transfer, Some(Outcome::Done))));
    assert_eq!(there, [&one.layer, &one.config].map(|part| (part.digest.to_string(), part.size)));
    let mut expected = [&two.layer, &two.config];
    expected.sort_by_key(|part| std::cmp::Reverse(part.size));
    assert_eq!(started, expected.map(|part| (part.digest.to_string(), part.size)));
    assert_eq!((done, inode(&one.layer)), (2, inode_before));
}

#[test]
fn other_images_of_the_layout_stay() {
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let (one, two) = (image(&store, b"one"), image(&store, b"two"));
    // As another tool leaves a layout: without a folder of blobs, with fields that kimg does not know.
    fs::create_dir(&target).unwrap();
    fs::write(target.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    let other = serde_json::json!({
        "mediaType": "application/vnd.example+json", "digest": Digest::of(b"x"), "size": 1, "data": "eA==",
        "annotations": {NAME: "other:1"},
    });
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [other]});
    fs::write(target.join("index.json"), index.to_string()).unwrap();
    copy(&store, &one.manifest, &target, &["a:1", "b:1"]).unwrap();
    copy(&store, &two.manifest, &target, &["b:1"]).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&fs::read(target.join("index.json")).unwrap()).unwrap();
    let named = |name: &str| {
        let manifests = index["manifests"].as_array().unwrap();
        manifests.iter().find(|manifest| manifest["annotations"][NAME] == name).unwrap().clone()
    };
    assert_eq!(named("other:1"), other);
    assert_eq!(named("a:1")["digest"], one.manifest.digest.to_string());
    assert_eq!(named("b:1")["digest"], two.manifest.digest.to_string());
    assert_eq!(index["manifests"].as_array().unwrap().len(), 3);
}

#[test]
fn a_damaged_source_leaves_no_name() {
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let image = image(&store, &[1; 3_000_000]);
    let path = store.layout().blob_path(&image.layer.digest);
    for damage in [vec![2; 3_000_000], vec![1; 2_999_999], vec![1; 3_000_001]] {
        replace(&path, &damage);
        let error = copy(&store, &image.manifest, &target, &["a:1"]).unwrap_err();
        let start = format!("oci:{}: {}: expected {} of", target.display(), image.layer.digest, image.layer.digest);
        assert!(error.to_string().starts_with(&start), "{error}");
        assert_eq!(error.category(), Category::Verification);
        assert_eq!(error.hint().unwrap(), "`kimg store check --repair` removes what is damaged");
        let layout = Layout::open(&target).unwrap();
        assert_eq!(layout.index().unwrap().manifests, []);
        assert!(!layout.has(&image.layer) && !layout.has(&image.manifest));
        assert!(!files(&target).iter().any(|path| path.to_string_lossy().contains(".kimg-")));
    }
    fs::remove_file(&path).unwrap();
    let error = copy(&store, &image.manifest, &target, &["a:1"]).unwrap_err();
    assert_eq!(error.category(), Category::NotFound);
    // Once the store is right again, so is the copy.
    store.put(media_type::LAYER, &[1; 3_000_000]).unwrap();
    copy(&store, &image.manifest, &target, &["a:1"]).unwrap();
}

#[test]
fn a_copy_that_was_ended_names_nothing() {
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let image = image(&store, &[1; 3_000_000]);
    let source = StoreSource::open(store.clone()).unwrap();
    for jobs in [1, 4] {
        let plan = plan_to(&store, &image.manifest, &target, &["a:1"]).unwrap();
        let execution = Execution { jobs, ..Execution::new(Events::silent()) };
        execution.stop.set();
        let error = execute(&plan, &source, Box::new(LayoutSink::open(&target).unwrap()), &execution).unwrap_err();
        assert_eq!(error.category(), Category::Interrupted, "{error}");
        let layout = Layout::open(&target).unwrap();
        assert_eq!(layout.index().unwrap().manifests, []);
        assert!(!layout.has(&image.manifest) && !layout.has(&image.layer));
    }
    // And not either where all blobs are there.
    copy(&store, &image.manifest, &target, &[]).unwrap();
    let plan = plan_to(&store, &image.manifest, &target, &["a:1"]).unwrap();
    let execution = Execution::new(Events::silent());
    execution.stop.set();
    assert!(execute(&plan, &source, Box::new(LayoutSink::open(&target).unwrap()), &execution).is_err());
    assert_eq!(Layout::open(&target).unwrap().resolve("a:1").unwrap(), None);
}

#[test]
fn a_damaged_manifest_is_refused_before_anything_moves() {
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let image = image(&store, b"one");
    let path = store.layout().blob_path(&image.manifest.digest);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    replace(&path, &bytes);
    let error = copy(&store, &image.manifest, &target, &["a:1"]).unwrap_err();
    assert_eq!(error.category(), Category::Verification, "{error}");
    assert_eq!(files(&target.join("blobs")), Vec::<PathBuf>::new());
}

#[test]
fn a_target_of_another_kind_is_refused() {
    let (folder, store) = store();
    let image = image(&store, b"one");
    let target = folder.path().join("documents");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("thesis.txt"), "x").unwrap();
    let error = copy(&store, &image.manifest, &target, &["a:1"]).unwrap_err();
    let shown = target.display();
    assert_eq!(
        error.to_string(),
        format!(
            "oci:{shown}: cannot be opened: {shown}/thesis.txt: it holds other files, and no OCI layout is made among them"
        )
    );
    assert_eq!(error.category(), Category::Failed);
    assert_eq!(error.hint().unwrap(), "name another folder, or free space there");
    assert_eq!(files(&target), [PathBuf::from("thesis.txt")]);
}

#[test]
fn what_a_killed_copy_had_under_way_is_swept() {
    if let Some((folder, _)) = child::part() {
        let mut blob = Layout::open(&folder).unwrap().create_blob().unwrap();
        blob.append(&[1; 100_000]).unwrap();
        child::reached();
        child::end();
    }
    let (folder, store) = store();
    let target = folder.path().join("layout");
    let mut child = child::start("what_a_killed_copy_had_under_way_is_swept", &target, "");
    child.wait_until_reached();
    fs::write(target.join("1234-0"), "a file of the user's").unwrap();
    child.kill();
    let torn = || files(&target).iter().any(|path| path.to_string_lossy().contains(".kimg-"));
    assert!(torn());
    copy(&store, &image(&store, b"one").manifest, &target, &["a:1"]).unwrap();
    assert!(!torn() && target.join("1234-0").exists());
}

#[test]
fn a_copy_keeps_prune_away() {
    let (_folder, store) = store();
    let source = StoreSource::open(store.clone()).unwrap();
    assert!(store.prune(Default::default()).is_err());
    drop(source);
    store.prune(Default::default()).unwrap();
}
