//! Builds by the library, with short waits and a machine that names no hosts of its own. It needs `mod catalog` beside it.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use kimg::build::{Request, Workshop, build};
use kimg::definition::Catalog;
use kimg::error::Diagnose;
use kimg::event::Events;
use kimg::layer::Compression;
use kimg::lock::Upstream;
use kimg::net::{Client, Settings};
use kimg::oci::Platform;
use kimg::store::Store;
use kimg::upstream::hosts::Machine;

use crate::catalog::{World, tree};

/// A URL at which nothing listens.
pub fn nobody() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// All that builds are made with; the mirrors are asked in this order.
pub fn workshop(world: &World, mirrors: &[(Upstream, String)], events: Events) -> Workshop {
    let images = world.kimg.home().join("images");
    let files = tree(&images).into_iter().map(|path| (path.clone(), std::fs::read(images.join(path)).unwrap()));
    let settings = Settings {
        tries: 2,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        // Where a mirror fails, kimg asks the public hosts: the proxy keeps the tests from going there.
        proxies: vec![("all_proxy".to_owned(), world.server.url()), ("no_proxy".to_owned(), "127.0.0.1".to_owned())],
        ..Settings::default()
    };
    Workshop {
        catalog: Catalog::of(files),
        store: Store::open(&world.store()).unwrap(),
        client: Arc::new(Client::new(settings, events.clone())),
        machine: Arc::new(Machine {
            flags: mirrors.to_vec(),
            root: world.kimg.home().join("no machine"),
            ..Machine::default()
        }),
        events,
        threads: 2,
        sources: Default::default(),
    }
}

/// The mirrors that the world's server is.
pub fn mirrors(world: &World) -> Vec<(Upstream, String)> {
    let kinds = [Upstream::Debian, Upstream::DebianSecurity, Upstream::Maven];
    kinds.map(|kind| (kind, format!("{}{}/", world.server.url(), kind.name()))).to_vec()
}

/// A plain request for an image.
pub fn request(image: &str) -> Request {
    Request {
        image: image.to_owned(),
        platforms: vec![Platform::linux_amd64()],
        variant: None,
        dialect: None,
        user: None,
        tags: Vec::new(),
        labels: Default::default(),
        annotations: Default::default(),
        env: Default::default(),
        compression: Compression::Gzip(None),
        add: Vec::new(),
        authorities: Vec::new(),
        base: None,
        locked: false,
    }
}

/// Builds, and shows the image's name, or the error as the program tells it: without the public hosts, and with
/// `mirror.example` for the server.
pub fn show(world: &World, image: &str, mirrors: &[(Upstream, String)]) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let built = runtime.block_on(build(&request(image), &workshop(world, mirrors, Events::silent())));
    let error = match built {
        Ok(built) => return format!("{}\n", built.name),
        Err(error) => error,
    };
    let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    let message = error.to_string().replace(&world.server.url(), "http://mirror.example/");
    let is_public = |part: &&str| part.contains("https://");
    let parts: Vec<&str> = message.split("; ").filter(|part| !is_public(part)).collect();
    let message = parts.join("; ").replace(&world.store().display().to_string(), "STORE");
    format!("error: {}\n{hint}exit code: {}\n", without_digests(&message), error.category().exit_code())
}

/// The text with `…` for the digits of digests, which may depend on compressors.
pub fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts
        .fold(first, |text, part| format!("{text}sha256:…{}", part.trim_start_matches(|c: char| c.is_ascii_hexdigit())))
}
