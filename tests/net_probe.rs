//! Asking hosts once whether they have a file that may be had elsewhere too.

#[path = "support/network.rs"]
mod network;
#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use kimg::event::Events;
use kimg::net::{Base, Client, Found, NetError, Settings, Why};
use network::{base, nobody, settings};
use server::{Fault, Server};

fn places(urls: &[String]) -> Vec<(Base, String)> {
    urls.iter().map(|url| (base(url), "a/file".to_owned())).collect()
}

fn hasty() -> Client {
    Client::new(Settings { probe_timeout: Duration::from_millis(50), ..settings() }, Events::silent())
}

#[tokio::test]
async fn the_first_that_has_it_is_found_and_none_is_asked_twice() {
    let (broken, empty, good) = (Server::start(), Server::start(), Server::start());
    broken.always("/a/file", Fault::Status(503, Some("1")));
    good.put("/a/file", vec![7; 1234]);
    let urls = [nobody(), broken.url(), empty.url(), good.url(), nobody()];
    let found = network::client().probe(&places(&urls)).await.unwrap();
    assert_eq!(found, Found { place: 3, size: Some(1234) });
    let methods = |server: &Server| server.requests().iter().map(|request| request.method.clone()).collect::<Vec<_>>();
    assert_eq!([&broken, &empty, &good].map(methods), [["HEAD"], ["HEAD"], ["HEAD"]]);
    assert_eq!(good.bytes_sent(), 0);
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_not_waited_for() {
    let (silent, good) = (Server::start(), Server::start());
    silent.put("/a/file", "x");
    good.put("/a/file", "xy");
    silent.hold();
    let client = hasty();
    for _ in 0..2 {
        let found = client.probe(&places(&[silent.url(), good.url()])).await.unwrap();
        assert_eq!(found, Found { place: 1, size: Some(2) });
    }
    // Once was enough, and for all else it is still asked.
    assert_eq!(silent.requests().len(), 1);
    silent.release(2);
    assert_eq!(client.get(&places(&[silent.url()]), 9).await.unwrap().unwrap().0, b"x");
    silent.hold();
    let error = hasty().probe(&places(&[silent.url()])).await.unwrap_err();
    let NetError::Unavailable { failures, .. } = &error else { panic!("{error}") };
    assert_eq!(failures[0].why, Why::Unreachable("no answer within 50ms".to_owned()));
    silent.release_all();
}

#[tokio::test]
async fn redirects_are_followed_and_absence_is_told_apart() {
    let (first, second) = (Server::start(), Server::start());
    second.put("/there", vec![0; 99]);
    first.always("/a/file", Fault::Redirect(format!("{}there", second.url())));
    let found = network::client().probe(&places(&[first.url()])).await.unwrap();
    assert_eq!(found, Found { place: 0, size: Some(99) });
    first.always("/a/file", Fault::Redirect("/a/file".to_owned()));
    let error = network::client().probe(&places(&[first.url()])).await.unwrap_err();
    assert!(matches!(error, NetError::Unavailable { .. }), "{error}");
    let error = network::client().probe(&places(&[second.url()])).await.unwrap_err();
    assert!(matches!(error, NetError::NotFound { .. }), "{error}");
    let error = network::client().probe(&places(&[second.url(), nobody()])).await.unwrap_err();
    assert!(matches!(error, NetError::Unavailable { .. }), "{error}");
    assert!(matches!(network::client().probe(&[]).await.unwrap_err(), NetError::Nowhere { .. }));
}
