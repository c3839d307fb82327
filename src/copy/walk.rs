use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;

use super::ahead::{self, Ahead};
use super::choice::Chosen;
use super::document::{Document, Wrong};
use super::{Choice, CopyError, Root, Sink, Source};
use crate::digest::Digest;
use crate::error::Category;
use crate::oci::{Descriptor, media_type};

/// Indexes within indexes, at most; and referrers of referrers.
pub const MAX_DEPTH: usize = 8;

/// Manifests and blobs of the images of one copy, at most.
pub const MAX_DESCRIPTORS: usize = 10_000;

/// A manifest's size in bytes, at most (distribution-spec 1.1 asks registries for 4 MiB at least).
pub const MAX_MANIFEST: u64 = 8 << 20;

/// All manifests of one copy, in bytes, at most: they are held in memory.
pub const MAX_MANIFESTS: u64 = 64 << 20;

/// What images consist of.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// What is copied of the roots that were asked for.
    pub roots: Vec<Root>,
    /// Blobs, in the order in which they were met, each once.
    pub blobs: Vec<Descriptor>,
    /// Manifests with their bytes, children before parents, and then referrers after their subjects.
    pub manifests: Vec<(Descriptor, Vec<u8>)>,
    /// The referrers among the manifests.
    pub referrers: Vec<Descriptor>,
    /// Indexes of which not all is copied.
    pub sparse: Vec<Descriptor>,
    /// Layers that stay where their publisher has them.
    pub foreign: Vec<Descriptor>,
}

/// A walk over all that is below some roots.
pub(super) struct Walk<'a> {
    pub source: &'a dyn Source,
    pub choice: &'a Choice,
    sink: &'a dyn Sink,
    graph: Graph,
    /// Manifests that the sink has with all that they name.
    present: Vec<Descriptor>,
    seen_blobs: BTreeMap<Digest, u64>,
    seen_manifests: BTreeSet<(Digest, String)>,
    /// Whether it has those that it was asked for ahead.
    asked: BTreeMap<(Digest, String), bool>,
    /// What was read of the source.
    read: BTreeMap<(Digest, String), Vec<u8>>,
    bytes: u64,
}

/// What of an index is copied.
type Only<'a> = Option<&'a BTreeSet<Digest>>;

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a dyn Source, sink: &'a dyn Sink, choice: &'a Choice) -> Walk<'a> {
        Walk {
            source,
            choice,
            sink,
            graph: Graph::default(),
            present: Vec::new(),
            seen_blobs: BTreeMap::new(),
            seen_manifests: BTreeSet::new(),
            asked: BTreeMap::new(),
            read: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Reads all manifests below a root that are chosen and that the sink lacks.
    pub(super) fn root(&mut self, chosen: Chosen) -> Result<(), CopyError> {
        let Chosen { root, made, only } = chosen;
        if let Some(bytes) = made {
            self.read.insert(key(&root.descriptor), bytes);
        }
        self.visit(&root.descriptor, 0, only.as_ref())?;
        self.graph.roots.push(root);
        Ok(())
    }

    /// Reads what names the manifests as its subject, where that is to come along.
    pub(super) fn finish(mut self) -> Result<Graph, CopyError> {
        if self.choice.referrers {
            let there = self.graph.manifests.iter().map(|(descriptor, _)| descriptor);
            let mut subjects: VecDeque<(Descriptor, usize)> =
                there.chain(&self.present).map(|descriptor| (descriptor.clone(), 0)).collect();
            while let Some((subject, depth)) = subjects.pop_front() {
                for referrer in self.source.referrers(&subject)? {
                    if self.refer(&referrer, &subject, depth + 1)? {
                        subjects.push_back((referrer, depth + 1));
                    }
                }
            }
        }
        Ok(self.graph)
    }

    /// Takes a referrer, if it is not there yet.
    fn refer(&mut self, referrer: &Descriptor, subject: &Descriptor, depth: usize) -> Result<bool, CopyError> {
        if self.seen_manifests.contains(&key(referrer)) {
            return Ok(false);
        }
        self.bounded(referrer, depth, 0)?;
        let names = self.read(referrer)?.subject;
        if names.is_none_or(|named| named.digest != subject.digest) {
            let why =
                format!("it is listed as a referrer of {}, and does not name that as its subject", subject.digest);
            return Err(self.wrong(referrer, why));
        }
        self.visit(referrer, depth, None)?;
        self.graph.referrers.push(referrer.clone());
        Ok(true)
    }

    fn visit(&mut self, descriptor: &Descriptor, depth: usize, only: Only<'_>) -> Result<(), CopyError> {
        // Seen as a blob is not seen: the parts of a manifest move too, whoever else calls it a layer.
        if !self.seen_manifests.insert(key(descriptor)) {
            return Ok(());
        }
        self.bounded(descriptor, depth, 0)?;
        // Whether a root is there is asked by its names.
        if depth > 0 && self.is_present(descriptor)? {
            self.present.push(descriptor.clone());
            return Ok(());
        }
        let document = self.read(descriptor)?;
        let all = document.children.len();
        let children =
            document.children.into_iter().filter(|child| only.is_none_or(|only| only.contains(&child.digest)));
        let children: Vec<Descriptor> = children.collect();
        if children.len() < all {
            self.graph.sparse.push(descriptor.clone());
        }
        self.ask_ahead(&children)?;
        for child in &children {
            self.visit(child, depth + 1, only).map_err(|error| absent(error, child, descriptor))?;
        }
        for blob in document.blobs {
            match self.seen_blobs.insert(blob.digest, blob.size) {
                None => self.graph.blobs.push(blob),
                Some(size) if size == blob.size => {}
                Some(_) => return Err(self.wrong(descriptor, format!("{} is given two sizes", blob.digest))),
            }
        }
        self.graph.foreign.extend(document.foreign);
        self.bounded(descriptor, depth, 0)?;
        let bytes = self.read.remove(&key(descriptor)).unwrap_or_default();
        self.graph.manifests.push((descriptor.clone(), bytes));
        Ok(())
    }

    fn is_present(&self, descriptor: &Descriptor) -> Result<bool, CopyError> {
        match self.asked.get(&key(descriptor)) {
            Some(answer) => Ok(*answer),
            None => self.sink.has_manifest(descriptor),
        }
    }

    /// Reads the manifests of an index, where they are several and not too much altogether.
    fn ask_ahead(&mut self, children: &[Descriptor]) -> Result<(), CopyError> {
        let is_new = |child: &&Descriptor| {
            !self.seen_manifests.contains(&key(child)) && !self.read.contains_key(&key(child)) && is_known(child)
        };
        let mut wanted: Vec<Descriptor> = children.iter().filter(is_new).cloned().collect();
        wanted.sort_by_key(key);
        wanted.dedup_by_key(|child| key(child));
        let bytes = wanted.iter().fold(self.bytes, |bytes, child| bytes.saturating_add(child.size));
        if wanted.len() < 2 || wanted.len() > MAX_DESCRIPTORS || bytes > MAX_MANIFESTS {
            return Ok(());
        }
        for (child, answer) in ahead::ask(self.source, self.sink, &wanted) {
            self.asked.insert(key(&child), matches!(answer, Ahead::Present));
            if let Ahead::Bytes(bytes) = answer {
                self.keep(&child, bytes)?;
            }
        }
        Ok(())
    }

    /// Whether an image can be so deep and have so many parts.
    pub(super) fn bounded(&self, descriptor: &Descriptor, depth: usize, more: usize) -> Result<(), CopyError> {
        let parts = self.seen_blobs.len() + self.seen_manifests.len() + more;
        if depth > MAX_DEPTH {
            return Err(self.wrong(descriptor, format!("more than {MAX_DEPTH} levels, which no image has")));
        }
        if parts > MAX_DESCRIPTORS {
            return Err(self.wrong(descriptor, format!("more than {MAX_DESCRIPTORS} parts, which no image has")));
        }
        Ok(())
    }

    /// The parts of a manifest or index.
    pub(super) fn read(&mut self, descriptor: &Descriptor) -> Result<Document, CopyError> {
        // What is not known is not fetched.
        let bytes = if is_known(descriptor) { self.bytes(descriptor)? } else { Vec::new() };
        Document::parse(&descriptor.media_type, &bytes).map_err(|wrong| match wrong {
            Wrong::Other(why) => self.wrong(descriptor, why),
            Wrong::Schema1 => CopyError::Unfit {
                place: self.sink.describe(),
                image: descriptor.digest.to_string(),
                why: "its manifest is of Docker's schema 1, which is not taken any more".to_owned(),
                hint: "pull and push it once by a Docker that still reads it (before 27), or build it again".to_owned(),
            },
        })
    }

    /// The bytes of a manifest or index.
    pub(super) fn bytes(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        if let Some(bytes) = self.read.get(&key(descriptor)) {
            return Ok(bytes.clone());
        }
        let bytes = self.source.manifest(descriptor)?;
        self.keep(descriptor, bytes.clone())?;
        Ok(bytes)
    }

    fn keep(&mut self, descriptor: &Descriptor, bytes: Vec<u8>) -> Result<(), CopyError> {
        self.bytes += descriptor.size;
        if self.bytes > MAX_MANIFESTS {
            let why = format!("more than {MAX_MANIFESTS} bytes of manifests, which no image has");
            return Err(self.wrong(descriptor, why));
        }
        self.read.insert(key(descriptor), bytes);
        Ok(())
    }

    /// The bytes of a configuration.
    pub(super) fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, CopyError> {
        whole(&self.source.describe(), descriptor, MAX_MANIFEST, || self.source.open(descriptor, 0))
    }

    pub(super) fn wrong(&self, descriptor: &Descriptor, why: String) -> CopyError {
        CopyError::Manifest { place: self.source.describe(), descriptor: descriptor.digest.to_string(), why }
    }
}

fn is_known(descriptor: &Descriptor) -> bool {
    media_type::is_index(&descriptor.media_type) || media_type::is_manifest(&descriptor.media_type)
}

fn key(descriptor: &Descriptor) -> (Digest, String) {
    (descriptor.digest, descriptor.media_type.clone())
}

/// A child that its index names and its place does not have: the place holds a part of the index only.
fn absent(error: CopyError, child: &Descriptor, index: &Descriptor) -> CopyError {
    match error {
        CopyError::Failed { place, what, why, category: Category::NotFound, hint: None | Some(_) }
            if what == child.digest.to_string() =>
        {
            let of = child.platform.as_ref().map_or(String::new(), |platform| format!(", for {platform}"));
            CopyError::Failed {
                place,
                what,
                why: format!("the index {} names it{of}: {why}", index.digest),
                category: Category::NotFound,
                hint: Some("choose what is there by --platform".to_owned()),
            }
        }
        error => error,
    }
}

/// Reads a document of `place` whole, and verifies it.
pub(super) fn whole<'a>(
    place: &str,
    descriptor: &Descriptor,
    limit: u64,
    open: impl FnOnce() -> Result<Box<dyn Read + Send + 'a>, CopyError>,
) -> Result<Vec<u8>, CopyError> {
    let wrong =
        |why: String| CopyError::Manifest { place: place.to_owned(), descriptor: descriptor.digest.to_string(), why };
    if descriptor.size > limit {
        return Err(wrong(format!("{} bytes are more than the {limit} that a manifest may have", descriptor.size)));
    }
    let mut bytes = Vec::new();
    let read = open()?.take(descriptor.size + 1).read_to_end(&mut bytes);
    read.map_err(|error| CopyError::carried(error).unwrap_or_else(|error| wrong(error.to_string())))?;
    if bytes.len() as u64 != descriptor.size || !descriptor.digest.fits(&bytes) {
        return Err(wrong("size or digest do not fit".to_owned()));
    }
    Ok(bytes)
}
