//! A release archive of the app of `support/catalog.rs`, in the layout of an upstream's, on a server of its own. It needs
//! `mod catalog`, `mod command`, `mod deb`, `mod openpgp` and `mod server` beside it.
#![allow(dead_code, unreachable_pub)]

use std::process::Output;

use kimg::digest::{Algorithm, Digest, Hasher};
use kimg::lock::Archive;

use crate::catalog::{Jar, Material, World, signer};
use crate::deb::{Packing, Tar};
use crate::server::Server;

/// Its path below the root of the archive's hosts.
pub const PATH: &str = "app/1.0/app-1.0-bin.tar.gz";

/// The folder of its jars.
pub const JARS: &str = "app-1.0/libs";

/// What every release has besides jars.
pub fn release(jars: &[Jar]) -> Tar {
    let tar = Tar::new().folder("app-1.0/").file("app-1.0/LICENSE", b"a licence").folder("app-1.0/bin/");
    let tar = tar.file_of("app-1.0/bin/start.sh", 0o755, b"#!/bin/sh\n").folder("app-1.0/libs/");
    let own = jars.iter().filter(|jar| jar.family == "app");
    own.fold(tar, |tar, jar| tar.file(&format!("{JARS}/{}", jar.name), &jar.bytes))
}

/// The world of the app, whose lock names the archive, and who serves that.
pub struct Released {
    pub world: World,
    pub apache: Server,
    /// The answer of a build from Maven.
    pub expected: String,
}

impl Released {
    /// An archive of these bytes and its signature. The digest in the lock is that of the bytes.
    pub fn new(archive: Vec<u8>, signature: Option<&str>) -> Released {
        let mut material = Material::new();
        // Nothing here is about the layers below.
        material.app = material.app.replace("base = \"base:1\"\n", "");
        let world = material.lock();
        let expected = world.built(&["app"]);
        let released = Released { world, apache: Server::start(), expected };
        released.publish(archive, signature);
        released
    }

    /// As upstream makes it.
    pub fn good() -> Released {
        let archive = Packing::Gzip.pack(&release(&Material::new().jars).finish());
        let signature = signer().sign(&archive);
        Released::new(archive, Some(&signature))
    }

    /// Publishes another archive, and names it in the lock.
    pub fn publish(&self, archive: Vec<u8>, signature: Option<&str>) {
        let digest = sha512(&archive);
        self.apache.put(&format!("/{PATH}"), archive);
        self.apache.remove(&format!("/{PATH}.asc"));
        signature.inspect(|signature| self.apache.put(&format!("/{PATH}.asc"), signature.as_bytes()));
        self.world.edit_lock("app/1.0.lock.toml", |lock| {
            let signer = Some(signer().fingerprint());
            lock.archive = Some(Archive { path: PATH.to_owned(), size: None, digest, signer });
            lock.inputs.iter_mut().for_each(|input| input.member = Some(format!("{JARS}/{}", input.name)));
        });
    }

    /// Builds the app into a store of that name.
    pub fn build(&self, store: &str, more: &[&str]) -> Output {
        let mirror = format!("apache={}", self.apache.url());
        self.build_by(&mirror, store, more)
    }

    /// Builds with a mirror of one's own.
    pub fn build_by(&self, mirror: &str, store: &str, more: &[&str]) -> Output {
        let arguments = [&["app", "--mirror", mirror], more].concat();
        self.world.kimg.command(&self.world.build(&arguments)).env("KIMG_HOME", store).output().unwrap()
    }

    /// The requests for the archive and what is beside it: method and path.
    pub fn asked(&self) -> Vec<String> {
        self.apache.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// How often Maven was asked.
    pub fn asked_maven(&self) -> usize {
        self.world.server.requests().iter().filter(|request| request.path.starts_with("/maven/")).count()
    }
}

/// The digest that Apache publishes.
pub fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}

/// What a run printed, exit code first.
pub fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
