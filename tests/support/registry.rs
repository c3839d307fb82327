//! A registry in the process of the test, on a free port of 127.0.0.1, that fails as it is told to.
//!
//! ```ignore
//! let registry = Registry::start();
//! let image = registry.image("app:1", &[bytes(1, 300_000)]);
//! registry.once("GET", "/blobs/", Act::Cut(1000));            // the first such request; the second is served well
//! registry.always("GET", "/referrers/", Act::Answer(Reply::new(404)));
//! // … copy from registry.source("app"), or `docker://{registry.name("app:1")}` by the program …
//! assert_eq!(registry.asked("GET", "/blobs/")[1].header("range"), Some("bytes=1000-"));
//! ```
//!
//! What a rule is told about is looked for in the target's path and query. Nothing here sleeps.
#![allow(dead_code, unreachable_pub)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kimg::copy::{self, Choice, CopyError, Execution, Moved, Root, Sink, Source};
use kimg::digest::Digest;
use kimg::error::Diagnose;
use kimg::event::Events;
use kimg::net::{Client, Settings};
use kimg::oci::{self, Config, Descriptor, Index, Manifest, Platform, RootFs, media_type};
use kimg::serve::{Access, Act, Asked, Hook, Reply, Server};
use kimg::store::{Layout, Store};
use kimg::transport::registry::{Credentials, RegistrySink, RegistrySource, Repository, Session, Transport, Trust};
use kimg::transport::{LayoutSink, LayoutSource};
use tempfile::TempDir;
use tokio::runtime::Runtime;

type Rule = Box<dyn FnMut(&Asked) -> Option<Act> + Send>;

/// The rules, and what was asked.
#[derive(Default)]
struct Script {
    rules: Mutex<Vec<Rule>>,
    asked: Mutex<Vec<Asked>>,
}

struct Scripted(Arc<Script>);

impl Hook for Scripted {
    fn before(&self, asked: &Asked) -> Act {
        self.0.asked.lock().unwrap().push(asked.clone());
        let mut rules = self.0.rules.lock().unwrap();
        rules.iter_mut().find_map(|rule| rule(asked)).unwrap_or(Act::Pass)
    }
}

/// The registry. It ends when it is dropped.
pub struct Registry {
    script: Arc<Script>,
    server: Server,
    store: Store,
    runtime: Runtime,
    folder: TempDir,
}

/// An image that a test made.
pub struct Image {
    pub descriptor: Descriptor,
    pub bytes: Vec<u8>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

impl Registry {
    /// An empty one.
    pub fn start() -> Registry {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let script = Arc::new(Script::default());
        let hook = Box::new(Scripted(Arc::clone(&script)));
        let registry = kimg::serve::Registry::with_hook(store.clone(), Access::ReadWrite, hook).unwrap();
        let server = Server::start(registry, 0, runtime.handle()).unwrap();
        Registry { script, server, store, runtime, folder }
    }

    /// `127.0.0.1:PORT/NAME`.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.server.address())
    }

    /// The URL of a target.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.server.address())
    }

    /// What it serves.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A folder that is removed with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The runtime that it runs on.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What happens to the first request like this that no earlier rule is about.
    pub fn once(&self, method: &'static str, part: &str, act: Act) {
        let (part, mut act) = (part.to_owned(), Some(act));
        self.rule(move |asked| if is_like(asked, method, &part) { act.take() } else { None });
    }

    /// What happens to each request like this that no earlier rule is about.
    pub fn always(&self, method: &'static str, part: &str, act: Act) {
        let part = part.to_owned();
        self.rule(move |asked| is_like(asked, method, &part).then(|| act.clone()));
    }

    /// Any other rule.
    pub fn rule(&self, rule: impl FnMut(&Asked) -> Option<Act> + Send + 'static) {
        self.script.rules.lock().unwrap().push(Box::new(rule));
    }

    /// What was asked of this kind so far, in order; an empty method stands for all.
    pub fn asked(&self, method: &str, part: &str) -> Vec<Asked> {
        self.script.asked.lock().unwrap().iter().filter(|asked| is_like(asked, method, part)).cloned().collect()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.script.asked.lock().unwrap().clear();
    }

    /// An image of these layers under a name, as if it had been pushed.
    pub fn image(&self, name: &str, layers: &[Vec<u8>]) -> Image {
        let image = image(self.store.layout(), layers);
        self.store.name(&[name.to_owned()], &image.descriptor).unwrap();
        image
    }

    /// A session of a client with short waits.
    pub fn session(&self, repository: &str, credentials: Option<Credentials>) -> Session {
        self.session_with(repository, credentials, settings())
    }

    /// A session of a client that behaves so.
    pub fn session_with(&self, repository: &str, credentials: Option<Credentials>, settings: Settings) -> Session {
        let repository = Repository::of(&self.name(repository).parse().unwrap());
        let trust = Trust { transport: Transport::Tls, credentials };
        Session::new(Client::new(settings, Events::silent()), repository, trust)
    }

    /// A repository as a source.
    pub fn source(&self, repository: &str) -> RegistrySource {
        RegistrySource::new(self.session(repository, None), self.runtime.handle().clone())
    }

    /// A repository as a sink.
    pub fn sink(&self, repository: &str) -> RegistrySink {
        RegistrySink::new(self.session(repository, None), self.runtime.handle().clone())
    }

    /// Copies `repository:name` into a new layout, which is checked.
    pub fn pull(&self, repository: &str, name: &str) -> Result<Pulled, CopyError> {
        pull(&self.source(repository), name)
    }

    /// Copies an image of a layout into this registry.
    pub fn push(&self, from: &Made, name: &str) -> Result<Moved, CopyError> {
        let (repository, tag) = name.split_once(':').unwrap();
        push(from, self.sink(repository), tag)
    }

    /// The manifest that a name has here.
    pub fn named(&self, name: &str) -> Option<Descriptor> {
        let found = self.store.resolve(name).unwrap();
        found.map(|descriptor| Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size))
    }

    /// Whether it has all of an image, byte for byte, under that name.
    pub fn holds(&self, name: &str, image: &Image) -> bool {
        let whole = |descriptor: &Descriptor| self.store.layout().read_blob(descriptor, u64::MAX).is_ok();
        self.named(name).is_some_and(|named| named.digest == image.descriptor.digest)
            && std::iter::once(&image.config).chain(&image.layers).all(whole)
    }
}

fn is_like(asked: &Asked, method: &str, part: &str) -> bool {
    (method.is_empty() || asked.method == method) && asked.target.contains(part)
}

/// Waits of milliseconds.
pub fn settings() -> Settings {
    Settings {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        connect_timeout: Duration::from_secs(20),
        stall_timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}

/// What came out of a pull.
pub struct Pulled {
    pub descriptor: Descriptor,
    pub moved: Moved,
    pub layout: Layout,
    pub folder: TempDir,
}

impl Pulled {
    /// Whether all of the image is there, byte for byte.
    pub fn is(&self, image: &Image) -> bool {
        let read = |descriptor: &Descriptor| self.layout.read_blob(descriptor, u64::MAX).is_ok();
        self.descriptor.digest == image.descriptor.digest
            && self.layout.read_blob(&image.descriptor, u64::MAX).is_ok_and(|bytes| bytes == image.bytes)
            && std::iter::once(&image.config).chain(&image.layers).all(read)
    }
}

/// Copies what a source has under a name into a new layout.
pub fn pull(source: &dyn Source, name: &str) -> Result<Pulled, CopyError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layout");
    let descriptor = source.resolve(name)?;
    let sink = LayoutSink::open(&path).unwrap();
    let root = Root { descriptor: descriptor.clone(), names: vec!["pulled".to_owned()] };
    let moved = run(source, Box::new(sink), root)?;
    Ok(Pulled { descriptor, moved, layout: Layout::open(&path).unwrap(), folder })
}

/// Copies an image of a layout into a sink.
pub fn push(from: &Made, sink: RegistrySink, tag: &str) -> Result<Moved, CopyError> {
    let source = LayoutSource::open(from.folder.path()).unwrap();
    let root = Root { descriptor: from.image.descriptor.clone(), names: vec![tag.to_owned()] };
    run(&source, Box::new(sink), root)
}

fn run(source: &dyn Source, sink: Box<dyn Sink>, root: Root) -> Result<Moved, CopyError> {
    let plan = copy::plan(source, sink.as_ref(), &[root], &Choice::default())?;
    copy::execute(&plan, source, sink, &Execution::new(Events::silent()))
}

/// An image in a layout of its own.
pub struct Made {
    pub image: Image,
    pub folder: TempDir,
}

/// Makes an image of these layers in a layout of its own, named `made`.
pub fn made(layers: &[Vec<u8>]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open(folder.path()).unwrap();
    let image = image(&layout, layers);
    layout.name(&["made".to_owned()], &image.descriptor).unwrap();
    Made { image, folder }
}

/// Puts an image of these layers into a layout.
pub fn image(layout: &Layout, layers: &[Vec<u8>]) -> Image {
    let layer = |bytes: &Vec<u8>| put(layout, media_type::LAYER, bytes);
    let layers: Vec<Descriptor> = layers.iter().map(layer).collect();
    let config = Config {
        created: None,
        platform: Platform::linux_amd64(),
        config: oci::ImageConfig::default(),
        rootfs: RootFs::new(layers.iter().map(|layer| layer.digest).collect()),
        history: Vec::new(),
    };
    let config = put(layout, media_type::CONFIG, &oci::to_bytes(&config));
    let bytes = oci::to_bytes(&Manifest::new(config.clone(), layers.clone(), Default::default()));
    let descriptor = put(layout, media_type::MANIFEST, &bytes);
    Image { descriptor, bytes, config, layers }
}

/// Puts an index of these manifests into a layout.
pub fn index(layout: &Layout, manifests: Vec<Descriptor>) -> Descriptor {
    put(layout, media_type::INDEX, &oci::to_bytes(&Index::new(manifests)))
}

/// Puts bytes into a layout.
pub fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let mut blob = layout.create_blob().unwrap();
    blob.append(bytes).unwrap();
    blob.commit(&Digest::of(bytes)).unwrap();
    Descriptor::of(media_type, bytes)
}

/// An error of a registry, as it says it.
pub fn refusal(status: u16, code: &str) -> Reply {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{}"}}]}}"#, code.to_lowercase().replace('_', " "));
    Reply::new(status).header("content-type", "application/json").body(body)
}

/// The error, and the exit code that it means.
pub fn failure<T>(result: Result<T, CopyError>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            format!("error: {error}{hint}\nexit code: {}", error.category().exit_code())
        }
    }
}

/// Bytes that differ from those of another seed, and from block to block: made fast, for there are many.
pub fn bytes(seed: u8, length: usize) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let mut state = u32::from(seed) + 1;
    let mut block: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(BLOCK)
    .collect();
    let mut all = Vec::with_capacity(length + BLOCK);
    for number in 0..length.div_ceil(BLOCK) as u64 {
        block[..8].copy_from_slice(&(number << 8 | u64::from(seed)).to_be_bytes());
        all.extend_from_slice(&block);
    }
    all.truncate(length);
    all
}
