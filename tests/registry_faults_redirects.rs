//! Registries that lead elsewhere: blobs are kept on other hosts, which must not learn who asks.

#[path = "support/registry.rs"]
mod registry;
#[path = "support/server.rs"]
mod server;

use kimg::serve::{Act, Asked, Reply};
use kimg::transport::registry::{Credentials, RegistrySource};
use registry::{Image, Registry, bytes, failure, pull};
use server::{Fault, Server};

const SIZE: usize = 100_000;

fn one_layer() -> (Registry, Image, String) {
    let registry = Registry::start();
    let image = registry.image("app:1", &[bytes(1, SIZE)]);
    let blob = format!("/blobs/{}", image.layers[0].digest);
    (registry, image, blob)
}

fn to(url: impl Into<String>) -> Act {
    Act::Answer(Reply::new(307).header("location", url))
}

/// Who does not say who asks is told to.
fn ask_who(registry: &Registry) {
    let challenge = Reply::new(401).header("www-authenticate", "Basic realm=\"x\"");
    registry.rule(move |asked: &Asked| asked.header("authorization").is_none().then(|| Act::Answer(challenge.clone())));
}

fn logged_in(registry: &Registry) -> RegistrySource {
    let credentials = Credentials::Password { user: "user".to_owned(), password: "secret".to_owned() };
    let session = registry.session("app", Some(credentials));
    RegistrySource::new(session, registry.runtime().handle().clone())
}

#[test]
fn another_host_does_not_learn_who_asks() {
    let (registry, image, blob) = one_layer();
    let elsewhere = Server::start();
    elsewhere.put("/kept", bytes(1, SIZE));
    elsewhere.faults("/kept?signature=1", [Fault::CutAfter(1000)]);
    ask_who(&registry);
    registry.always("GET", &blob, to(format!("{}kept?signature=1", elsewhere.url())));
    assert!(pull(&logged_in(&registry), "1").unwrap().is(&image));
    let asked = elsewhere.requests();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.header("authorization").is_none()));
    assert_eq!(asked[1].header("range"), Some("bytes=1000-"));
    // A signature in a URL ends: each try begins at the registry.
    let shown = registry.asked("GET", &blob);
    assert!(shown.len() >= 2 && shown.last().unwrap().header("authorization").is_some());
}

#[test]
fn another_host_that_asks_who_it_is_does_not_learn_it() {
    let (registry, _, blob) = one_layer();
    let elsewhere = Server::start();
    elsewhere.put("/kept", bytes(1, SIZE));
    elsewhere.always("/kept", Fault::Login("user", "secret"));
    ask_who(&registry);
    registry.always("GET", &blob, to(format!("{}kept", elsewhere.url())));
    let message = failure(pull(&logged_in(&registry), "1"));
    assert!(message.contains("status 401") && message.ends_with("\nexit code: 4"), "{message}");
    assert!(elsewhere.requests().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn the_registry_itself_still_does() {
    let (registry, image, blob) = one_layer();
    ask_who(&registry);
    let own = registry.url(&format!("/v2/app{blob}?again"));
    registry.once("GET", &blob, to(own));
    registry.once("GET", "/manifests/", to(format!("/v2/app/manifests/{}?again", image.descriptor.digest)));
    assert!(pull(&logged_in(&registry), "1").unwrap().is(&image));
    assert!(registry.asked("GET", "?again").iter().all(|asked| asked.header("authorization").is_some()));
    assert_eq!(registry.asked("GET", "?again").len(), 2);
}

#[test]
fn who_leads_back_does_not_learn_who_asks() {
    let (registry, _, blob) = one_layer();
    let elsewhere = Server::start();
    ask_who(&registry);
    registry.always("GET", &blob, to(format!("{}kept", elsewhere.url())));
    elsewhere.always("/kept", Fault::Redirect(registry.url("/v2/app/blobs/back")));
    let message = failure(pull(&logged_in(&registry), "1"));
    assert!(message.contains("status 401") && message.ends_with("\nexit code: 4"), "{message}");
    let back = registry.asked("GET", "/blobs/back");
    assert!(back.len() == 1 && back[0].header("authorization").is_none());
}

#[test]
fn a_circle() {
    let (registry, _, blob) = one_layer();
    registry.always("GET", &blob, to(format!("/v2/app{blob}")));
    let message = failure(registry.pull("app", "1"));
    assert!(message.ends_with("it redirects more than 5 times in a row\nexit code: 4"), "{message}");
    assert_eq!(registry.asked("GET", &blob).len(), 6);
}

#[test]
fn where_nobody_goes() {
    for target in ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://[", "data:,x"] {
        let (registry, _, blob) = one_layer();
        registry.always("GET", &blob, to(target));
        let message = failure(registry.pull("app", "1"));
        assert!(
            message.contains("it redirects to no URL") && message.ends_with("\nexit code: 4"),
            "{target}: {message}"
        );
    }
    let (registry, _, blob) = one_layer();
    registry.always("GET", &blob, Act::Answer(Reply::new(302)));
    let message = failure(registry.pull("app", "1"));
    assert!(message.contains("it redirects to no URL") && message.ends_with("\nexit code: 4"), "{message}");
}

#[test]
fn where_nobody_is() {
    let (registry, _, blob) = one_layer();
    let gone = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    registry.always("GET", &blob, to(format!("http://{gone}/kept?signature=secret")));
    let message = failure(registry.pull("app", "1"));
    assert!(message.contains("cannot be reached") && message.ends_with("\nexit code: 4"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}
