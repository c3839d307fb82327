//! `kimg login` and `kimg logout`, the files and programs that they keep credentials in, and who reads them.

#[path = "support/command.rs"]
mod command;
#[path = "support/scripted.rs"]
mod scripted;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use command::Kimg;
use scripted::{Reply, Scripted};

/// `me:s3cret` in base64.
const BASIC: &str = "Basic bWU6czNjcmV0";

const MANIFEST: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// A registry that lets `me` in.
fn registry() -> Scripted {
    Scripted::start(None, |asked| match (asked.authorization(), asked.path()) {
        (Some(BASIC), path) if path.contains("/blobs/") => Reply::status(200).body("{}"),
        (Some(BASIC), "/v2/") => Reply::status(200).body("{}"),
        (Some(BASIC), _) => Reply::manifest(MANIFEST),
        _ => Reply::challenge(r#"Basic realm="registry""#),
    })
}

/// A home with a folder for this session, as systemd makes one.
fn home() -> Kimg {
    let kimg = Kimg::new();
    let runtime = kimg.home().join("run");
    let kimg = kimg.with("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    fs::create_dir(kimg.home().join("run")).unwrap();
    kimg
}

/// What a command says that gets this on standard input.
fn run(kimg: &Kimg, arguments: &[&str], input: &str) -> String {
    let mut child = kimg.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // A command that does not want it ends before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    kimg.show(arguments, &child.wait_with_output().unwrap())
}

fn login(kimg: &Kimg, registry: &str, password: &str) -> String {
    run(kimg, &["login", registry, "-u", "me", "--password-stdin"], password).replace(registry, "HOST")
}

fn copy(kimg: &Kimg, registry: &str, flags: &[&str]) -> String {
    let source = format!("docker://{registry}/a:1");
    kimg.run(&[&["copy", &source, "oci:out", "-q"], flags].concat()).replace(registry, "HOST")
}

fn is_let_in(kimg: &Kimg, registry: &str, flags: &[&str]) -> bool {
    copy(kimg, registry, flags).ends_with("exit code: 0\n")
}

fn read(kimg: &Kimg, path: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(kimg.home().join(path)).unwrap()).unwrap()
}

#[test]
fn a_login_is_checked_kept_and_forgotten() {
    let (registry, kimg) = (registry(), home());
    let host = registry.host();
    let mut shown = login(&kimg, &host, "wrong\n");
    assert!(!kimg.home().join("run/containers").exists());
    assert!(!is_let_in(&kimg, &host, &[]));
    shown.push_str(&login(&kimg, &host, "s3cret\n"));
    let file = kimg.home().join("run/containers/auth.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(read(&kimg, "run/containers/auth.json")["auths"][&host]["auth"], "bWU6czNjcmV0");
    assert!(is_let_in(&kimg, &host, &[]));
    shown.push_str(&kimg.run(&["logout", &host]).replace(&host, "HOST"));
    assert!(!is_let_in(&kimg, &host, &[]));
    shown.push_str(&kimg.run(&["logout", &host]).replace(&host, "HOST"));
    assert!(!shown.contains("s3cret"));
    insta::assert_snapshot!(shown);
}

#[test]
fn a_password_comes_from_nowhere_else() {
    let kimg = home();
    let shown: Vec<String> = [
        (&["login", "registry.example", "-u", "me"][..], "s3cret"),
        (&["login", "registry.example", "--password-stdin"], "s3cret"),
        (&["login", "registry.example", "-u", "me", "--password", "s3cret"], ""),
        (&["login", "registry.example", "-u", "me", "--password-stdin"], ""),
        (&["login", "registry.example", "-u", "me", "--password-stdin"], "two\nlines\n"),
        (&["login", "registry.example", "-u", "m:e", "--password-stdin"], "s3cret"),
        (&["login", "kafka", "-u", "me", "--password-stdin"], "s3cret"),
        (&["logout"], ""),
    ]
    .iter()
    .map(|(arguments, input)| run(&kimg, arguments, input))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_file_keeps_all_that_is_not_known_and_files_of_others_are_read() {
    let (registry, kimg) = (registry(), home());
    let host = registry.host();
    // As `docker login` writes it.
    kimg.write(
        ".docker/config.json",
        &format!("{{\n\t\"auths\": {{\n\t\t\"{host}\": {{\n\t\t\t\"auth\": \"bWU6czNjcmV0\"\n\t\t}}\n\t}},\n\t\"detachKeys\": \"ctrl-a\"\n}}"),
    );
    assert!(is_let_in(&kimg, &host, &[]));
    kimg.run(&["logout", &host]);
    assert!(!is_let_in(&kimg, &host, &[]));
    assert_eq!(read(&kimg, ".docker/config.json"), serde_json::json!({"auths": {}, "detachKeys": "ctrl-a"}));

    // As `podman login` writes it, in a file that is named, by a link.
    kimg.write("kept/own.json", r#"{"auths": {"other.example": {"auth": "YTpi"}}, "x": [1.5, null]}"#);
    std::os::unix::fs::symlink("kept/own.json", kimg.home().join("link.json")).unwrap();
    let arguments = ["login", &host, "-u", "me", "--password-stdin", "--authfile", "link.json"];
    assert!(run(&kimg, &arguments, "s3cret").ends_with("exit code: 0\n"));
    let expected = serde_json::json!({
        "auths": {"other.example": {"auth": "YTpi"}, &host: {"auth": "bWU6czNjcmV0"}}, "x": [1.5, null],
    });
    assert_eq!(read(&kimg, "kept/own.json"), expected);
    assert!(fs::symlink_metadata(kimg.home().join("link.json")).unwrap().is_symlink());
    assert!(is_let_in(&kimg, &host, &["--authfile", "link.json"]));
    assert!(is_let_in(&kimg, &host, &["--src-authfile", "link.json"]));
    assert!(!is_let_in(&kimg, &host, &["--dest-authfile", "link.json"]));
    let by_variable = home().with("REGISTRY_AUTH_FILE", kimg.home().join("kept/own.json").to_str().unwrap());
    assert!(is_let_in(&by_variable, &host, &[]));
    assert!(kimg.run(&["logout", "--all", "--authfile", "link.json"]).ends_with("exit code: 0\n"));
    assert_eq!(read(&kimg, "kept/own.json"), serde_json::json!({"auths": {}, "x": [1.5, null]}));
}

#[test]
fn a_path_below_a_registry_has_credentials_of_its_own() {
    let (registry, kimg) = (registry(), home());
    let host = registry.host();
    let arguments = ["login", &format!("{host}/team"), "-u", "me", "--password-stdin"];
    assert!(run(&kimg, &arguments, "s3cret").ends_with("exit code: 0\n"));
    assert!(!is_let_in(&kimg, &host, &[]));
    let source = format!("docker://{host}/team/a:1");
    assert!(kimg.output(&["copy", &source, "oci:out", "-q"]).status.success());
}

#[test]
fn credentials_of_flags_and_variables() {
    let (registry, kimg) = (registry(), home());
    let host = registry.host();
    assert!(is_let_in(&kimg, &host, &["--src-creds", "me:s3cret"]));
    assert!(is_let_in(&kimg, &host, &["--creds", "me:s3cret"]));
    assert!(!is_let_in(&kimg, &host, &["--dest-creds", "me:s3cret"]));
    let elsewhere = Scripted::start(None, |_| Reply::challenge("Basic realm=elsewhere"));
    let target = format!("docker://{}/a:1", elsewhere.host());
    let shown = kimg.run(&["copy", &format!("docker://{host}/a:1"), &target, "--creds", "me:s3cret"]);
    assert!(shown.contains("--creds: two registries would be shown the same password"), "{shown}");
    assert_eq!(elsewhere.asked().len(), 0);
    let kimg = kimg.with("KIMG_SRC_PASSWORD", "s3cret");
    assert!(is_let_in(&kimg, &host, &["--src-creds", "me"]));
    let shown = [copy(&kimg, &host, &["--creds", "me"]), copy(&kimg, &host, &["--src-creds", ":s3cret"])];
    insta::assert_snapshot!(shown.join("\n"));
}

/// A helper that keeps what it gets in a file beside it, and writes secrets where they do not belong.
const HELPER: &str = r#"#!/bin/sh
echo "s3cret on standard error" >&2
case $1 in
get) if [ -f "$HOME/kept" ]; then cat "$HOME/kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
store) cat > "$HOME/kept" ;;
erase) rm "$HOME/kept" ;;
*) exit 1 ;;
esac
"#;

fn helped(program: &str) -> Kimg {
    let kimg = home();
    let path = kimg.home().join("bin");
    let kimg = kimg.with("PATH", &format!("{}:/usr/bin:/bin", path.display()));
    kimg.write("bin/docker-credential-own", program);
    let file = kimg.home().join("bin/docker-credential-own");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    kimg
}

#[test]
fn a_program_keeps_credentials_where_the_file_says_so() {
    let registry = registry();
    let host = registry.host();
    for file in [r#"{"credsStore": "own"}"#.to_owned(), format!(r#"{{"credHelpers": {{"{host}": "own"}}}}"#)] {
        let kimg = helped(HELPER);
        kimg.write("run/containers/auth.json", &file);
        assert!(!is_let_in(&kimg, &host, &[]));
        let mut shown = login(&kimg, &host, "s3cret");
        assert_eq!(read(&kimg, "kept")["ServerURL"], host);
        assert!(is_let_in(&kimg, &host, &[]));
        shown.push_str(&kimg.run(&["logout", &host]).replace(&host, "HOST"));
        assert!(!kimg.home().join("kept").exists());
        assert_eq!(fs::read_to_string(kimg.home().join("run/containers/auth.json")).unwrap(), file);
        assert!(!shown.contains("s3cret"), "{shown}");
        insta::assert_snapshot!("a_program_keeps", shown);
    }
}

#[test]
fn programs_that_are_none_are_told_of_and_nothing_that_they_write() {
    let registry = registry();
    let host = registry.host();
    let mut shown = String::new();
    for (name, program) in [
        ("own", "#!/bin/sh\necho s3cret >&2; echo s3cret; exit 1\n"),
        ("own", "#!/bin/sh\necho s3cret\n"),
        ("absent", ""),
        ("../../bin/own", ""),
        ("own;id", ""),
        ("-x", ""),
    ] {
        let kimg = helped(program);
        kimg.write("run/containers/auth.json", &format!(r#"{{"credsStore": "{name}"}}"#));
        shown.push_str(&copy(&kimg, &host, &[]));
    }
    assert!(!shown.contains("s3cret"));
    insta::assert_snapshot!(shown);
}

#[test]
fn files_that_are_none_are_told_of_and_nothing_of_them() {
    let registry = registry();
    let host = registry.host();
    let mut shown = String::new();
    for text in [
        "s3cret".to_owned(),
        "{\"auths\": \"s3cret\"}".to_owned(),
        format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"s3cret\"}}}}}}"),
    ] {
        let kimg = home();
        kimg.write("run/containers/auth.json", &text);
        shown.push_str(&copy(&kimg, &host, &[]));
        if !text.contains(&host) {
            shown.push_str(&login(&kimg, &host, "s3cret"));
            assert_eq!(fs::read_to_string(kimg.home().join("run/containers/auth.json")).unwrap(), text);
        }
    }
    shown.push_str(&copy(&home(), &host, &["--authfile", "nowhere.json"]));
    assert!(!shown.contains("s3cret"));
    insta::assert_snapshot!(shown);
}

#[test]
fn a_token_server_elsewhere_gets_no_password_at_login() {
    let elsewhere = Scripted::start(None, |_| Reply::token("anybody"));
    let realm = format!("{}/token", elsewhere.url());
    let registry = Scripted::start(None, move |asked| match asked.authorization() {
        Some("Bearer anybody") => Reply::status(200),
        _ => Reply::challenge(format!(r#"Bearer realm="{realm}",service="s""#)),
    });
    let (kimg, host) = (home(), registry.host());
    let shown = login(&kimg, &host, "s3cret").replace(&elsewhere.url(), "ELSEWHERE");
    assert!(!elsewhere.saw_credentials());
    insta::assert_snapshot!(shown);
    let rule = format!("[registry.\"{host}\"]\ntoken-server = \"{}\"\n", elsewhere.url());
    kimg.write(".config/kimg/config.toml", &rule);
    assert!(login(&kimg, &host, "s3cret").ends_with("exit code: 0\n"));
    assert_eq!(elsewhere.asked().last().unwrap().authorization(), Some(BASIC));
    assert!(elsewhere.asked().last().unwrap().values("scope").is_empty());
}

#[test]
fn an_open_registry_cannot_check_a_password() {
    let registry = Scripted::start(None, |_| Reply::status(200).body("{}"));
    insta::assert_snapshot!(login(&home(), &registry.host(), "s3cret"));
    assert!(!registry.saw_credentials());
}
