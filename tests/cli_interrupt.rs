//! Ctrl-C and SIGTERM end a build or a copy that waits for the network: in order, with 130.

#[path = "support/command.rs"]
mod command;
#[path = "support/demo.rs"]
mod demo;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use command::Kimg;
use demo::demo;
use kimg::oci::{Descriptor, media_type};
use kimg::store::Store;
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_signal_ends_the_build_with_130() {
    for (signal, progress) in [(Signal::INT, "plain"), (Signal::TERM, "plain"), (Signal::INT, "json")] {
        let kimg = demo();
        // It takes the connection, and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("maven=http://{}/", listener.local_addr().unwrap());
        let arguments = ["build", "demo", "--images", "images", "--mirror", &mirror, "--progress", progress];
        let child = kimg.command(&arguments).spawn().unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        // The request is under way once its first byte is here.
        connection.read_exact(&mut [0]).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal:?}");
        assert!(output.stdout.is_empty(), "{signal:?}");
        let story = String::from_utf8(output.stderr).unwrap();
        let last = story.lines().last().unwrap_or_default();
        match progress {
            "json" => assert!(last.contains(r#""message":"interrupted""#) && last.contains("130"), "{story}"),
            _ => assert_eq!(last, "interrupted", "{story}"),
        }
    }
}

/// A registry of one image, whose layer stops in the midst of it.
struct Stalling {
    config: Vec<u8>,
    manifest: Vec<u8>,
    layer: Descriptor,
}

impl Stalling {
    fn new() -> Stalling {
        let layer = Descriptor::of(media_type::LAYER, &[7; 3_000_000]);
        let config = format!(
            r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            layer.digest
        );
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "layers": [layer],
            "config": Descriptor::of(media_type::CONFIG, config.as_bytes()),
        });
        Stalling { config: config.into_bytes(), manifest: manifest.to_string().into_bytes(), layer }
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut requests = BufReader::new(stream.try_clone().unwrap());
        loop {
            let mut lines = Vec::new();
            let mut line = String::new();
            while requests.read_line(&mut line).is_ok_and(|count| count > 2) {
                lines.push(std::mem::take(&mut line));
            }
            let Some(first) = lines.first() else { return };
            let stalls = first.contains(&self.layer.digest.to_string());
            let (bytes, kind) = match first {
                _ if stalls => (&[7; 1_500_000][..], "application/octet-stream"),
                first if first.contains("/manifests/") => (&self.manifest[..], media_type::MANIFEST),
                _ => (&self.config[..], "application/octet-stream"),
            };
            let length = if stalls { self.layer.size } else { bytes.len() as u64 };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
            let body = if first.starts_with("HEAD") { &[][..] } else { bytes };
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
                return;
            }
        }
    }
}

#[test]
fn a_signal_ends_a_copy_and_what_was_done_stays() {
    let kimg = Kimg::new().with("KIMG_HOME", "store");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let registry = Stalling::new();
    let config = Descriptor::of(media_type::CONFIG, &registry.config);
    let manifest = Descriptor::of(media_type::MANIFEST, &registry.manifest);
    let name = format!("{}/x:1@{}", listener.local_addr().unwrap(), manifest.digest);
    // It ends with the process of the tests: its threads wait for connections.
    let registry = std::sync::Arc::new(registry);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let registry = registry.clone();
            std::thread::spawn(move || registry.answer(stream));
        }
    });
    let mut child = kimg.command(&["pull", &name, "--progress", "json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // The configuration is there, and the layer is under way.
    assert!(lines.any(|line| line.contains(r#""sent":{"blobs":1,"#)));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let last = lines.last().unwrap_or_default();
    assert!(last.contains(r#""message":"interrupted""#), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let store = Store::open(&kimg.home().join("store")).unwrap();
    assert!(store.has(&config) && !store.has(&manifest));
    assert_eq!(store.layout().index().unwrap().manifests, []);
}
