//! Ctrl-C and SIGTERM end a build that waits for the network: in order, with 130.

#[path = "support/command.rs"]
mod command;
#[path = "support/demo.rs"]
mod demo;

use std::io::Read;
use std::net::TcpListener;

use demo::demo;
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
