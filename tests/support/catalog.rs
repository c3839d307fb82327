//! Two families of small images on one base, all their inputs, and a server of these: Debian packages with all that the
//! rules of a base work on, jars, signatures. It needs `mod command`, `mod deb`, `mod openpgp` and `mod server` beside it.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::disallowed_methods, reason = "a test looks at clocks, folders and its own environment")]

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::OnceLock;

use kimg::definition;
use kimg::digest::Digest;
use kimg::lock::{self, Input, Lock, Sha256, Signature, Upstream};

use crate::command::Kimg;
use crate::deb::{Deb, Packing, Tar};
use crate::openpgp::Key;
use crate::server::Server;

pub const BASE: &str = include_str!("../data/base.toml");
pub const APP: &str = include_str!("../data/app.toml");
pub const OTHER: &str = include_str!("../data/other.toml");

/// Certificates of 2001 and 2020 in the base, and one of 2052 for `--ca`.
pub const ALPHA: &str = include_str!("../data/alpha.pem");
pub const BETA: &str = include_str!("../data/beta.pem");
pub const COMPANY: &str = include_str!("../data/company.pem");

/// The times of the locks; the image's is the newest.
pub const BASE_CREATED: &str = "2026-01-02T03:04:05Z";
pub const APP_CREATED: &str = "2025-06-07T08:09:10Z";

/// What is to be served and locked; a test changes it before [`Material::serve`].
pub struct Material {
    /// Each with its layer and upstream.
    pub debs: Vec<(&'static str, Upstream, Deb)>,
    pub jars: Vec<Jar>,
    pub base: String,
    pub app: String,
    pub other: String,
    /// The text of the keys that `app` trusts.
    pub keys: String,
}

/// A jar of a family, and the detached signature that is published beside it.
pub struct Jar {
    pub family: &'static str,
    pub layer: &'static str,
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub signature: Option<(String, Vec<u8>)>,
}

/// The key that signs the product.
pub fn signer() -> Key {
    Key::new("Release Manager <release@app.example>")
}

/// A jar of these members.
pub fn jar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Bytes of any length that do not compress, different for each name.
pub fn noise(name: &str, length: usize) -> Vec<u8> {
    let blocks = (0u64..).flat_map(|number| Digest::of(format!("{name} {number}").as_bytes()).hex().into_bytes());
    blocks.take(length).collect()
}

fn files() -> Deb {
    let data = Tar::new().folder("./").folder("./bin/").file_of("./bin/tool", 0o755, b"#!/bin/sh\necho tool\n");
    let data = data.hardlink("./bin/tool-too", "./bin/tool").symlink("./bin/tool.conf", "../etc/tool.conf");
    let data = data.symlink("./bin/near", "tool").symlink("./bin/winding", "../usr/../etc/tool.conf");
    let data = data.file_of("./sbin/mount", 0o4755, b"mount").folder_of("./tmp/", 0o1777, 0, 0);
    let data = data.folder("./etc/").file("./etc/tool.conf", b"a = 1\n").file("./usr/lib/os-release", b"ID=demo\n");
    let data = data.file("./usr/share/doc/files/copyright", b"free").file("./usr/share/doc/files/changes", b"none");
    let data = data.file("./usr/share/man/man1/tool.1", b".TH").file("./usr/share/demo/services", b"a 1/tcp\n");
    let data = data.file("./usr/share/accounts/passwd.master", b"root:*:0:0:root:/root:/bin/sh\n");
    Deb::new("files", data.file("./usr/share/accounts/group.master", b"root:*:0:\n"))
}

fn library() -> Deb {
    let data = Tar::new().folder("./lib/").folder("./lib/x/").file("./lib/x/libdemo.so.1", &noise("libdemo", 70_000));
    let data = data.symlink("./lib/x/libdemo.so", "libdemo.so.1").folder("./usr/lib/").folder("./usr/lib/x/");
    let data = data.symlink("./usr/lib/x/libother.so", "../../../lib/x/libdemo.so.1");
    Deb::new("library", data.file("./usr/share/doc/library/copyright", b"GPL")).packed(Packing::Gzip, Packing::Zstd)
}

fn certificates() -> Deb {
    let roots = "./usr/share/ca-certificates";
    // In the tar the names are not sorted, and two differ in case only.
    let data = Tar::new().file(&format!("{roots}/z/Same.crt"), BETA.as_bytes());
    let data = data.file(&format!("{roots}/a/SAME.crt"), ALPHA.as_bytes()).file(&format!("{roots}/a/notes"), b"no PEM");
    Deb::new("certificates", data).packed(Packing::None, Packing::Gzip)
}

fn java() -> Deb {
    let home = "./usr/lib/jvm/java-demo-amd64";
    static JAVA: OnceLock<Vec<u8>> = OnceLock::new();
    // More than one chunk of a layer.
    let program = JAVA.get_or_init(|| noise("java", 1_500_000));
    let data = Tar::new().file_of(&format!("{home}/bin/java"), 0o755, program);
    let data = data.file(&format!("{home}/lib/dropped.so"), b"x").file("./usr/share/doc/java/copyright", b"GPL");
    Deb::new("java", data).packed(Packing::Gzip, Packing::None)
}

impl Material {
    pub fn new() -> Material {
        let product = jar(&[("LICENSE", b"a licence"), ("a/B.class", b"class")]);
        let signature = signer().sign(&product).into_bytes();
        let signature = Some((signer().fingerprint(), signature));
        let plain = |family, layer, name| Jar { family, layer, name, bytes: noise(name, 5000), signature: None };
        Material {
            debs: vec![
                ("debian", Upstream::Debian, files()),
                ("debian", Upstream::DebianSecurity, library()),
                ("debian", Upstream::Debian, certificates()),
                ("java", Upstream::Debian, java()),
            ],
            jars: vec![
                plain("app", "third-party", "one-1.1.jar"),
                plain("app", "third-party", "two-2.2.jar"),
                Jar { family: "app", layer: "product", name: "app-1.0.jar", bytes: product, signature },
                plain("other", "other", "other-1.jar"),
            ],
            base: BASE.to_owned(),
            app: APP.to_owned(),
            other: OTHER.to_owned(),
            keys: signer().armored(),
        }
    }

    /// A deb of the base.
    pub fn deb(&mut self, name: &str) -> &mut Deb {
        self.debs.iter_mut().map(|(.., deb)| deb).find(|deb| deb.name == name).unwrap()
    }

    /// Adds entries to a package.
    pub fn with(mut self, package: &str, change: impl FnOnce(Tar) -> Tar) -> Material {
        let deb = self.deb(package);
        deb.data = change(std::mem::take(&mut deb.data));
        self
    }

    /// A home with definitions and locks without outputs below `images/`, and a server of all inputs.
    pub fn serve(&self) -> World {
        let server = Server::start();
        let url = |kind: &str| format!("{}{kind}/", server.url());
        // Where a mirror fails, kimg asks the public hosts: the proxy keeps the tests from going there.
        let kimg = Kimg::new()
            .with("KIMG_MIRROR_DEBIAN", &url("debian"))
            .with("KIMG_MIRROR_DEBIAN_SECURITY", &url("debian-security"))
            .with("KIMG_MIRROR_MAVEN", &url("maven"))
            .with("all_proxy", &server.url())
            .with("no_proxy", "127.0.0.1");
        let world = World { kimg, server };
        world.write(self);
        world
    }

    /// The same, with the outputs in the locks.
    pub fn lock(&self) -> World {
        self.lock_only(&["base", "app", "other"])
    }

    /// The same of these families only, each after its base.
    pub fn lock_only(&self, families: &[&str]) -> World {
        let world = self.serve();
        world.lock_families(families);
        world
    }

    fn inputs(&self, server: &Server, family: &str) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (layer, upstream, deb) in self.debs.iter().filter(|_| family == "base") {
            let path = format!("pool/{0}/{0}_1.0_amd64.deb", deb.name);
            let platform = Some("linux/amd64".to_owned());
            inputs.push(Input { platform, ..input(server, layer, *upstream, &deb.name, &path, &deb.bytes()) });
        }
        for jar in self.jars.iter().filter(|jar| jar.family == family) {
            let path = format!("example/{}/{}", jar.family, jar.name);
            let mut input = input(server, jar.layer, Upstream::Maven, jar.name, &path, &jar.bytes);
            input.signature = jar.signature.as_ref().map(|(signer, bytes)| {
                let path = format!("{path}.asc");
                server.put(&format!("/maven/{path}"), bytes.clone());
                Signature { path, size: bytes.len() as u64, sha256: sha256(bytes), signer: signer.clone() }
            });
            inputs.push(input);
        }
        inputs
    }
}

fn input(server: &Server, layer: &str, upstream: Upstream, name: &str, path: &str, bytes: &[u8]) -> Input {
    server.put(&format!("/{}/{path}", upstream.name()), bytes.to_vec());
    Input {
        layer: layer.to_owned(),
        name: name.to_owned(),
        upstream,
        platform: None,
        path: path.to_owned(),
        size: bytes.len() as u64,
        sha256: sha256(bytes),
        member: None,
        url: None,
        signature: None,
    }
}

fn sha256(bytes: &[u8]) -> Sha256 {
    let Digest::Sha256(sha256) = Digest::of(bytes) else { unreachable!("it is what `of` makes") };
    Sha256(sha256)
}

/// A home and the server of its inputs.
pub struct World {
    pub kimg: Kimg,
    pub server: Server,
}

impl World {
    fn write(&self, material: &Material) {
        for (family, version, text, created) in [
            ("base", "1", &material.base, BASE_CREATED),
            ("app", "1.0", &material.app, APP_CREATED),
            ("other", "1", &material.other, APP_CREATED),
        ] {
            self.kimg.write(&format!("images/{family}/image.toml"), text);
            // A definition that cannot be read has no digest, and no build gets as far as its lock.
            let Ok(definition) = definition::parse(text, "image.toml") else { continue };
            let lock = Lock {
                format: lock::FORMAT,
                image: format!("{family}:{version}"),
                created: created.to_owned(),
                definition: lock::definition_digest(&definition),
                debian: None,
                archive: None,
                below: None,
                inputs: material.inputs(&self.server, family),
                absent: Vec::new(),
                outputs: Vec::new(),
            };
            self.kimg.write(&format!("images/{family}/{version}.lock.toml"), &lock::to_text(&lock));
        }
        self.kimg.write("images/keys/app.asc", &material.keys);
        self.kimg.write("images/app/launchers", "# name and what it starts\nstart.sh demo.Main\nadmin.sh demo.Admin\n");
        self.kimg.write("images/app/config/app.properties", "level = 1\n");
    }

    /// Has the program write the outputs of all locks.
    pub fn lock(&self) {
        self.lock_families(&["base", "app", "other"]);
    }

    fn lock_families(&self, families: &[&str]) {
        for family in families {
            let output = self.kimg.output(&["lock", family, "--images", "images"]);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Changes a lock.
    pub fn edit_lock(&self, path: &str, change: impl FnOnce(&mut Lock)) {
        let path = self.kimg.home().join("images").join(path);
        let mut lock = lock::parse(&std::fs::read_to_string(&path).unwrap(), "lock").unwrap();
        change(&mut lock);
        std::fs::write(path, lock::to_text(&lock)).unwrap();
    }

    /// The arguments of a build.
    pub fn build<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&["build", "--images", "images"], more].concat()
    }

    /// Builds, which must succeed; the standard output.
    pub fn built(&self, more: &[&str]) -> String {
        let output = self.kimg.output(&self.build(more));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The store.
    pub fn store(&self) -> std::path::PathBuf {
        self.kimg.home().join(".local/share/kimg")
    }
}

/// Checks that nothing in a store is torn: what has a final name has its digest, nothing is under way, and the index
/// names these images and no others.
pub fn assert_sound(store: &Path, names: &[&str]) {
    for folder in ["blobs/sha256", "cache/downloads/sha256"] {
        for name in tree(&store.join(folder)) {
            let bytes = std::fs::read(store.join(folder).join(&name)).unwrap();
            assert_eq!(Digest::of(&bytes).hex(), name, "{folder}");
        }
    }
    assert_eq!(tree(&store.join("cache/tmp")), [""; 0]);
    let named = kimg::store::Store::open(store).unwrap().names().unwrap();
    assert_eq!(named.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), names);
}

/// What stands below a folder, sorted: paths from there.
#[allow(clippy::disallowed_methods, reason = "sorted below")]
pub fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in next.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}
