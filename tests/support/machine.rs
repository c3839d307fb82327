//! Machines of tests: their files stand in a folder, and what is passed over is kept.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::io::{Cursor, Write};

use kimg::lock::Upstream;
use kimg::net::Base;
use kimg::upstream::hosts::Machine;

use super::network::Recorder;

/// A machine whose files stand in a folder.
pub struct World {
    pub folder: tempfile::TempDir,
    pub machine: Machine,
    pub recorder: Recorder,
}

impl World {
    /// An empty machine.
    pub fn new() -> World {
        let (folder, recorder) = (tempfile::tempdir().unwrap(), Recorder::default());
        let machine = Machine {
            root: folder.path().to_owned(),
            home: Some(folder.path().join("home")),
            events: recorder.events(),
            ..Machine::default()
        };
        World { folder, machine, recorder }
    }

    /// With a file at a path below the root; the user's home is `home`.
    pub fn with(self, path: &str, bytes: impl AsRef<[u8]>) -> World {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// The bases of a kind, without a lock's time.
    pub fn bases(&self, upstream: Upstream) -> Vec<Base> {
        self.machine.bases(upstream, None)
    }

    /// Their URLs.
    pub fn urls(&self, upstream: Upstream) -> Vec<String> {
        self.bases(upstream).into_iter().map(|base| base.url).collect()
    }

    /// What was passed over, without the folder.
    pub fn told(&self) -> Vec<String> {
        let root = format!("{}/", self.folder.path().display());
        self.recorder.texts().into_iter().map(|text| text.replace(&root, "")).collect()
    }
}

/// What Maven's URLs are without the one that is built in, which is the last.
pub fn without_public(mut bases: Vec<Base>) -> Vec<Base> {
    assert_eq!(bases.pop().unwrap().origin, "built in");
    bases
}

/// The URLs of bases.
pub fn urls(bases: &[Base]) -> Vec<&str> {
    bases.iter().map(|base| base.url.as_str()).collect()
}

/// User and password of a base.
pub fn credentials(base: &Base) -> Option<(&str, &str)> {
    base.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
}

/// A settings.xml with these elements.
pub fn settings(inner: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<settings xmlns=\"http://maven.example/SETTINGS/1.2.0\">{inner}</settings>")
}

/// The element `mirrors` with one, `near`.
pub fn mirror(of: &str, url: &str) -> String {
    format!("<mirrors><mirror><id>near</id><mirrorOf>{of}</mirrorOf><url>{url}</url></mirror></mirrors>")
}

/// A POM whose repository `central` is at `url`.
pub fn super_pom(url: &str) -> String {
    format!(
        "<project xmlns=\"http://maven.example/POM/4.0.0\"><repositories>\
         <repository><id>other</id><url>https://other.example/</url></repository>\
         <repository><id>central</id><url>{url}</url></repository></repositories></project>"
    )
}

/// The member of a jar that holds the super POM.
pub const POM: &str = "org/apache/maven/model/pom-4.0.0.xml";

/// `lib/maven-model-builder-3.8.7.jar` with this member.
pub fn jar(member: &str, text: &[u8]) -> Vec<u8> {
    let mut jar = zip::ZipWriter::new(Cursor::new(Vec::new()));
    jar.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
    jar.write_all(text).unwrap();
    jar.finish().unwrap().into_inner()
}
