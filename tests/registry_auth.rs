//! Who kimg says that it is at a registry: to whom, when, and to nobody else.

#[path = "support/scripted.rs"]
mod scripted;
#[path = "support/stores.rs"]
mod stores;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kimg::copy::{self, Choice, CopyError, Execution, Root, Source};
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::net::{Client, Settings};
use kimg::oci::Descriptor;
use kimg::transport::StoreSource;
use kimg::transport::registry::{Credentials, RegistrySink, RegistrySource, Repository, Session, Transport, Trust};
use scripted::{Asked, Reply, Scripted};
use tokio::runtime::Runtime;

const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;

/// `me:s3cret` in base64.
const BASIC: &str = "Basic bWU6czNjcmV0";

fn me() -> Option<Credentials> {
    Some(Credentials::Password { user: "me".to_owned(), password: "s3cret".to_owned() })
}

fn client() -> Client {
    let wait = Duration::from_millis(1);
    Client::new(Settings { tries: 2, first_wait: wait, longest_wait: wait, ..Settings::default() }, Events::silent())
}

/// A repository `team/app`, and the runtime that it works in.
struct App {
    runtime: Runtime,
    session: Session,
}

impl App {
    fn new(registry: &Scripted, credentials: Option<Credentials>, servers: &[String]) -> App {
        App::at(client(), registry, Transport::Tls, credentials, servers)
    }

    fn at(
        client: Client,
        registry: &Scripted,
        transport: Transport,
        credentials: Option<Credentials>,
        servers: &[String],
    ) -> App {
        let repository = Repository { registry: registry.host(), name: "team/app".to_owned() };
        let session = Session::trusting(client, repository, Trust { transport, credentials }, servers.to_vec());
        App { runtime: Runtime::new().unwrap(), session }
    }

    fn source(&self) -> RegistrySource {
        RegistrySource::new(self.session.clone(), self.runtime.handle().clone())
    }

    fn resolve(&self) -> Result<Descriptor, CopyError> {
        self.source().resolve("1")
    }

    fn blob(&self, content: &[u8]) -> std::io::Result<Vec<u8>> {
        let (source, mut read) = (self.source(), Vec::new());
        let mut reader = source.open(&Descriptor::of("application/octet-stream", content), 0).unwrap();
        reader.read_to_end(&mut read).map(|_| read)
    }
}

/// Pushes a small image.
fn push(app: &App) -> Result<(), CopyError> {
    let (_folder, store) = stores::store();
    let image = stores::image(&store, b"a layer");
    let source = StoreSource::open(store.clone()).unwrap();
    let sink = Box::new(RegistrySink::new(app.session.clone(), app.runtime.handle().clone()));
    let root = Root { descriptor: image.manifest.clone(), names: vec!["1".to_owned()] };
    let plan = copy::plan(&source, sink.as_ref(), &[root], &Choice::default())?;
    copy::execute(&plan, &source, sink, &Execution::new(Events::silent())).map(|_| ())
}

/// A registry that wants Bearer tokens of `realm`, and takes `token`.
fn bearer(realm: String, token: &'static str) -> impl Fn(&Asked) -> Reply {
    move |asked| match asked.authorization() {
        Some(own) if own == format!("Bearer {token}") => Reply::manifest(MANIFEST),
        _ => Reply::challenge(format!(
            r#"Bearer realm="{realm}",service="registry.example",scope="repository:team/app:pull""#
        )),
    }
}

/// A registry at whose own `/token` tokens are had.
fn with_own_realm(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(None, move |asked| {
        let host = asked.header("host").unwrap_or_default();
        match (asked.path(), asked.authorization()) {
            ("/token", _) => script(asked),
            (_, Some("Bearer good")) => Reply::manifest(MANIFEST),
            _ => Reply::challenge(format!(r#"Bearer realm="http://{host}/token",service="s""#)),
        }
    })
}

#[test]
fn basic_is_shown_to_who_asks_for_it_and_not_before() {
    let registry = Scripted::start(None, |asked| match asked.authorization() {
        Some(BASIC) => Reply::manifest(MANIFEST),
        _ => Reply::challenge("BASIC realm=registry"),
    });
    let app = App::new(&registry, me(), &[]);
    app.resolve().unwrap();
    app.resolve().unwrap();
    let shown: Vec<Option<String>> =
        registry.asked().iter().map(|asked| asked.authorization().map(str::to_owned)).collect();
    assert_eq!(shown, [None, Some(BASIC.to_owned()), Some(BASIC.to_owned())]);
    let open = Scripted::start(None, |_| Reply::manifest(MANIFEST));
    App::new(&open, me(), &[]).resolve().unwrap();
    assert!(!open.saw_credentials());
}

#[test]
fn one_token_serves_all_requests_of_a_repository() {
    let registry = with_own_realm(|_| Reply::token("good"));
    let app = App::new(&registry, me(), &[]);
    app.resolve().unwrap();
    app.resolve().unwrap();
    app.source().manifest(&Descriptor::of("application/vnd.oci.image.manifest.v1+json", MANIFEST)).unwrap();
    let tokens = registry.asked_for("/token");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].authorization(), Some(BASIC));
    assert_eq!(tokens[0].values("scope"), ["repository:team/app:pull"]);
    assert_eq!(tokens[0].values("service"), ["s"]);
    assert!(registry.asked().iter().filter(|asked| asked.path() != "/token").all(|a| a.authorization() != Some(BASIC)));
}

#[test]
fn nobody_gets_a_token_too() {
    let registry = with_own_realm(|_| Reply::status(200).body(r#"{"access_token": "good"}"#));
    App::new(&registry, None, &[]).resolve().unwrap();
    assert_eq!(registry.asked_for("/token")[0].authorization(), None);
}

#[test]
fn a_token_that_ended_is_renewed_once() {
    let count = Arc::new(AtomicU32::new(0));
    let own = Arc::clone(&count);
    // Each token serves two requests.
    let registry = Scripted::start(None, move |asked| {
        let host = asked.header("host").unwrap_or_default();
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="s",error="invalid_token""#);
        let number = own.load(Ordering::SeqCst);
        match (asked.path(), asked.authorization()) {
            ("/token", _) => Reply::token(&format!("t{number}")),
            (_, Some(shown)) if shown == format!("Bearer t{}", number / 2 * 2) => {
                own.fetch_add(1, Ordering::SeqCst);
                Reply::manifest(MANIFEST)
            }
            _ => Reply::challenge(challenge),
        }
    });
    let app = App::new(&registry, me(), &[]);
    for _ in 0..4 {
        app.resolve().unwrap();
    }
    assert_eq!(registry.asked_for("/token").len(), 2);
    // A fresh token that is refused is not asked for again and again.
    let never = with_own_realm(|_| Reply::token("bad"));
    let error = App::new(&never, me(), &[]).resolve().unwrap_err();
    assert!(error.to_string().contains("the credentials are not accepted"), "{error}");
    assert!(never.asked_for("/token").len() <= 2, "{}", never.asked().len());
}

#[test]
fn a_body_that_was_refused_for_an_old_token_goes_with_a_new_one_the_next_time() {
    let tokens = AtomicU32::new(0);
    let registry = Scripted::start(None, move |asked| {
        let host = asked.header("host").unwrap_or_default();
        match (asked.method.as_str(), asked.path(), asked.authorization()) {
            (_, "/token", _) => Reply::token(&format!("t{}", tokens.fetch_add(1, Ordering::SeqCst))),
            ("HEAD", _, Some(_)) => Reply::status(404),
            ("POST", _, Some(_)) => Reply::status(202).header("Location", "/v2/team/app/blobs/uploads/x"),
            // The first ended between POST and PUT.
            ("PUT", _, Some("Bearer t1")) => Reply::status(201),
            // It knows nothing of an upload that broke off.
            ("GET", _, Some("Bearer t1")) => Reply::status(404),
            _ => Reply::challenge(format!(r#"Bearer realm="http://{host}/token",service="s""#)),
        }
    });
    let app = App::new(&registry, me(), &[]);
    // Whether the sink tries again itself is its own matter: what is promised is the next request.
    push(&app).or_else(|_| push(&app)).unwrap();
    let puts: Vec<Asked> = registry.asked().into_iter().filter(|asked| asked.method == "PUT").collect();
    assert_eq!(puts[0].authorization(), Some("Bearer t0"));
    assert!(puts[1..].iter().all(|put| put.authorization() == Some("Bearer t1")));
    let tokens = registry.asked_for("/token");
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[1].values("scope"), ["repository:team/app:pull,push"]);
}

#[test]
fn a_token_server_elsewhere_sees_credentials_only_where_it_is_named() {
    let elsewhere = Scripted::start(None, |_| Reply::token("good"));
    let registry = Scripted::start(None, bearer(format!("{}/token", elsewhere.url()), "private"));
    let error = App::new(&registry, me(), &[]).resolve().unwrap_err();
    assert!(!elsewhere.saw_credentials());
    assert_eq!(error.category(), Category::Refused);
    assert!(error.to_string().contains(&format!("were not shown to {}", elsewhere.url())), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains(&format!("token-server = \"{}\"", elsewhere.url())), "{hint}");
    assert!(hint.contains(&format!("[registry.\"{}\"]", registry.host())), "{hint}");

    let registry = Scripted::start(None, bearer(format!("{}/token", elsewhere.url()), "good"));
    // Without credentials that are needed, nothing is missed.
    App::new(&registry, me(), &[]).resolve().unwrap();
    assert!(!elsewhere.saw_credentials());
    App::new(&registry, me(), &["http://127.0.0.1:1".to_owned()]).resolve().unwrap();
    assert!(!elsewhere.saw_credentials());
    App::new(&registry, me(), &[elsewhere.url()]).resolve().unwrap();
    assert_eq!(elsewhere.asked().last().unwrap().authorization(), Some(BASIC));
}

#[test]
fn identity_tokens_stay_at_home_too() {
    let elsewhere = Scripted::start(None, |_| Reply::token("good"));
    let registry = Scripted::start(None, bearer(format!("{}/token", elsewhere.url()), "good"));
    App::new(&registry, Some(Credentials::IdentityToken("s3cret".to_owned())), &[]).resolve().unwrap();
    assert!(!elsewhere.saw_credentials());
    assert!(elsewhere.asked().iter().all(|asked| asked.method == "GET" && asked.body.is_empty()));
}

#[test]
fn a_token_server_that_leads_elsewhere_is_not_followed() {
    let elsewhere = Scripted::start(None, |_| Reply::token("good"));
    for status in [301, 302, 307, 308] {
        let target = format!("{}/token", elsewhere.url());
        let registry = with_own_realm(move |_| Reply::status(status).header("Location", &target));
        let error = App::new(&registry, me(), &[]).resolve().unwrap_err();
        assert_eq!(error.category(), Category::Refused);
        assert!(error.to_string().contains("it leads elsewhere"), "{error}");
    }
    assert_eq!(elsewhere.asked().len(), 0);
}

#[test]
fn a_realm_without_tls_is_not_asked_by_a_registry_with_it() {
    let plain = Scripted::start(None, |_| Reply::token("good"));
    let registry = Scripted::start(scripted::tls("server", false), bearer(format!("{}/token", plain.url()), "good"));
    let tls = kimg::net::Tls { authorities: vec![scripted::data("ca.crt")], ..kimg::net::Tls::default() };
    let own = client().special(tls).unwrap();
    // Not even where the user named it.
    let error = App::at(own, &registry, Transport::TlsOnly, me(), &[plain.url()]).resolve().unwrap_err();
    assert_eq!((plain.asked().len(), registry.saw_credentials()), (0, false));
    assert!(error.to_string().contains("it has no TLS, and the registry has"), "{error}");
}

#[test]
fn where_blobs_are_kept_nobody_is_told_who_asks() {
    let content: &[u8] = b"a blob";
    // The second one leads back, and there nobody is told either.
    let back = Arc::new(std::sync::Mutex::new(String::new()));
    let target = Arc::clone(&back);
    let storage = Scripted::start(None, move |asked| match asked.path() {
        "/back" => Reply::status(307).header("Location", &*target.lock().unwrap()),
        // It asks for credentials, as whoever wants to have them would.
        "/asks" => Reply::challenge("Basic realm=storage"),
        _ => Reply::status(200).body(content),
    });
    for (path, comes) in [("/kept?signature=x", true), ("/back", true), ("/asks", false)] {
        let target = format!("http://eve:evil@{}{path}", storage.host());
        let registry = Scripted::start(None, move |asked| match (asked.path(), asked.authorization()) {
            ("/returned", None) => Reply::status(200).body(content),
            ("/returned", Some(_)) => Reply::status(400),
            (_, Some(BASIC)) => Reply::status(307).header("Location", &target),
            _ => Reply::challenge("Basic realm=registry"),
        });
        *back.lock().unwrap() = format!("{}/returned", registry.url());
        assert_eq!(App::new(&registry, me(), &[]).blob(content).is_ok_and(|read| read == content), comes, "{path}");
    }
    assert!(storage.asked().len() >= 3);
    assert!(!storage.saw_credentials());
}

#[test]
fn an_upload_that_is_sent_elsewhere_does_not_tell_who_asks() {
    let storage = Scripted::start(None, |_| Reply::status(201));
    let target = format!("http://eve:evil@{}/upload?signature=x", storage.host());
    let registry = Scripted::start(None, move |asked| match (asked.method.as_str(), asked.authorization()) {
        (_, None) => Reply::challenge("Basic realm=registry"),
        ("HEAD", _) => Reply::status(404),
        ("POST", _) => Reply::status(202).header("Location", &target),
        _ => Reply::status(201),
    });
    push(&App::new(&registry, me(), &[])).unwrap();
    assert_eq!(storage.asked_for("/upload").len(), 2);
    assert!(storage.asked().iter().all(|asked| asked.values("signature") == ["x"]));
    assert!(!storage.saw_credentials());
}

#[test]
fn identity_tokens_are_changed_for_others_by_either_form() {
    for absent in [None, Some(404), Some(405)] {
        let registry = with_own_realm(move |asked| match (asked.method.as_str(), absent) {
            ("POST", Some(status)) => Reply::status(status),
            _ => Reply::status(200).body(r#"{"access_token": "good", "refresh_token": "other", "expires_in": 60}"#),
        });
        App::new(&registry, Some(Credentials::IdentityToken("id".to_owned())), &[]).resolve().unwrap();
        let tokens = registry.asked_for("/token");
        assert_eq!(tokens[0].method, "POST");
        assert_eq!(tokens[0].values("grant_type"), ["refresh_token"]);
        assert_eq!(tokens[0].values("refresh_token"), ["id"]);
        assert_eq!(tokens[0].values("scope"), ["repository:team/app:pull"]);
        assert_eq!(tokens.len(), if absent.is_some() { 2 } else { 1 });
        // `<token>:id`.
        assert_eq!(tokens.get(1).and_then(Asked::authorization), absent.map(|_| "Basic PHRva2VuPjppZA=="));
    }
}

#[test]
fn a_registry_token_is_shown_as_it_is() {
    let registry = with_own_realm(|_| Reply::status(500));
    App::new(&registry, Some(Credentials::RegistryToken("good".to_owned())), &[]).resolve().unwrap();
    let error = App::new(&registry, Some(Credentials::RegistryToken("old".to_owned())), &[]).resolve().unwrap_err();
    assert!(error.to_string().contains("the credentials are not accepted"), "{error}");
    assert_eq!(registry.asked_for("/token").len(), 0);
}

#[test]
fn a_repository_that_has_another_name_behind_the_registry_is_asked_for_too() {
    let registry = Scripted::start(None, |asked| {
        let host = asked.header("host").unwrap_or_default();
        match (asked.path(), asked.authorization()) {
            ("/token", _) if asked.values("scope").iter().any(|scope| scope == "repository:remote/team/app:pull") => {
                Reply::token("good")
            }
            ("/token", _) => Reply::token("less"),
            (_, Some("Bearer good")) => Reply::manifest(MANIFEST),
            _ => Reply::challenge(format!(
                r#"Bearer realm="http://{host}/token",service="s",scope="repository:remote/team/app:pull""#
            )),
        }
    });
    App::new(&registry, None, &[]).resolve().unwrap();
}

#[test]
fn token_servers_that_make_no_sense_are_told_of() {
    let long = format!(r#"{{"token": "{}"}}"#, "x".repeat(100_000));
    let mut said = Vec::new();
    for reply in [
        Reply::status(200).body("<html>log in</html>"),
        Reply::status(200).body("{}"),
        Reply::status(200).body(r#"{"token": ""}"#),
        Reply::status(200).body(r#"{"token": "two\r\nlines"}"#),
        Reply::status(200).body(long),
        Reply::status(401).body("s3cret"),
        Reply::status(403),
        Reply::status(400),
        Reply::status(501),
    ] {
        let registry = with_own_realm(move |_| reply.clone());
        let error = App::new(&registry, me(), &[]).resolve().unwrap_err();
        assert_eq!(error.category(), Category::Refused, "{error}");
        let text = format!("{error}\n  hint: {}", error.hint().unwrap_or_default());
        said.push(text.replace(&registry.host(), "HOST"));
    }
    let all = said.join("\n");
    assert!(!all.contains("s3cret"));
    insta::assert_snapshot!(all);
}

#[test]
fn a_repository_that_must_be_made_first_is_told_of() {
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"project team not found"}]}"#;
    let registry = Scripted::start(None, move |_| Reply::status(404).body(body));
    let error = push(&App::new(&registry, None, &[])).unwrap_err();
    assert_eq!(error.category(), Category::NotFound);
    assert!(error.to_string().ends_with("project team not found (status 404)"), "{error}");
    assert!(error.hint().unwrap().contains("made there first"));
}

#[test]
fn refusals_are_told_apart() {
    let told = r#"{"errors":[{"code":"DENIED","message":"a\u001b[31mb\nc"}]}"#;
    let none = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#;
    let less = r#"Bearer realm="https://elsewhere.example/",error="insufficient_scope""#;
    let mut said = Vec::new();
    for (name, credentials, reply) in [
        ("not logged in", None, Reply::challenge("Basic realm=x")),
        ("wrong password", me(), Reply::challenge("Basic realm=x")),
        ("no challenge", me(), Reply::status(401)),
        ("a token for less", Some(Credentials::RegistryToken("t".to_owned())), Reply::challenge(less)),
        ("forbidden", me(), Reply::status(403).body(told)),
        ("forbidden for nobody", None, Reply::status(403).body("<html>")),
        ("no repository", me(), Reply::status(404).body(none)),
        ("too often", None, Reply::status(429).header("Retry-After", "0")),
        ("broken", None, Reply::status(503)),
        ("TLS", None, Reply::status(400).body("Client sent an HTTP request to an HTTPS server.\n")),
        ("something else", me(), Reply::status(418).body("<html>")),
    ] {
        let registry = Scripted::start(None, move |_| reply.clone());
        let error = App::new(&registry, credentials, &[]).resolve().unwrap_err();
        said.push(format!("{name}: {error}").replace(&registry.host(), "HOST"));
        let hint = error.hint().unwrap_or_default().replace(&registry.host(), "HOST");
        said.push(format!("  exit code {}, hint: {hint}", error.category().exit_code()));
    }
    insta::assert_snapshot!(said.join("\n"));
}
