//! Standard output is the answer, standard error the story, and neither may be there any more.

#[path = "support/command.rs"]
mod command;

use std::fs::OpenOptions;
use std::process::Stdio;

use command::Kimg;
use serde_json::Value;

#[test]
fn a_reader_that_left_is_no_error() {
    let kimg = Kimg::new();
    for arguments in [&["completions", "bash"][..], &["--help"], &["store", "ls"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = kimg.command(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let kimg = Kimg::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = kimg.command(&["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let story = String::from_utf8(output.stderr).unwrap();
    assert!(story.starts_with("error: standard output: cannot write: "), "{story}");
}

#[test]
fn without_a_reader_of_the_story_the_exit_code_stays() {
    let kimg = Kimg::new();
    for arguments in [&["biuld"][..], &["build", "a", "b", "-t", "c"], &["--progress=json", "build", "a", "-j", "0"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = kimg.command(arguments).stderr(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let closed = kimg.command(&["store", "check"]).stderr(Stdio::null()).output().unwrap();
    assert_eq!(closed.status.code(), Some(0));
}

#[test]
fn errors_are_json_where_progress_is() {
    let kimg = Kimg::new();
    for (arguments, code) in [
        (&["--progress", "json", "build", "kafka", "--add", "absent:/x"][..], 1),
        (&["build", "--progress=json", "kafka", "--threads", "many"], 2),
    ] {
        let output = kimg.output(arguments);
        assert_eq!(output.status.code(), Some(code));
        let story = String::from_utf8(output.stderr).unwrap();
        let line: Value = serde_json::from_str(&story).unwrap();
        assert_eq!((&line["version"], &line["event"]), (&1.into(), &"error".into()));
        assert_eq!(line["exit_code"], code);
        assert!(line["message"].is_string());
    }
}
