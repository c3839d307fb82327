//! Archives that no publisher would make: each is refused by name, and nothing of it is left in the store.

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/command.rs"]
mod command;
#[path = "support/deb.rs"]
mod deb;
#[path = "support/openpgp.rs"]
mod openpgp;
#[path = "support/server.rs"]
mod server;

use catalog::{Jar, Material, assert_sound, jar};
use deb::{Packing, Raw, Tar};
use kimg::lock::Upstream;

/// What building the image says, whose store must be sound and without a name.
fn refusal(what: &str, material: &Material, image: &str) -> String {
    let world = material.serve();
    let said = world.kimg.run(&world.build(&[image, "-q"]));
    assert_sound(&world.store(), &[]);
    assert!(!said.contains("exit code: 0"), "{what}: {said}");
    format!("{what}:\n{}", said.split_once('\n').unwrap().1)
}

/// The same for a package with more entries.
fn with(what: &str, package: &str, change: impl FnOnce(Tar) -> Tar) -> String {
    refusal(what, &Material::new().with(package, change), "other")
}

#[test]
fn paths_and_links_that_lead_out() {
    let said = [
        with("climbs", "files", |tar| tar.file("../x", b"")),
        with("climbs in the midst", "files", |tar| tar.file("./etc/../../x", b"")),
        with("absolute", "files", |tar| tar.file("/etc/x", b"")),
        with("a link that climbs out", "files", |tar| tar.symlink("./etc/x", "../../x")),
        with("a link to nothing", "files", |tar| tar.symlink("./etc/x", "")),
        with("a hard link that climbs", "files", |tar| tar.hardlink("./etc/x", "../etc/tool.conf")),
        with("a hard link to an absolute path", "files", |tar| tar.hardlink("./etc/x", "/etc/tool.conf")),
        with("a hard link to what is not there", "files", |tar| tar.hardlink("./etc/x", "./etc/absent")),
        with("a hard link to a folder", "files", |tar| tar.hardlink("./etc/x", "./etc")),
        with("a hard link to another package", "library", |tar| tar.hardlink("./etc/x", "./etc/tool.conf")),
        with("a hard link to what is left out", "files", |tar| {
            tar.hardlink("./etc/x", "./usr/share/doc/files/changes")
        }),
        with("through its own link", "files", |tar| tar.symlink("./etc/alt", "/opt").file("./etc/alt/x", b"")),
        with("through its own file", "files", |tar| tar.file("./etc/tool.conf/x", b"")),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn packages_that_do_not_go_together() {
    let through = Material::new().with("files", |tar| tar.symlink("./usr/lib/y", "x"));
    let through = through.with("library", |tar| tar.folder("./usr/lib/y/").file("./usr/lib/y/z", b""));
    let below = Material::new().with("files", |tar| tar.symlink("./usr/lib/y", "x"));
    let below = below.with("library", |tar| tar.file("./lib/y/z", b""));
    let same_link = Material::new().with("library", |tar| tar.symlink("./usr/bin/near", "another"));
    let said = [
        with("a clash after usrmerge", "library", |tar| tar.file("./usr/bin/tool", b"other")),
        with("a clash of equal files", "library", |tar| tar.file("./etc/tool.conf", b"a = 1\n")),
        with("a file where a folder is", "library", |tar| tar.file("./usr/share/demo", b"")),
        with("a folder where a file is", "library", |tar| tar.folder("./etc/tool.conf/")),
        refusal("a folder where a link is", &through, "other"),
        refusal("through a link of another package", &below, "other"),
        refusal("links to two places", &same_link, "other"),
        with("a file that a rule makes too", "library", |tar| tar.file("./etc/passwd", b"")),
        with("a file where the definition has a link", "library", |tar| tar.file("./usr/bin/alternative", b"")),
        with("twice in one package", "files", |tar| tar.file("./etc/tool.conf", b"")),
        with("a folder and a file in one package", "files", |tar| tar.file("./etc", b"")),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn kinds_and_names_that_no_layer_may_hold() {
    let kind = |what: &str, kind: u8| with(what, "files", |tar| tar.raw(&Raw::new(kind, "./dev/x"), b""));
    let said = [
        kind("a character device", b'3'),
        kind("a block device", b'4'),
        kind("a pipe", b'6'),
        kind("a sparse file", b'S'),
        kind("a kind that nobody knows", b'Z'),
        with("a whiteout", "files", |tar| tar.file("./usr/.wh.bin", b"")),
        with("an opaque folder", "files", |tar| tar.file("./usr/.wh..wh..opq", b"")),
        with("an escape in a name", "files", |tar| tar.file("../\x1b[31mred", b"")),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn sizes_that_are_not_true() {
    let sized = |what: &str, size: u64, content: &[u8]| {
        with(what, "files", |tar| tar.raw(&Raw { size, ..Raw::new(b'0', "./etc/x") }, content))
    };
    let mut control = Material::new();
    // Seventeen MiB of one letter: some KiB of xz.
    control.deb("files").more = format!("X: {}\n", "x".repeat(17 << 20));
    let said = [
        sized("a bomb by what it declares", 5 << 30, b""),
        sized("more than there is", 100_000, b"short"),
        sized("less than there is", 3, &[b'x'; 2000]),
        refusal("a bomb of control data", &control, "other"),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn jars_that_are_none() {
    let product = |what: &str, bytes: Vec<u8>| {
        let mut material = Material::new();
        material.jars.retain(|jar| jar.layer != "product");
        material.jars.push(Jar { family: "app", layer: "product", name: "app-1.0.jar", bytes, signature: None });
        refusal(what, &material, "app")
    };
    let whole = jar(&[("LICENSE", b"a licence"), ("other", b"x")]);
    let said = [
        product("no zip", b"<html>please log in</html>".to_vec()),
        product("empty", Vec::new()),
        product("cut", whole[..whole.len() - 30].to_vec()),
        product("without the member", jar(&[("LICENCE", b"misspelt")])),
        product("a member that is a bomb", jar(&[("LICENSE", &vec![b' '; (4 << 20) + 1])])),
        product("a member that is damaged", {
            let at = whole.windows(9).position(|window| window == b"a licence").unwrap();
            [&whole[..at], b"A LICENCE", &whole[at + 9..]].concat()
        }),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn damaged_debs_are_told_by_package() {
    let mut odd = Material::new();
    odd.deb("library").format = "3.0\n".to_owned();
    let mut no_passwd = Material::new();
    no_passwd.base = no_passwd.base.replace("accounts/passwd.master", "accounts/absent");
    let twice = Material::new().with("library", |tar| tar.file("./usr/share/accounts/passwd.master", b"x\n"));
    let mut not_accounts = Material::new();
    not_accounts.base =
        not_accounts.base.replace("from = \"usr/share/accounts/passwd.master\"", "from = \"etc/tool.conf\"");
    let mut no_certificate = Material::new();
    no_certificate.base = no_certificate.base.replace("**/*.crt", "**/notes");
    let mut other_upstream = Material::new();
    other_upstream.debs[2].1 = Upstream::Maven;
    let said = [
        refusal("another format", &odd, "other"),
        refusal("a rule without its file", &no_passwd, "other"),
        refusal("a master file in two packages", &twice, "other"),
        refusal("a master file that is none", &not_accounts, "other"),
        refusal("certificates that are none", &no_certificate, "other"),
        refusal("a jar in a layer without a folder for it", &other_upstream, "other"),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn setuid_bits_are_stripped_and_listed() {
    let material = Material::new().with("files", |tar| {
        tar.file_of("./usr/bin/group", 0o2755, b"")
            .file_of("./usr/bin/sticky", 0o1755, b"")
            .folder_of("./srv/", 0o2775, 0, 5)
    });
    let world = material.serve();
    let output = world.kimg.output(&world.build(&["other", "-v"]));
    let story = String::from_utf8(output.stderr).unwrap();
    let listed: Vec<&str> = story.lines().filter(|line| line.contains("setuid")).collect();
    let lost = |path: &str| format!("layer debian: {path} lost its setuid or setgid bit");
    assert_eq!(listed, [lost("usr/sbin/mount"), lost("usr/bin/group")]);
    assert_sound(&world.store(), &["other:1"]);
}

#[test]
fn every_packing_of_a_package_gives_one_layer() {
    let mut digests = Vec::new();
    for packing in deb::PACKINGS {
        let mut material = Material::new();
        let deb = material.deb("files");
        (deb.control, deb.packing) = (Packing::Xz, packing);
        digests.push(material.serve().built(&["other", "-q"]));
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}
