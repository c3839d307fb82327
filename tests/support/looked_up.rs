//! The catalog's base as one whose packages `kimg lock` looks up, in a Debian archive of the test's own. It needs
//! `mod catalog`, `mod deb`, `mod debian_archive`, `mod openpgp` and `mod server` beside it.
#![allow(dead_code, unreachable_pub)]

use crate::catalog::{Material, World};
use crate::deb::{Deb, Tar};
use crate::debian_archive::{Package, Suite};
use crate::openpgp::Key;

/// Has the base name its packages; they are the catalog's.
pub fn name_packages(material: &mut Material) {
    let head = "suites = [\"demo\"]\nkeys = [\"keys/archive.asc\"]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\ndefault = ";
    let base = material.base.replacen("default = ", head, 1);
    let (debian, java) = base.rsplit_once("usrmerge").unwrap();
    let debian = debian.replacen("usrmerge", "packages = [\"files\", \"library\", \"certificates\"]\nusrmerge", 1);
    material.base = format!("{debian}packages = [\"java\"]\nusrmerge{java}");
}

/// A Java of an architecture.
pub fn java(architecture: &str) -> Deb {
    let program = format!("./usr/lib/jvm/java-demo-{architecture}/bin/java");
    Deb::new("java", Tar::new().file_of(&program, 0o755, architecture.as_bytes()))
}

/// Serves the packages in an archive of this date: Java for each architecture, the others for all.
pub fn publish(world: &World, material: &Material, date: &str) {
    let key = Key::new("Archive <archive@mirror.example>");
    world.kimg.write("images/keys/archive.asc", &key.armored());
    suite(material, date).publish(&world.server, "/debian", &key);
}

/// These packages.
pub fn suite(material: &Material, date: &str) -> Suite {
    let all = material.debs.iter().map(|(.., deb)| deb).filter(|deb| deb.name != "java");
    let mut packages: Vec<Package> = all.map(|deb| Package::new(&deb.name, "1.0", "all", deb.bytes())).collect();
    packages.extend(["amd64", "arm64"].map(|own| Package::new("java", "1.0", own, java(own).bytes())));
    let suite = packages.iter().fold(Suite::new("demo"), |suite, package| suite.with(package));
    Suite { date: date.to_owned(), ..suite }
}
