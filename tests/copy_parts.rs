//! A large blob on its way into the store that broke off: the next process goes on from there.

#![allow(clippy::disallowed_methods, reason = "a test looks at folders")]

#[path = "support/stores.rs"]
mod stores;

use std::io::{self, Read};
use std::sync::Mutex;

use kimg::copy::{self, Choice, CopyError, Execution, Have, Moved, Root, Source};
use kimg::event::Events;
use kimg::oci::Descriptor;
use kimg::store::Store;
use kimg::transport::{LayoutSink, StoreSource};

const LARGE: u64 = 1 << 20;

/// A source whose large blobs break off after so many bytes, and which notes where it was opened.
struct Breaking {
    source: StoreSource,
    after: u64,
    opened: Mutex<Vec<(u64, u64)>>,
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the line broke"))
    }
}

impl Source for Breaking {
    fn describe(&self) -> String {
        "test".to_owned()
    }

    fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
        self.source.resolve(name)
    }

    fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + Send + '_>, CopyError> {
        self.opened.lock().unwrap().push((blob.size, offset));
        let content = self.source.open(blob, offset)?;
        match blob.size > LARGE && self.after < u64::MAX {
            true => Ok(Box::new(content.take(self.after).chain(Broken))),
            false => Ok(content),
        }
    }
}

/// Copies an image into a store, by a line that breaks off after so many bytes: what moved, and where the layer was opened.
fn copy(from: &Store, root: &Descriptor, to: &Store, after: u64) -> (Result<Moved, CopyError>, Vec<u64>) {
    let source = Breaking { source: StoreSource::open(from.clone()).unwrap(), after, opened: Mutex::default() };
    let sink = LayoutSink::of_store(to);
    let roots = [Root { descriptor: root.clone(), names: vec!["a:1".to_owned()] }];
    let plan = copy::plan(&source, &sink, &roots, &Choice::default()).unwrap();
    let done = copy::execute(&plan, &source, Box::new(sink), &Execution::new(Events::silent()));
    let opened = source.opened.into_inner().unwrap();
    (done, opened.into_iter().filter(|(size, _)| *size > LARGE).map(|(_, offset)| offset).collect())
}

#[test]
fn the_next_process_goes_on() {
    let (_folder, from) = stores::store();
    let (folder, to) = stores::store();
    let content: Vec<u8> = (0..6_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let image = stores::image(&from, &content);
    let size = image.layer.size;
    assert!(size > 5 << 20, "{size}");
    // The tail of a chunk may be lost with the process: what is there is what counts.
    let (broken, opened) = copy(&from, &image.manifest, &to, 2_500_000);
    assert!(broken.is_err() && opened == [0], "{broken:?} {opened:?}");
    let there = to.blob_part_size(&image.layer);
    assert!((1_000_000..=2_500_000).contains(&there), "{there}");
    assert_eq!(to.resolve("a:1").unwrap(), None);
    let source = StoreSource::open(from.clone()).unwrap();
    let roots = [Root { descriptor: image.manifest.clone(), names: Vec::new() }];
    let plan = copy::plan(&source, &LayoutSink::of_store(&to), &roots, &Choice::default()).unwrap();
    assert!(plan.blobs.iter().any(|blob| blob.have == Have::PartAt(there)), "{plan:?}");
    let (moved, opened) = copy(&from, &image.manifest, &to, u64::MAX);
    let moved = moved.unwrap();
    assert_eq!((opened, moved.resumed), (vec![there], there));
    let mut bytes = Vec::new();
    to.open_blob(&image.layer).unwrap().read_to_end(&mut bytes).unwrap();
    assert!(stores::files(&folder.path().join("store/cache/blob-parts")).is_empty());
}

#[test]
fn a_part_that_does_not_fit_is_thrown_away() {
    let (_folder, from) = stores::store();
    let (folder, to) = stores::store();
    let image = stores::image(&from, &vec![7; 5_000_000]);
    let (broken, _) = copy(&from, &image.manifest, &to, 1_500_000);
    broken.unwrap_err();
    let parts = folder.path().join("store/cache/blob-parts");
    let names = stores::files(&parts);
    let [part] = names.as_slice() else { panic!("{names:?}") };
    std::fs::write(parts.join(part), vec![8; 1_200_000]).unwrap();
    let (moved, opened) = copy(&from, &image.manifest, &to, u64::MAX);
    assert_eq!((opened, moved.unwrap().resumed), (vec![1_200_000, 0], 0));
    let mut bytes = Vec::new();
    to.open_blob(&image.layer).unwrap().read_to_end(&mut bytes).unwrap();
}
