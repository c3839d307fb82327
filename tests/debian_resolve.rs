//! Looking packages up in a Debian archive: what its signed files say, and nothing else.

#[path = "support/debian_archive.rs"]
mod debian_archive;
#[path = "support/network.rs"]
mod network;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use debian_archive::{DATE_IN_LOCKS, Package, Suite};
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::lock::{self, DebianRelease, DebianState, Input, Sha256, Upstream};
use kimg::net::NetError;
use kimg::oci::Platform;
use kimg::upstream::debian::{self, DebianError, Request};
use kimg::upstream::hosts::Machine;
use kimg::upstream::openpgp::{Keyring, OpenPgpError};
use openpgp::{How, Key, SIGNED, sign_cleartext_by};
use pgp::packet::SignatureType;
use server::{Fault, Server};

const SUITES: [&str; 3] = ["bookworm", "bookworm-updates", "bookworm-security"];

/// An archive with a security archive beside it, and who asks there.
struct World {
    server: Server,
    key: Key,
    folder: tempfile::TempDir,
}

/// What is asked for.
struct Question<'a> {
    suites: &'a [&'a str],
    platforms: &'a [&'a str],
    packages: &'a [&'a str],
    before: Option<DebianState>,
    now: &'a str,
}

impl Default for Question<'_> {
    fn default() -> Self {
        let platforms = &["linux/amd64", "linux/arm64"];
        Question { suites: &SUITES[..1], platforms, packages: &["bash"], before: None, now: "2026-11-22T00:00:00Z" }
    }
}

type Answer = Result<(Vec<Input>, DebianState), DebianError>;

impl World {
    fn new() -> World {
        World { server: Server::start(), key: Key::new("Archive"), folder: tempfile::tempdir().unwrap() }
    }

    /// Serves the suites where they belong.
    fn with(self, suites: &[&Suite]) -> World {
        for suite in suites {
            let root = if suite.name.ends_with("-security") { "/debian-security" } else { "/debian" };
            suite.publish(&self.server, root, &self.key);
        }
        self
    }

    fn machine(&self) -> Machine {
        let at = |kind: Upstream| (kind, format!("{}{}", self.server.url(), kind.name()));
        let flags = vec![at(Upstream::Debian), at(Upstream::DebianSecurity)];
        Machine { flags, root: self.folder.path().to_owned(), ..Machine::default() }
    }

    async fn ask(&self, question: Question<'_>) -> Answer {
        self.ask_at(&self.machine(), question).await
    }

    async fn ask_at(&self, machine: &Machine, question: Question<'_>) -> Answer {
        let platforms: Vec<Platform> = question.platforms.iter().map(|platform| platform.parse().unwrap()).collect();
        let packages: Vec<_> = question.packages.iter().map(|name| ((*name).to_owned(), "layer".to_owned())).collect();
        let request = Request {
            suites: question.suites,
            platforms: &platforms,
            packages: &packages,
            before: question.before.as_ref(),
            now: lock::seconds(question.now).unwrap(),
        };
        let keys = Keyring::from_keys_file(self.key.armored().as_bytes()).unwrap();
        debian::resolve(&request, machine, &network::client(), &keys).await
    }

    async fn refused(&self, question: Question<'_>) -> DebianError {
        self.ask(question).await.unwrap_err()
    }
}

fn bash(version: &str, architecture: &str) -> Package {
    Package::new("bash", version, architecture, format!("bash {version} {architecture}"))
}

fn input(package: &Package, upstream: Upstream, platform: Option<&str>) -> Input {
    let Digest::Sha256(sha256) = Digest::of(&package.deb) else { unreachable!("digests are SHA-256") };
    Input {
        layer: "layer".to_owned(),
        name: package.name.clone(),
        upstream,
        platform: platform.map(str::to_owned),
        path: package.path(),
        size: package.deb.len() as u64,
        sha256: Sha256(sha256),
        member: None,
        url: None,
        signature: None,
    }
}

/// A state of a lock in which `suite` was of `date`.
fn state(suite: &str, date: &str) -> Option<DebianState> {
    let release = DebianRelease { suite: suite.to_owned(), date: date.to_owned() };
    Some(DebianState { snapshot: "20260101T000000Z".to_owned(), releases: vec![release] })
}

#[tokio::test]
async fn the_newest_version_among_the_suites_wins_wherever_it_stands() {
    let [old, point, fix] = ["5.2-9", "5.2-10", "5.2-10+deb12u1"].map(|version| bash(version, "amd64"));
    let (arm, late) = (bash("5.2-10", "arm64"), Package::new("zlib1g", "1:1.2-1~deb12u1", "amd64", "zlib"));
    let late_arm = Package { architecture: "arm64".into(), ..late.clone() };
    let stable = Suite::new("bookworm").with(&point).with(&arm).with(&late).with(&late_arm);
    let updates = Suite { date: "Sun, 1 Nov 2026 23:00:00 UTC".into(), ..Suite::new("bookworm-updates") }.with(&old);
    let security = Suite { date: "Sun, 22 Nov 2026 01:02:03 +0000".into(), ..Suite::new("bookworm-security") };
    let world = World::new().with(&[&stable, &updates, &security.with(&fix)]);
    let question = Question { suites: &SUITES, packages: &["zlib1g", "bash"], ..Question::default() };
    let (inputs, state) = world.ask(question).await.unwrap();
    let expected = [
        input(&late, Upstream::Debian, Some("linux/amd64")),
        input(&late_arm, Upstream::Debian, Some("linux/arm64")),
        input(&fix, Upstream::DebianSecurity, Some("linux/amd64")),
        input(&arm, Upstream::Debian, Some("linux/arm64")),
    ];
    assert_eq!(inputs, expected);
    // The snapshot is that of the newest Release.
    assert_eq!(state.snapshot, "20261122T010203Z");
    let dates: Vec<_> = state.releases.iter().map(|one| (one.suite.as_str(), one.date.as_str())).collect();
    let expected = [
        ("bookworm", DATE_IN_LOCKS),
        ("bookworm-updates", "2026-11-01T23:00:00Z"),
        ("bookworm-security", "2026-11-22T01:02:03Z"),
    ];
    assert_eq!(dates, expected);
}

#[tokio::test]
async fn of_one_version_in_two_suites_the_first_is_taken() {
    let package = bash("5.2-1", "amd64");
    let suites = ["bookworm", "bookworm-security"].map(|name| Suite::new(name).with(&package));
    let world = World::new().with(&[&suites[0], &suites[1]]);
    let question = Question { suites: &[SUITES[0], SUITES[2]], platforms: &["linux/amd64"], ..Question::default() };
    let (inputs, _) = world.ask(question).await.unwrap();
    assert_eq!(inputs, [input(&package, Upstream::Debian, Some("linux/amd64"))]);
}

#[tokio::test]
async fn a_package_for_all_architectures_is_one_input() {
    let package = bash("5.2-1", "all");
    let world = World::new().with(&[&Suite::new("bookworm").with(&package)]);
    let (inputs, _) = world.ask(Question::default()).await.unwrap();
    assert_eq!(inputs, [input(&package, Upstream::Debian, None)]);
}

#[tokio::test]
async fn a_package_for_all_that_is_newer_for_one_platform_is_an_input_of_each() {
    let (old, new) = (bash("5.2-1", "all"), bash("5.2-2", "all"));
    let suite = Suite::new("bookworm").with(&old).with_text("arm64", &new.stanza());
    let (inputs, _) = World::new().with(&[&suite]).ask(Question::default()).await.unwrap();
    let expected =
        [input(&old, Upstream::Debian, Some("linux/amd64")), input(&new, Upstream::Debian, Some("linux/arm64"))];
    assert_eq!(inputs, expected);
}

#[tokio::test]
async fn only_what_is_needed_is_asked_for_and_by_hash_where_the_archive_has_it() {
    for by_hash in [true, false] {
        let suite = Suite { by_hash, ..Suite::new("bookworm").with(&bash("5.2-1", "amd64")) };
        let world = World::new().with(&[&suite]);
        world.ask(Question { platforms: &["linux/amd64"], ..Question::default() }).await.unwrap();
        let asked: Vec<String> = world.server.requests().into_iter().map(|request| request.path).collect();
        let packages = format!("/debian/{}", suite.packages_path("amd64"));
        assert_eq!(packages.contains("/by-hash/SHA256/"), by_hash);
        assert_eq!(asked, ["/debian/dists/bookworm/InRelease", &packages]);
    }
}

#[tokio::test]
async fn one_of_several_signatures_is_enough() {
    let suite = Suite::new("bookworm").with(&bash("5.2-1", "all"));
    let world = World::new().with(&[&suite]);
    let how = How { kind: SignatureType::Text, ..How::default() };
    let signers = [(&Key::new("Yesterday's"), how.clone()), (&world.key, how)];
    world.server.put("/debian/dists/bookworm/InRelease", sign_cleartext_by(&suite.release(), &signers));
    world.ask(Question::default()).await.unwrap();
}

#[tokio::test]
async fn a_release_that_no_key_of_ours_signed_well_is_refused() {
    let suite = Suite::new("bookworm").with(&bash("5.2-1", "all"));
    let path = "/debian/dists/bookworm/InRelease";
    let world = World::new().with(&[&suite]);
    let good = world.key.sign_cleartext(&suite.release());
    for (document, says) in [
        (Key::new("Eve").sign_cleartext(&suite.release()), "not among those that kimg trusts"),
        (good.replace("Origin: Tests", "Origin: Eve"), "does not fit its bytes"),
        (format!("Codename: evil\n{good}"), "cannot be read"),
        (good[..good.len() - 60].to_owned(), "cannot be read"),
        (suite.release(), "cannot be read"),
        ("<html>please log in</html>".to_owned(), "cannot be read"),
    ] {
        world.server.put(path, document);
        let before = world.server.requests().len();
        let error = world.refused(Question::default()).await;
        assert!(matches!(error, DebianError::OpenPgp(_)), "{error}");
        assert!(
            error.to_string().starts_with("InRelease of bookworm: ") && error.to_string().contains(says),
            "{error}"
        );
        assert_eq!((error.category(), error.hint().is_some()), (Category::Verification, true));
        // Nothing that it names is asked for.
        assert_eq!(world.server.requests().len(), before + 1);
    }
}

#[tokio::test]
async fn a_key_that_was_revoked_or_had_expired_signs_no_release() {
    let suite = Suite::new("bookworm").with(&bash("5.2-1", "all"));
    let key = Key::new("Archive");
    for key in [key.clone().revoked(None, SIGNED), key.expiring(openpgp::CREATED, Some(SIGNED))] {
        let world = World { key, ..World::new() }.with(&[&suite]);
        let error = world.refused(Question::default()).await;
        assert!(matches!(error, DebianError::OpenPgp(OpenPgpError::Key { .. })), "{error}");
    }
}

#[tokio::test]
async fn a_release_of_another_suite_is_refused() {
    let other = Suite { codename: "trixie".into(), ..Suite::new("bookworm").with(&bash("5.2-1", "all")) };
    let error = World::new().with(&[&other]).refused(Question::default()).await;
    assert_eq!(error.to_string(), "InRelease of bookworm: it is the Release of `trixie`");
    assert_eq!(error.category(), Category::Verification);
}

#[tokio::test]
async fn a_release_beyond_its_time_is_refused() {
    let until = Some("Sun, 22 Nov 2026 00:00:00 UTC".to_owned());
    let suite = Suite { valid_until: until, ..Suite::new("bookworm").with(&bash("5.2-1", "all")) };
    let world = World::new().with(&[&suite]);
    world.ask(Question { now: "2026-11-22T00:00:00Z", ..Question::default() }).await.unwrap();
    let error = world.refused(Question { now: "2026-11-22T00:00:01Z", ..Question::default() }).await;
    assert!(
        matches!(&error, DebianError::Expired { suite, until } if suite == "bookworm" && until == "2026-11-22T00:00:00Z")
    );
    assert_eq!(error.category(), Category::Verification);
    assert!(error.hint().unwrap().contains("--mirror debian"));
}

#[tokio::test]
async fn a_release_older_than_that_of_the_lock_is_refused() {
    let world = World::new().with(&[&Suite::new("bookworm").with(&bash("5.2-1", "all"))]);
    for (before, accepted) in [
        (state("bookworm", DATE_IN_LOCKS), true),
        (state("bookworm", "2026-01-01T00:00:00Z"), true),
        (state("bookworm-updates", "2027-01-01T00:00:00Z"), true),
        (state("bookworm", "2026-11-21T08:12:35Z"), false),
    ] {
        let answer = world.ask(Question { before: before.clone(), ..Question::default() }).await;
        let Err(error) = answer else {
            assert!(accepted, "{before:?}");
            continue;
        };
        assert!(!accepted && matches!(error, DebianError::Older { .. }), "{error}");
        let text =
            "bookworm: its Release is of 2026-11-21T08:12:34Z, older than that of 2026-11-21T08:12:35Z in the lock";
        assert_eq!((error.to_string().as_str(), error.category()), (text, Category::Verification));
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn packages_that_are_not_the_ones_of_the_release_are_refused() {
    let suite = Suite::new("bookworm").with(&bash("5.2-1", "all"));
    let path = format!("/debian/{}", suite.packages_path("amd64"));
    let world = World::new().with(&[&suite]);
    let (_, mut bytes) = suite.packages("amd64");
    *bytes.last_mut().unwrap() ^= 1;
    for other in [bytes, b"<html>please log in</html>".to_vec(), Vec::new()] {
        world.server.faults(&path, [Fault::Bytes(other)]);
        let error = world.refused(Question::default()).await;
        assert!(matches!(error, DebianError::Mismatch { .. }), "{error}");
        assert!(
            error.to_string().starts_with("main/binary-amd64/Packages.xz of bookworm: expected sha256:"),
            "{error}"
        );
        assert_eq!((error.category(), error.hint().is_some()), (Category::Verification, true));
    }
    // More bytes than the Release says are not even read.
    world.server.faults(&path, [Fault::Bytes(vec![0; 1 << 20])]);
    let error = world.refused(Question { platforms: &["linux/amd64"], ..Question::default() }).await;
    assert!(matches!(error, DebianError::Net(NetError::Unavailable { .. })), "{error}");
    assert!(error.to_string().contains("more than "), "{error}");
}

#[tokio::test]
async fn packages_that_are_no_xz_file_are_refused_though_they_are_signed() {
    let suite = Suite::new("bookworm");
    let world = World::new();
    let junk = b"no xz file";
    let release = format!(
        "Codename: bookworm\nDate: {}\nSHA256:\n {} {} main/binary-amd64/Packages.xz\n",
        debian_archive::DATE,
        Digest::of(junk).hex(),
        junk.len()
    );
    world.server.put("/debian/dists/bookworm/InRelease", world.key.sign_cleartext(&release));
    world.server.put("/debian/dists/bookworm/main/binary-amd64/Packages.xz", junk);
    let error = world.refused(Question { platforms: &["linux/amd64"], ..Question::default() }).await;
    assert!(matches!(error, DebianError::Malformed { .. }), "{error}");
    // An architecture that the archive does not have.
    suite.publish(&world.server, "/debian", &world.key);
    let error = world.refused(Question { platforms: &["linux/riscv64"], ..Question::default() }).await;
    assert_eq!(error.to_string(), "main/binary-riscv64/Packages.xz of bookworm: the archive does not have it");
    assert_eq!((error.category(), error.hint().is_some()), (Category::NotFound, true));
}

#[tokio::test]
async fn a_package_that_is_missing_is_told_with_the_nearest_names() {
    let names = ["openjdk-17-jre-headless", "openjdk-17-jre", "bash"];
    let suites = ["bookworm", "bookworm-security"].map(|name| {
        names.iter().fold(Suite::new(name), |suite, name| suite.with(&Package::new(name, "1", "all", *name)))
    });
    let world = World::new().with(&[&suites[0], &suites[1]]);
    let suites = [SUITES[0], SUITES[2]];
    let asked = Question { suites: &suites, packages: &["bash", "openjdk-17-jre-headles"], ..Question::default() };
    let error = world.refused(asked).await;
    let text = "package openjdk-17-jre-headles: none of bookworm, bookworm-security has it for amd64";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.category(), Category::NotFound);
    assert_eq!(error.hint().unwrap(), "did you mean openjdk-17-jre-headless or openjdk-17-jre?");

    let error = world.refused(Question { packages: &["zzz"], ..Question::default() }).await;
    assert_eq!(error.hint(), None);
}

#[tokio::test]
async fn a_package_of_one_architecture_is_missing_for_the_other() {
    let world = World::new().with(&[&Suite::new("bookworm").with(&bash("5.2-1", "amd64"))]);
    let error = world.refused(Question::default()).await;
    assert_eq!(error.to_string(), "package bash: none of bookworm has it for arm64");
}

#[tokio::test]
async fn a_suite_that_is_missing_is_told() {
    let world = World::new();
    let error = world.refused(Question::default()).await;
    assert_eq!(error.to_string(), "dists/bookworm/InRelease: the archive does not have it");
    assert_eq!((error.category(), error.hint().is_some()), (Category::NotFound, true));
}

#[tokio::test]
async fn a_machine_that_knows_no_archive_is_told_so() {
    let world = World::new();
    let machine = Machine { root: world.folder.path().to_owned(), ..Machine::default() };
    let error = world.ask_at(&machine, Question::default()).await.unwrap_err();
    assert!(matches!(error, DebianError::Net(NetError::Nowhere { .. })), "{error}");
    assert!(error.hint().unwrap().contains("--mirror"));
    assert!(world.server.requests().is_empty());
}

#[tokio::test]
async fn a_mirror_that_lacks_a_file_is_passed_over() {
    let suite = Suite::new("bookworm").with(&bash("5.2-1", "all"));
    let (empty, world) = (Server::start(), World::new().with(&[&suite]));
    let mut machine = world.machine();
    machine.flags.insert(0, (Upstream::Debian, empty.url()));
    world.ask_at(&machine, Question::default()).await.unwrap();
    assert_eq!(empty.requests().len(), 3);
}

#[tokio::test]
async fn stanzas_that_are_damaged_or_lead_outside_are_refused() {
    let good = bash("5.2-1", "amd64").stanza();
    for (right, wrong) in [
        ("pool/main", "pool/../../etc"),
        ("pool/main", "/pool"),
        ("pool/main", "pool//main"),
        ("pool/main", "./pool"),
        ("pool/main", "pool/%2e%2e/main"),
        ("pool/main", "pool?main"),
        ("Filename:", "File:"),
        ("Version:", "Vorsion:"),
        ("SHA256:", "MD5sum:"),
        ("SHA256: ", "SHA256: 0"),
        ("Size: ", "Size: -"),
        ("\nSize:", "\nSizes:"),
    ] {
        let stanza = good.replace(right, wrong);
        assert_ne!(stanza, good);
        let suite = Suite::new("bookworm").with_text("amd64", &stanza);
        let world = World::new().with(&[&suite]);
        let question = || Question { platforms: &["linux/amd64"], ..Question::default() };
        let error = world.refused(question()).await;
        let text = "Packages of bookworm: the stanza of package `bash` lacks a field or has a wrong one";
        assert_eq!((error.to_string().as_str(), error.category()), (text, Category::Verification), "{wrong}");
        // What nobody asked for harms nobody.
        let suite = suite.with(&Package::new("dash", "1", "amd64", "dash"));
        let world = World::new().with(&[&suite]);
        world.ask(Question { packages: &["dash"], ..question() }).await.unwrap();
    }
}

#[tokio::test]
async fn releases_that_are_signed_but_make_no_sense_are_refused() {
    let good = Suite::new("bookworm").with(&bash("5.2-1", "all")).release();
    let world = World::new();
    for (right, wrong, says) in [
        ("Date: ", "Dated: ", "it has no Date"),
        ("2026 08", "2026, 08", "is no time"),
        ("SHA256:", "SHA1:", "it has no SHA256 list"),
        (" main/binary-amd64/", " ", "main/binary-amd64/Packages.xz of bookworm: the archive does not have it"),
    ] {
        let release = good.replace(right, wrong);
        assert_ne!(release, good);
        world.server.put("/debian/dists/bookworm/InRelease", world.key.sign_cleartext(&release));
        let error = world.refused(Question::default()).await.to_string();
        assert!(error.contains(says), "{error}");
    }
}
