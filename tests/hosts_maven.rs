//! Where hosts come from: Maven's settings, and the super POM of an installed Maven.

#[path = "support/machine.rs"]
mod machine;
#[path = "support/network.rs"]
mod network;

use kimg::lock::Upstream::Maven;
use machine::{POM, World, credentials, jar, mirror, settings, super_pom, urls, without_public};
use proptest::prelude::*;

/// The user's settings.
fn user_settings(inner: &str) -> World {
    World::new().with("home/.m2/settings.xml", settings(inner))
}

#[test]
fn maven_mirrors_of_central() {
    for of in ["central", "*", "external:*", "other, central", "*,!other", "external:* , !other"] {
        let world = user_settings(&mirror(of, "https://near.example/maven2"));
        assert_eq!(urls(&without_public(world.bases(Maven))), ["https://near.example/maven2/"], "{of}");
    }
    for of in ["other", "*,!central", "!central,*", "external:http:*", "", "centrale"] {
        let world = user_settings(&mirror(of, "https://near.example/maven2"));
        assert_eq!(urls(&without_public(world.bases(Maven))), [""; 0], "{of}");
    }
}

#[test]
fn maven_repository_central_of_a_profile_that_is_active() {
    let profile = |id: &str, activation: &str, repository: &str| {
        format!(
            "<profile><id>{id}</id>{activation}<repositories><repository><id>{repository}</id>\
             <url> https://{id}.example/maven2 </url></repository></repositories></profile>"
        )
    };
    let by_default = |value: &str| format!("<activation><activeByDefault>{value}</activeByDefault></activation>");
    let profiles = [
        profile("named", "", "central"),
        profile("sleeping", &by_default("false"), "central"),
        profile("always", &by_default("true"), "central"),
        profile("other", &by_default("true"), "snapshots"),
        profile("global", "", "central"),
    ]
    .concat();
    let named = "<activeProfiles><activeProfile>\n named </activeProfile></activeProfiles>";
    let world = user_settings(&format!("<profiles>{profiles}</profiles>{named}"));
    let expected = ["https://named.example/maven2/", "https://always.example/maven2/"];
    assert_eq!(urls(&without_public(world.bases(Maven))), expected);
    // What one file defines, another may switch on.
    let active = "<activeProfiles><activeProfile>global</activeProfile></activeProfiles>";
    let world = world.with("etc/maven/settings.xml", settings(active));
    assert!(world.urls(Maven).contains(&"https://global.example/maven2/".to_owned()));
}

#[test]
fn maven_settings_are_read_from_the_users_to_the_global_ones() {
    let at = |host: &str| settings(&mirror("central", &format!("https://{host}.example/maven2")));
    let mut world = World::new()
        .with("home/.m2/settings.xml", at("user"))
        .with("opt/maven/conf/settings.xml", at("installed"))
        .with("usr/share/maven/conf/settings.xml", at("system"))
        .with("etc/maven/settings.xml", at("etc"));
    world.machine.maven_home = Some(world.folder.path().join("opt/maven"));
    let expected = ["user", "installed", "system", "etc"].map(|host| format!("https://{host}.example/maven2/"));
    assert_eq!(urls(&without_public(world.bases(Maven))), expected);
    world.machine.home = None;
    world.machine.maven_home = None;
    assert_eq!(urls(&without_public(world.bases(Maven))), expected[2..]);
}

#[test]
fn maven_credentials_are_those_of_the_server_with_the_same_id() {
    let server = "<servers>\
        <server><id>far</id><username>you</username><password>other</password></server>\
        <server><id>near</id><username>me</username><password>s&amp;cret</password></server></servers>";
    let near = mirror("central", "https://near.example/maven2");
    let world = user_settings(&(near.clone() + server));
    let bases = without_public(world.bases(Maven));
    assert_eq!(credentials(&bases[0]), Some(("me", "s&cret")));
    assert_eq!(bases[0].url, "https://near.example/maven2/");

    // The company's mirror stands in the global settings, the password in the user's own.
    let world = user_settings(server).with("etc/maven/settings.xml", settings(&near));
    assert_eq!(credentials(&without_public(world.bases(Maven))[0]), Some(("me", "s&cret")));

    // What the URL says wins.
    let world = user_settings(&(mirror("central", "https://own:word@near.example/maven2") + server));
    assert_eq!(credentials(&without_public(world.bases(Maven))[0]), Some(("own", "word")));

    // A mirror that is named by hand too is the same mirror.
    let mut world = user_settings(&(near + server));
    world.machine.flags = vec![(Maven, "https://near.example/maven2/".to_owned())];
    let bases = without_public(world.bases(Maven));
    assert_eq!(
        (bases.len(), bases[0].origin.as_str(), credentials(&bases[0])),
        (1, "--mirror", Some(("me", "s&cret")))
    );
}

#[test]
fn an_encrypted_password_of_maven_is_passed_over_and_told() {
    let server = "<servers><server><id>near</id><username>me</username><password>{COQLCE6DU6GtcS5P=}</password>\
                  </server></servers>";
    let world = user_settings(&(mirror("central", "https://near.example/maven2") + server));
    let bases = without_public(world.bases(Maven));
    assert_eq!((bases.len(), credentials(&bases[0])), (1, None));
    assert_eq!(world.told(), ["home/.m2/settings.xml is passed over: the password of server `near` is encrypted"]);
}

#[test]
fn variables_in_mavens_settings_are_filled_in() {
    let server = "<servers><server><id>near</id><username>${env.REPOSITORY_USER}</username>\
                  <password>${env.REPOSITORY_PASSWORD}</password></server></servers>";
    let mut world = user_settings(&(mirror("central", "https://${env.REPOSITORY_HOST}/${env.NOT_SET}x") + server));
    let variables =
        [("REPOSITORY_USER", "me"), ("REPOSITORY_PASSWORD", "a${env.HOME}b"), ("REPOSITORY_HOST", "near.example")];
    world.machine.variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    // What is not set stays as it is, and is no URL then.
    assert_eq!(urls(&without_public(world.bases(Maven))), [""; 0]);
    assert_eq!(world.told(), ["home/.m2/settings.xml is passed over: a mirror that is neither http nor https"]);
    world.machine.variables.insert("NOT_SET".to_owned(), "maven".to_owned());
    let bases = without_public(world.bases(Maven));
    assert_eq!(bases[0].url, "https://near.example/mavenx/");
    // The value of a variable is a value, not a text with variables.
    assert_eq!(credentials(&bases[0]), Some(("me", "a${env.HOME}b")));
}

#[test]
fn the_super_pom_of_an_installed_maven() {
    let pom = |url: &str| jar(POM, super_pom(url).as_bytes());
    let mut world = World::new()
        .with("usr/share/maven/lib/maven-core-3.8.7.jar", pom("https://wrong.example/"))
        .with("usr/share/maven/lib/maven-model-builder-3.8.7.jar", pom("https://me:pw@system.example/maven2"));
    let bases = without_public(world.bases(Maven));
    assert_eq!((bases.len(), bases[0].url.as_str()), (1, "https://system.example/maven2/"));
    assert_eq!(credentials(&bases[0]), Some(("me", "pw")));
    world.machine.maven_home = Some(world.folder.path().join("opt/maven"));
    let world = world.with("opt/maven/lib/maven-model-builder-3.9.9.jar", pom("https://installed.example/maven2"));
    assert_eq!(urls(&without_public(world.bases(Maven))), ["https://installed.example/maven2/"]);
}

#[test]
fn a_maven_that_is_damaged_is_passed_over_and_told() {
    let path = "usr/share/maven/lib/maven-model-builder-3.8.7.jar";
    let large = vec![b' '; (1 << 20) + 1];
    for (bytes, says) in [
        (b"no jar".to_vec(), "damaged"),
        (jar(POM, b"<project>"), "root"),
        (jar(POM, b"\xff"), "utf-8"),
        (jar(POM, &large), "more than"),
    ] {
        let world = World::new().with(path, bytes);
        assert_eq!(urls(&without_public(world.bases(Maven))), [""; 0]);
        let told = world.told();
        assert!(told.len() == 1 && told[0].starts_with(path) && told[0].contains(says), "{says}: {told:?}");
    }
    // One without a super POM or without a repository is only another Maven.
    for bytes in [jar("other", b""), jar(POM, b"<project/>")] {
        let world = World::new().with(path, bytes);
        assert_eq!(urls(&without_public(world.bases(Maven))), [""; 0]);
        assert_eq!(world.told(), [""; 0]);
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_the_settings_the_public_service_is_left(
        at in any::<prop::sample::Index>(), left_out in 0..30usize, put_in in "[a-z<>/&;${}.!*]{0,12}"
    ) {
        let mut text = settings(&(mirror("central,${env.X}", "https://me:pw@near.example/maven2") + "<servers/>"));
        let at = at.index(text.len() - left_out);
        text.replace_range(at..at + left_out, &put_in);
        let world = World::new().with("home/.m2/settings.xml", text);
        prop_assert_eq!(world.bases(Maven).pop().unwrap().origin, "built in");
    }
}
