//! Certificates of registries and for them: which are trusted, where they lie, and what is said where one is missing.

#[path = "support/command.rs"]
mod command;
#[path = "support/scripted.rs"]
mod scripted;

use std::fs;

use command::Kimg;
use scripted::{Reply, Scripted, data, tls};

const MANIFEST: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// A registry with one image, whose certificate is `name`.
fn registry(name: &str, mutual: bool) -> Scripted {
    serve(tls(name, mutual))
}

fn serve(tls: Option<std::sync::Arc<rustls::ServerConfig>>) -> Scripted {
    Scripted::start(tls, |asked| match asked.path() {
        path if path.contains("/blobs/") => Reply::status(200).body("{}"),
        _ => Reply::manifest(MANIFEST),
    })
}

/// A home where no file of the machine's counts, with these files for a registry.
fn home(registry: &Scripted, files: &[(&str, &str)]) -> Kimg {
    let kimg = Kimg::new().with("REGISTRY_AUTH_FILE", "none.json");
    kimg.write("none.json", "{}");
    for (from, to) in files {
        let to = kimg.home().join(to.replace("HOST", &registry.host()));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(data(from), to).unwrap();
    }
    kimg
}

/// What a copy of the image says.
fn copy(kimg: &Kimg, registry: &Scripted, flags: &[&str]) -> String {
    let source = format!("docker://{}/a:1", registry.host());
    let shown = kimg.run(&[&["copy", &source, "oci:out", "--progress", "none", "-q"], flags].concat());
    let shown = shown.replace(&registry.host(), "HOST");
    // The rest of that line says when it is.
    let lines = shown.lines().map(|line| line.split(": verification time").next().unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn works(kimg: &Kimg, registry: &Scripted, flags: &[&str]) {
    let shown = copy(kimg, registry, flags);
    assert!(shown.ends_with("exit code: 0\n"), "{shown}");
}

#[test]
fn an_authority_is_trusted_where_certs_d_has_it() {
    let registry = registry("server", false);
    for folder in [".config/containers/certs.d", ".config/docker/certs.d"] {
        let file = format!("{folder}/HOST/own.crt");
        works(&home(&registry, &[("ca.crt", &file)]), &registry, &[]);
    }
    let flagged = home(&registry, &[("ca.crt", "certificates/ca.crt")]);
    works(&flagged, &registry, &["--cert-dir", "certificates"]);
    works(&flagged, &registry, &["--src-cert-dir", "certificates"]);
}

#[test]
fn any_certificate_or_none_will_do_where_the_user_says_so() {
    for registry in [registry("server", false), registry("other", false), registry("late", false), serve(None)] {
        for flag in ["--tls-verify=false", "--src-tls-verify=false"] {
            works(&home(&registry, &[]), &registry, &[flag]);
        }
    }
    let plain = serve(None);
    works(&home(&plain, &[]), &plain, &[]);
    works(&home(&plain, &[]), &plain, &["--plain-http"]);
}

#[test]
fn a_certificate_of_ours_is_shown_to_who_wants_it() {
    let registry = registry("server", true);
    let folder = ".config/containers/certs.d/HOST/";
    let files = [("ca.crt", "ca.crt"), ("client.cert", "me.cert"), ("client.key", "me.key")];
    let files: Vec<(&str, String)> = files.map(|(from, to)| (from, format!("{folder}{to}"))).to_vec();
    let files: Vec<(&str, &str)> = files.iter().map(|(from, to)| (*from, to.as_str())).collect();
    works(&home(&registry, &files), &registry, &[]);
    insta::assert_snapshot!("without_a_certificate", copy(&home(&registry, &files[..1]), &registry, &[]));
}

#[test]
fn what_is_not_trusted_is_told_with_what_to_do() {
    let mut shown = String::new();
    const TRUSTED: &[(&str, &str)] = &[("ca.crt", ".config/containers/certs.d/HOST/ca.crt")];
    type Case<'a> = (&'a str, Scripted, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'static>; 8] = [
        ("an authority that nobody knows", registry("server", false), &[], &["--tls-verify"]),
        ("a certificate for another name", registry("other", false), TRUSTED, &[]),
        ("a certificate that ended", registry("late", false), TRUSTED, &[]),
        ("TLS only", registry("server", false), &[], &["--plain-http"]),
        ("no TLS", serve(None), &[], &["--tls-verify"]),
        ("no folder", serve(None), &[], &["--cert-dir", "nowhere"]),
        ("no authority", serve(None), &[("server.key", "d/own.crt")], &["--cert-dir", "d"]),
        ("no key", serve(None), &[("client.cert", "d/own.cert")], &["--cert-dir", "d"]),
    ];
    // Side by side, since some are tried several times.
    std::thread::scope(|scope| {
        let run = |(name, registry, files, flags): Case<'static>| {
            let text = format!("{name}\n{}\n", copy(&home(&registry, files), &registry, flags));
            assert_eq!(registry.asked().len(), 0, "{name}");
            text
        };
        let running: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || run(case))).collect();
        running.into_iter().for_each(|thread| shown.push_str(&thread.join().unwrap()));
    });
    insta::assert_snapshot!(shown);
}

#[test]
fn the_configuration_says_what_has_no_tls() {
    let registry = serve(None);
    let kimg = home(&registry, &[("ca.crt", ".config/containers/certs.d/HOST/ca.crt")]);
    // Certificates for it say that it has TLS.
    assert!(copy(&kimg, &registry, &[]).contains("--plain-http"));
    let rule = format!("[registry.\"{}\"]\nplain-http = true\n", registry.host());
    kimg.write(".config/kimg/config.toml", &rule);
    works(&kimg, &registry, &[]);
}
