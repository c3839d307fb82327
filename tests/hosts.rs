//! Where hosts come from: their order, apt's sources, and what is told and shown. Maven's files are in `hosts_maven`.

#[path = "support/machine.rs"]
mod machine;
#[path = "support/network.rs"]
mod network;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kimg::lock::Upstream::{Debian, DebianSecurity, Maven};
use kimg::upstream::hosts::Machine;
use machine::{POM, World, credentials, jar, mirror, settings, super_pom, urls, without_public};

/// The sources that apt reads in its old format.
fn one_line(text: &str) -> World {
    World::new().with("etc/apt/sources.list", text)
}

/// The sources that apt reads in its new format.
fn deb822(text: &str) -> World {
    World::new().with("etc/apt/sources.list.d/debian.sources", text)
}

#[test]
fn all_places_are_asked_in_their_order_and_each_once() {
    let mut world = World::new()
        .with("home/.m2/settings.xml", settings(&mirror("central", "https://user.example/maven2")))
        .with("etc/maven/settings.xml", settings(&mirror("*", "https://global.example/maven2")))
        .with(
            "usr/share/maven/lib/maven-model-builder-3.8.7.jar",
            jar(POM, super_pom("https://pom.example/m").as_bytes()),
        );
    let flags = ["https://flag.example/1", "https://flag.example/2/", "HTTPS://User.example/maven2/"];
    world.machine.flags = flags.map(|url| (Maven, url.to_owned())).into();
    world.machine.flags.push((Debian, "https://flag.example/debian".to_owned()));
    let listed = |urls: [&str; 2]| (Maven, urls.map(str::to_owned).into());
    world.machine.environment = [listed(["https://environment.example/", "https://flag.example/1"])].into();
    world.machine.config = [listed(["https://config.example/m", "https://environment.example"])].into();

    let bases = without_public(world.bases(Maven));
    let expected = [
        ("https://flag.example/1/", "--mirror"),
        ("https://flag.example/2/", "--mirror"),
        ("https://user.example/maven2/", "--mirror"),
        ("https://environment.example/", "KIMG_MIRROR"),
        ("https://config.example/m/", "the configuration file"),
        ("https://global.example/maven2/", "Maven's settings"),
        ("https://pom.example/m/", "Maven's super POM"),
    ];
    let found: Vec<_> = bases.iter().map(|base| (base.url.as_str(), base.origin.as_str())).collect();
    assert_eq!(found, expected);
    assert!(bases.iter().all(|base| base.credentials.is_none()));
    // Each kind has hosts of its own.
    assert_eq!(world.urls(Debian), ["https://flag.example/debian/"]);
    assert_eq!(world.urls(DebianSecurity), [""; 0]);
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn the_public_service_comes_last() {
    let world = one_line("deb http://mirror.example/debian bookworm main\n");
    let maven = world.bases(Maven);
    assert_eq!((maven.len(), maven[0].origin.as_str()), (1, "built in"));
    // For Debian it is the state of the archives at the lock's time.
    let time = "20261120T123456Z";
    let bases = world.machine.bases(Debian, Some(time));
    assert_eq!((bases.len(), bases[0].url.as_str()), (2, "http://mirror.example/debian/"));
    assert!(bases[1].url.ends_with(&format!("/debian/{time}/")), "{:?}", bases[1]);
    let security = world.machine.bases(DebianSecurity, Some(time));
    assert!(security.len() == 1 && security[0].url.ends_with(&format!("/debian-security/{time}/")), "{security:?}");
    assert_eq!(World::new().urls(Debian), [""; 0]);
}

#[test]
fn apt_in_its_old_format() {
    let world = one_line(
        "# deb http://commented.example/debian bookworm main\n\
         deb http://plain.example/debian bookworm main contrib # with a comment\n\
         \t deb [ arch=amd64 signed-by=/usr/share/keyrings/debian.gpg ] https://options.example/debian/ bookworm-updates main\n\
         deb [trusted=yes] http://plain.example/debian bookworm-updates main\n\
         deb-src http://source.example/debian bookworm main\n\
         deb http://backports.example/debian bookworm-backports main\n\
         deb http://contrib.example/debian bookworm contrib\n\
         deb http://flat.example/debian ./\n\
         deb http://third.example/apt jammy main\n\
         deb http://third.example/linux bookworm stable\n\
         deb http://security.example/debian-security bookworm-security main\n\
         deb http://old.example/debian-security stable/updates main\n\
         deb\n\ndeb [arch=amd64\nnot a source\n",
    );
    assert_eq!(world.urls(Debian), ["http://plain.example/debian/", "https://options.example/debian/"]);
    let security = ["http://security.example/debian-security/", "http://old.example/debian-security/"];
    assert_eq!(world.urls(DebianSecurity), security);
    assert!(world.bases(Debian).iter().all(|base| base.origin == "apt's sources"));
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn apt_in_its_new_format() {
    let world = deb822(
        "# The archive\n\
         Types: deb deb-src\n\
         URIs: http://one.example/debian\n\
         # in two places\n\
         \x20 https://two.example/debian/\n\
         suites: bookworm\n bookworm-updates\n\
         Components: main non-free-firmware\n\
         Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n URIs: http://key.example/\n\
         \n\
         Types: deb\nURIs: http://security.example/debian-security\nSuites: trixie-security\nComponents: main\n\
         \n\
         Enabled: no\nTypes: deb\nURIs: http://disabled.example/debian\nSuites: bookworm\nComponents: main\n\
         \n\
         Types: deb-src\nURIs: http://source.example/debian\nSuites: bookworm\nComponents: main\n\
         \n\
         Types: deb\nURIs: http://third.example/linux\nSuites: bookworm\nComponents: stable\n\
         \n\
         Enabled: yes\nTypes: deb\nURIs: http://both.example/all\nSuites: sid bookworm-security\nComponents: main\n",
    );
    let debian = ["http://one.example/debian/", "https://two.example/debian/", "http://both.example/all/"];
    assert_eq!(world.urls(Debian), debian);
    let security = ["http://security.example/debian-security/", "http://both.example/all/"];
    assert_eq!(world.urls(DebianSecurity), security);
    assert_eq!(world.told(), [""; 0]);
}

#[test]
fn apt_reads_its_files_in_the_order_of_their_names() {
    let deb = |host: &str| format!("deb http://{host}.example/debian bookworm main\n");
    let deb822 = "Types: deb\r\nURIs: http://b.example/debian\r\nSuites: bookworm\r\nComponents: main\r\n";
    let world = one_line(&deb("z"))
        .with("etc/apt/sources.list.d/c.list", deb("c"))
        .with("etc/apt/sources.list.d/b.sources", deb822)
        .with("etc/apt/sources.list.d/a.list", deb("a") + &deb("z"))
        .with("etc/apt/sources.list.d/d.list.save", deb("d"))
        .with("etc/apt/sources.list.d/e.list.d/e.list", deb("e"));
    let expected = ["z", "a", "b", "c"].map(|host| format!("http://{host}.example/debian/"));
    assert_eq!(world.urls(Debian), expected);
}

#[test]
fn apt_sources_of_other_kinds_are_passed_over() {
    let world = one_line(
        "deb mirror+file:/etc/apt/mirrors.txt bookworm main\n\
         deb file:///srv/debian bookworm main\n\
         deb http://host:port/debian bookworm main\n\
         deb http://good.example/debian bookworm main\n\
         deb cdrom:[Debian_GNU/Linux]/ bookworm main\n",
    );
    assert_eq!(world.urls(Debian), ["http://good.example/debian/"]);
    assert_eq!(world.told(), ["etc/apt/sources.list is passed over: a source that is neither http nor https"; 4]);
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let large = "# a comment\n".repeat((4 << 20) / 12 + 1) + "deb http://mirror.example/debian bookworm main\n";
    let entities = "<!DOCTYPE s [<!ENTITY a \"aaaa\">]>";
    let world = one_line(&large)
        .with("etc/apt/sources.list.d", "a file where a folder should be")
        .with("etc/maven/settings.xml", settings("<mirrors>"))
        .with("usr/share/maven/conf/settings.xml", b"<settings>\xff</settings>")
        .with("home/.m2/settings.xml", settings("&a;").replace("<settings", &format!("{entities}<settings")));
    fs::create_dir_all(world.folder.path().join("opt/maven/conf/settings.xml")).unwrap();
    let machine = Machine { maven_home: Some(world.folder.path().join("opt/maven")), ..world.machine.clone() };
    assert_eq!(urls(&without_public(machine.bases(Maven, None))), [""; 0]);
    assert_eq!(machine.bases(Debian, None), []);
    let told = world.told();
    let named = told.iter().map(|text| text.split_once(" is passed over: ").unwrap().0);
    let expected = [
        "home/.m2/settings.xml",
        "opt/maven/conf/settings.xml",
        "usr/share/maven/conf/settings.xml",
        "etc/maven/settings.xml",
        "etc/apt/sources.list",
        "etc/apt/sources.list.d",
    ];
    // Maven's are parsed when all were read.
    assert_eq!(named.collect::<BTreeSet<_>>(), expected.into(), "{told:?}");
    assert_eq!(told.len(), expected.len(), "{told:?}");
}

#[test]
fn secrets_become_credentials_and_are_never_shown() {
    let mut world = one_line("deb https://apt:s%40cret@mirror.example/debian bookworm main\n")
        .with("home/.m2/settings.xml", settings(&mirror("central", "ftp://maven:s%40cret@mirror.example/")));
    world.machine.flags = ["https://flag:s%40cret@mirror.example/m", "mirror.example:s%40cret@"]
        .map(|url| (Maven, url.to_owned()))
        .into();
    world.machine.environment = [(Maven, vec!["http://only-user@mirror.example/n".to_owned()])].into();
    world.machine.config = [(Maven, vec!["http://config:s%40cret@mirror.example/o".to_owned()])].into();
    world.machine.variables = [("SECRET".to_owned(), "s@cret".to_owned())].into();
    let maven = without_public(world.bases(Maven));
    let expected = ["https://mirror.example/m/", "http://mirror.example/n/", "http://mirror.example/o/"];
    assert_eq!(urls(&maven), expected);
    assert_eq!(credentials(&maven[0]), Some(("flag", "s@cret")));
    assert_eq!(credentials(&maven[1]), Some(("only-user", "")));
    let debian = world.bases(Debian);
    assert_eq!(credentials(&debian[0]), Some(("apt", "s@cret")));
    let shown = format!("{maven:?} {debian:?} {:?} {:?}", world.machine, world.told());
    assert!(shown.contains("https://mirror.example/m/") && shown.contains("SECRET"), "{shown}");
    assert!(!shown.contains("cret@") && !shown.contains("s%40cret") && !shown.contains("s@cret"), "{shown}");
    assert_eq!(world.told().len(), 2, "{shown}");
}

#[test]
fn an_empty_machine_is_no_error() {
    let mut world = World::new();
    world.machine = Machine { root: Path::new("/nowhere").into(), home: None, ..world.machine };
    assert_eq!(urls(&without_public(world.bases(Maven))), [""; 0]);
    assert_eq!(world.urls(Debian), [""; 0]);
    assert_eq!(world.told(), [""; 0]);
}
