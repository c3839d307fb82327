//! The release archive as the first upstream of jars: the same image by it and by Maven; whatever is wrong with it is told,
//! and none of its bytes is used then.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/release.rs"]
mod release;
#[path = "support/server.rs"]
mod server;

use catalog::{Material, signer};
use deb::{Packing, Raw, Tar};
use openpgp::{CREATED, How, Key, SIGNED, YEAR};
use pgp::packet::RevocationCode;
use release::{JARS, PATH, Released, release, told};
use server::{Fault, Server};

fn pack(tar: &Tar) -> Vec<u8> {
    Packing::Gzip.pack(&tar.finish())
}

#[test]
fn the_same_image_by_the_archive_and_by_maven() {
    let released = Released::good();
    let before = released.asked_maven();
    let (code, answer, story) = told(&released.build("one", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    let note = format!("app-1.0-bin.tar.gz: 3 files, signed by {}\n", signer().fingerprint());
    assert!(story.contains(&note), "{story}");
    // Two layers need it, and it is asked once; nothing of Maven's is.
    let asked = ["", ".asc"].map(|end| [format!("HEAD /{PATH}{end}"), format!("GET /{PATH}{end}")]).concat();
    assert_eq!(released.asked(), asked);
    assert_eq!(released.asked_maven(), before);
    let (code, answer, story) = told(&released.build("two", &["--source", "maven"]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    assert_eq!(released.asked(), asked);
    assert!(released.asked_maven() > before && !story.contains("app-1.0-bin"), "{story}");
    let before = released.asked_maven();
    let (code, answer, story) = told(&released.build("three", &["--source", "apache"]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    assert_eq!((released.asked().len(), released.asked_maven()), (8, before));
}

#[test]
fn the_archive_is_asked_only_when_something_is_missing() {
    let released = Released::good();
    assert_eq!(told(&released.build("store", &[])).0, Some(0));
    assert_eq!(told(&released.build("store", &[])).0, Some(0));
    // Other layers of the same inputs, the product's by the archive's word for it.
    assert_eq!(told(&released.build("store", &["--compression", "none"])).0, Some(0));
    assert_eq!(released.asked().len(), 4);
    // A jar is gone, the archive is not: only its signature is asked for again.
    let jar = catalog::noise("one-1.1.jar", 5000);
    let downloads = released.world.kimg.home().join("store/cache/downloads");
    std::fs::remove_file(downloads.join("sha256").join(kimg::digest::Digest::of(&jar).hex())).unwrap();
    let (code, answer, _) = told(&released.build("store", &["--compression", "gzip:1"]));
    assert_eq!((code, answer.is_empty()), (Some(0), false));
    assert_eq!(released.asked()[4..], [format!("HEAD /{PATH}.asc"), format!("GET /{PATH}.asc")]);
    let check = released.world.kimg.command(&["store", "check"]).env("KIMG_HOME", "store").output().unwrap();
    assert_eq!(told(&check).0, Some(0));
}

#[test]
fn an_archive_that_is_not_there_is_one_line_and_maven_serves() {
    let released = Released::good();
    let nobody = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        format!("apache=http://{}/", listener.local_addr().unwrap())
    };
    let (code, answer, story) = told(&released.build_by(&nobody, "any", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    let lines: Vec<&str> = story.lines().filter(|line| line.contains("Apache archive")).collect();
    assert!(
        matches!(lines[..], [line] if line.starts_with("the Apache archive cannot be reached: app/1.0/")),
        "{story}"
    );
    assert!(lines[0].ends_with("; Maven serves all"), "{story}");
    let (code, answer, story) = told(&released.build_by(&nobody, "apache", &["--source", "apache"]));
    assert_eq!((code, answer.as_str()), (Some(4), ""), "{story}");
    assert!(story.contains("hint: leave out --source apache, and Maven serves the same files"), "{story}");
    // A host that has no such file.
    let empty = Server::start();
    let (code, answer, story) = told(&released.build_by(&format!("apache={}", empty.url()), "empty", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
}

#[test]
fn a_transfer_that_breaks_off_goes_on() {
    let released = Released::good();
    released.apache.faults(&format!("/{PATH}"), [Fault::None, Fault::CutAfter(700)]);
    let (code, answer, story) = told(&released.build("store", &["--source", "apache"]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    let requests = released.apache.requests_for(&format!("/{PATH}"));
    assert_eq!(requests.last().unwrap().header("range"), Some("bytes=700-"));
}

/// Builds by any upstream, which must give the image and warn, and from the archive only, which must fail.
#[track_caller]
fn is_not_used(released: &Released, says: &str) {
    let number = released.apache.requests().len();
    let (code, answer, story) = told(&released.build(&format!("any {number}"), &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    let start = "warning: the Apache archive is not used: app-1.0-bin.tar.gz: ";
    let warned = story.lines().any(|line| line.starts_with(start) && line.contains(says));
    assert!(warned, "{says}: {story}");
    let (code, answer, story) = told(&released.build(&format!("only {number}"), &["--source", "apache"]));
    assert_eq!((code, answer.as_str()), (Some(3), ""), "{story}");
    assert!(story.contains("\nerror: ") && story.contains(says), "{says}: {story}");
    let vouched = released.world.kimg.home().join(format!("only {number}/cache/records/vouched"));
    assert!(!vouched.exists(), "{says}");
}

#[test]
fn signatures_that_are_not_accepted() {
    let archive = pack(&release(&Material::new().jars));
    let released = Released::new(archive.clone(), None);
    let (code, answer, story) = told(&released.build("any", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    assert!(story.contains("the Apache archive cannot be reached: app/1.0/app-1.0-bin.tar.gz.asc: "), "{story}");
    assert_eq!(told(&released.build("only", &["--source", "apache"])).0, Some(4));
    let sign = |text: &str| released.publish(archive.clone(), Some(text));
    sign(&Key::new("A Stranger").sign(&archive));
    is_not_used(&released, "whose key is not among those");
    sign(&signer().sign(&release(&[]).finish()));
    is_not_used(&released, "does not fit its bytes");
    sign("no signature at all");
    is_not_used(&released, "its signature cannot be read");
    let trust = |keys: &[Key]| {
        let text: Vec<String> = keys.iter().map(Key::armored).collect();
        released.world.kimg.write("images/keys/app.asc", &text.join("\n"));
    };
    // The jar's own signature must still be good where Maven serves, so the archive is signed later.
    let later = How { time: SIGNED + YEAR, ..How::default() };
    sign(&signer().sign_as(&archive, &later));
    trust(&[signer().expiring(CREATED, Some(SIGNED + YEAR / 2))]);
    is_not_used(&released, "had expired when it signed");
    trust(&[signer().revoked(Some(RevocationCode::KeyRetired), SIGNED + YEAR / 2)]);
    is_not_used(&released, "was revoked (KeyRetired)");
    let other = Key::new("Another Manager");
    sign(&other.sign(&archive));
    trust(&[signer(), other]);
    is_not_used(&released, &format!("not by {}", signer().fingerprint()));
}

#[test]
fn bytes_that_are_not_those_of_the_release() {
    let archive = pack(&release(&Material::new().jars));
    let released = Released::new(archive.clone(), Some(&signer().sign(&archive)));
    released.apache.put(&format!("/{PATH}"), pack(&release(&[])));
    is_not_used(&released, "not the pinned bytes");
    let mut bent = archive.clone();
    bent[40] ^= 1;
    released.apache.put(&format!("/{PATH}"), bent);
    is_not_used(&released, "not the pinned bytes (sha512:");
}

#[test]
fn archives_that_no_publisher_would_make() {
    let jars = Material::new().jars;
    let archive = pack(&release(&jars));
    let released = Released::new(archive.clone(), None);
    let evil = [
        (archive[..archive.len() / 2].to_vec(), "the archive is damaged"),
        (b"no archive".to_vec(), "the archive is damaged"),
        (pack(&release(&jars).raw(&Raw::new(b'0', "../evil"), b"x")), "../evil"),
        (pack(&release(&jars).raw(&Raw::new(b'0', "/etc/evil"), b"x")), "/etc/evil"),
        (pack(&release(&jars).symlink("app-1.0/lib", "/etc").file("app-1.0/lib/evil", b"x")), "leads through"),
        (pack(&release(&jars).file(&format!("{JARS}/one-1.1.jar"), b"other")), "it comes twice"),
    ];
    for (archive, says) in evil {
        let signature = signer().sign(&archive);
        released.publish(archive, Some(&signature));
        is_not_used(&released, says);
    }
}

#[test]
fn a_member_that_differs_or_is_missing_comes_from_maven() {
    let mut jars = Material::new().jars;
    jars.iter_mut().find(|jar| jar.name == "app-1.0.jar").unwrap().bytes.push(0);
    jars.retain(|jar| jar.name != "one-1.1.jar");
    let two = jars.iter_mut().find(|jar| jar.name == "two-2.2.jar").unwrap();
    // Of the same size.
    two.bytes[7] ^= 1;
    let archive = pack(&release(&jars));
    let released = Released::new(archive.clone(), Some(&signer().sign(&archive)));
    let (code, answer, story) = told(&released.build("any", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    for line in [
        "app-1.0.jar: app-1.0-bin.tar.gz has other bytes of it than the lock pins; Maven serves it\n",
        "two-2.2.jar: app-1.0-bin.tar.gz has other bytes of it than the lock pins; Maven serves it\n",
        "one-1.1.jar: app-1.0-bin.tar.gz does not have it; Maven serves it\n",
    ] {
        assert!(story.contains(line), "{story}");
    }
    let (code, answer, story) = told(&released.build("only", &["--source", "apache"]));
    assert_eq!((code, answer.as_str()), (Some(3), ""), "{story}");
    assert!(story.contains("has other bytes than the lock pins\nhint: leave out --source apache"), "{story}");
    // One that is missing only is nothing to distrust.
    let jars: Vec<_> = Material::new().jars.into_iter().filter(|jar| jar.name != "one-1.1.jar").collect();
    let archive = pack(&release(&jars));
    released.publish(archive.clone(), Some(&signer().sign(&archive)));
    let (code, _, story) = told(&released.build("less", &["--source", "apache"]));
    assert_eq!(code, Some(5), "{story}");
    assert!(story.contains("error: one-1.1.jar: app/1.0/app-1.0-bin.tar.gz does not have it"), "{story}");
}

#[test]
fn what_vouched_for_a_jar_counts_as_long_as_its_key_does() {
    let released = Released::good();
    assert_eq!(told(&released.build("store", &["--source", "apache"])).0, Some(0));
    let jar = "/maven/example/app/app-1.0.jar.asc";
    let signatures = || released.world.server.requests_for(jar).len();
    let before = signatures();
    let prune = |more: &[&str]| {
        let arguments = [&["store", "prune"], more].concat();
        assert_eq!(
            told(&released.world.kimg.command(&arguments).env("KIMG_HOME", "store").output().unwrap()).0,
            Some(0)
        );
    };
    prune(&[]);
    assert_eq!(told(&released.build("store", &["--source", "maven", "--compression", "none"])).0, Some(0));
    assert_eq!(signatures(), before);
    // A key that was compromised has signed nothing: neither the archive nor the jar.
    let revoked = signer().revoked(Some(RevocationCode::KeyCompromised), SIGNED + YEAR).armored();
    released.world.kimg.write("images/keys/app.asc", &revoked);
    let (code, _, story) = told(&released.build("store", &["--source", "maven", "--compression", "gzip:2"]));
    assert_eq!((code, signatures()), (Some(3), before + 1), "{story}");
    assert!(story.contains("was revoked (KeyCompromised)"), "{story}");
    released.world.kimg.write("images/keys/app.asc", &signer().armored());
    prune(&["--downloads"]);
    assert!(!released.world.kimg.home().join("store/cache/downloads/sha512").join("x").exists());
    let left = catalog::tree(&released.world.kimg.home().join("store/cache/downloads"));
    assert_eq!(left, [""; 0]);
    assert_eq!(catalog::tree(&released.world.kimg.home().join("store/cache/records/vouched")), [""; 0]);
}

#[test]
fn an_archive_that_only_its_digest_vouches_for_vouches_for_no_signed_jar() {
    let released = Released::good();
    released.world.edit_lock("app/1.0.lock.toml", |lock| lock.archive.as_mut().unwrap().signer = None);
    let before = released.asked_maven();
    let (code, answer, story) = told(&released.build("any", &[]));
    assert_eq!((code, answer.as_str()), (Some(0), released.expected.as_str()), "{story}");
    assert!(story.contains("app-1.0-bin.tar.gz: 3 files, known by its digest only\n"), "{story}");
    assert_eq!(released.asked(), [format!("HEAD /{PATH}"), format!("GET /{PATH}")]);
    // The signature of the product's jar.
    assert_eq!(released.asked_maven(), before + 1);
    let (code, _, story) = told(&released.build("only", &["--source", "apache"]));
    assert!(code == Some(5) && story.contains("error: app-1.0.jar.asc: "), "{story}");
}

#[test]
fn locks_name_members_of_an_archive_that_they_name() {
    let released = Released::good();
    let path = released.world.kimg.home().join("images/app/1.0.lock.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let signer = signer().fingerprint();
    for (text, says) in [
        (text.replace(&format!("path = \"{PATH}\""), "path = \"../a\""), "archive: `../a` is not a path"),
        (text.replacen(&signer, "me", 1), "archive: its signer must be a fingerprint"),
        (text.replace(JARS, "app-1.0/.."), "input `one-1.1.jar`: `app-1.0/../one-1.1.jar` is not a path in an archive"),
        (
            text.split("[[output]]").next().unwrap().replace("\"maven\"", "\"apache\"").replace("member", "#"),
            "only an archive",
        ),
    ] {
        let error = kimg::lock::parse(&text, "lock").unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let mut lock = kimg::lock::parse(&text, "lock").unwrap();
    lock.archive = None;
    let error = kimg::lock::parse(&kimg::lock::to_text(&lock), "lock").unwrap_err().to_string();
    assert!(error.contains("it is a member of an archive, and the lock names none"), "{error}");
}

#[test]
fn without_an_archive_in_the_lock_it_cannot_be_the_only_source() {
    let world = Material::new().lock();
    let arguments = world.build(&["other", "--source", "apache"]);
    let (code, _, story) = told(&world.kimg.command(&arguments).env("KIMG_HOME", "new").output().unwrap());
    assert_eq!(code, Some(5), "{story}");
    let says = "error: other-1.jar: its lock names no release archive, and --source apache allows nothing else";
    assert!(story.contains(says), "{story}");
}
