//! Life as PID 1. This program is started once more for each test, in a role: signals go to a whole process, and the
//! standard harness has threads that would take them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};

use kimg_entrypoint::container::Container;
use kimg_entrypoint::environment::Environment;
use kimg_entrypoint::java::Java;
use kimg_entrypoint::kafka::wait::{Waited, for_zookeeper};
use kimg_entrypoint::kafka::{Layout, configure};
use kimg_entrypoint::life;
use kimg_entrypoint::signals::{self, Held, Signal};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["role", role, script, beside] => return play(role, script, beside),
        ["--list", ..] => {
            let _ = writeln!(std::io::stdout(), "life: test");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    listen_to_signals();
    exit_codes_are_those_of_java();
    signals_are_passed_on();
    a_child_begins_with_no_signal_held_back();
    programs_run_beside_java();
    what_is_beside_ends_with_java();
    what_cannot_start_is_a_problem();
    signals_reach_a_program_before_java();
    a_wait_ends_when_a_signal_comes();
    a_wait_for_zookeeper_ends_when_a_signal_comes();
    let _ = writeln!(std::io::stdout(), "life: ok");
    ExitCode::SUCCESS
}

/// A shell starts what runs in its background with signals ignored, and what is ignored stays so in every child.
fn listen_to_signals() {
    #[allow(unsafe_code, reason = "the standard library has no call for it")]
    unsafe extern "C" {
        fn signal(signal: i32, handler: usize) -> usize;
    }
    const DEFAULT: usize = 0;
    for number in [1, 2, 3, 15] {
        // SAFETY: the handler is SIG_DFL, and no thread runs yet.
        #[allow(unsafe_code, reason = "the standard library has no call for it")]
        unsafe {
            signal(number, DEFAULT);
        }
    }
}

/// Java, as far as these tests need one: a shell with a script.
fn shell(script: &str) -> Java {
    // The options and the class path come before the main class; `-cp` would be the shell's, so it gets what it knows.
    let body = format!("set --; {script}");
    Java { program: "/bin/sh".into(), options: vec!["-c".to_owned(), body], main: "main".to_owned(), ..Java::default() }
}

fn play(role: &str, script: &str, beside: &str) -> ExitCode {
    match role {
        "supervise" => {
            let after_start = || match beside {
                "" => {}
                "stay" => {
                    let _ = writeln!(std::io::stdout(), "beside");
                    std::thread::sleep(std::time::Duration::from_secs(60));
                }
                _ => {
                    let status = Command::new("/bin/sh").args(["-c", beside]).status().unwrap();
                    let _ = writeln!(std::io::stdout(), "beside {}", status.code().unwrap_or(-1));
                }
            };
            life::supervise(&shell(script), after_start).unwrap_or(ExitCode::from(99))
        }
        "before" => ExitCode::from(life::run_before(Command::new("/bin/sh").args(["-c", script])).unwrap()),
        "wait" => {
            let held = Held::new(&Signal::ENDING);
            let _ = writeln!(std::io::stdout(), "ready");
            let signal = held.next(std::time::Duration::from_secs(60));
            signal.map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.exit_code()))
        }
        "zookeeper" => wait_for(script),
        _ => ExitCode::from(98),
    }
}

/// Waits for a ZooKeeper at which nobody listens.
fn wait_for(connect: &str) -> ExitCode {
    let variables = [("KIMG_DIALECT", "kimg"), ("KAFKA_ZOOKEEPER_CONNECT", connect)];
    let container =
        Container { root: "/nonexistent".into(), environment: Environment::of(variables), ..Container::default() };
    let configuration = configure(&container, &Layout::of_image(""));
    let waited = for_zookeeper(&configuration, &container, &mut |line| {
        let _ = writeln!(std::io::stdout(), "{line}");
    });
    match waited {
        Waited::Stopped(signal) => ExitCode::from(signal.exit_code()),
        _ => ExitCode::FAILURE,
    }
}

struct Player {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Player {
    fn start(role: &str, script: &str, beside: &str) -> Player {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["role", role, script, beside])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Player { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn send(&self, signal: Signal) {
        signals::send(self.child.id(), signal).unwrap();
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

fn exit_codes_are_those_of_java() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 143", 143), ("kill -9 $$", 137)] {
        assert_eq!(Player::start("supervise", script, "").code(), Some(code), "{script}");
        assert_eq!(Player::start("before", script, "").code(), Some(code), "{script}");
    }
}

fn signals_are_passed_on() {
    let names = [
        (Signal::TERMINATE, "TERM"),
        (Signal::INTERRUPT, "INT"),
        (Signal::HANG_UP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USER_1, "USR1"),
        (Signal::USER_2, "USR2"),
    ];
    for (signal, name) in names {
        let script = format!("trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done");
        let mut player = Player::start("supervise", &script, "");
        assert_eq!(player.line(), "ready");
        player.send(signal);
        assert_eq!((player.line(), player.code()), (format!("got {name}"), Some(5)));
    }
    let mut player = Player::start("supervise", "echo ready; exec sleep 60", "");
    assert_eq!(player.line(), "ready");
    player.send(Signal::TERMINATE);
    assert_eq!(player.code(), Some(143), "a program without a handler ends by the signal");
}

fn a_child_begins_with_no_signal_held_back() {
    let script =
        "while read -r name mask; do [ \"$name\" = SigBlk: ] && echo \"$mask\"; done < /proc/$$/status; exit 0";
    let mut player = Player::start("supervise", script, "");
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = own.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim().to_owned();
    assert_eq!(player.line(), mask);
}

fn programs_run_beside_java() {
    let mut player = Player::start("supervise", "exec sleep 60", "exit 3");
    assert_eq!(player.line(), "beside 3");
    player.send(Signal::TERMINATE);
    assert_eq!(player.code(), Some(143));
}

/// What is done beside ends with Java, and its own end is no trouble.
fn what_is_beside_ends_with_java() {
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    // The first ends by itself. The second is ended: its standard output is closed when it is gone, and not before.
    for (beside, told) in [("exit 0", "beside 0"), ("stay", "beside")] {
        let mut player = Player::start("supervise", script, beside);
        let mut lines = [player.line(), player.line()];
        lines.sort();
        assert_eq!(lines, [told, "ready"]);
        player.send(Signal::TERMINATE);
        assert_eq!(player.code(), Some(9));
        assert!(player.lines.next().is_none());
    }
}

fn what_cannot_start_is_a_problem() {
    let java = Java { program: "/nonexistent/java".into(), ..Java::default() };
    let problem = life::supervise(&java, || ()).unwrap_err();
    assert!(problem.to_string().starts_with("error: /nonexistent/java: it cannot be started"), "{problem}");
}

fn signals_reach_a_program_before_java() {
    let script = "trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done";
    let mut player = Player::start("before", script, "");
    assert_eq!(player.line(), "ready");
    player.send(Signal::TERMINATE);
    assert_eq!(player.code(), Some(6));
}

fn a_wait_ends_when_a_signal_comes() {
    let mut player = Player::start("wait", "", "");
    assert_eq!(player.line(), "ready");
    player.send(Signal::TERMINATE);
    assert_eq!(player.code(), Some(143));
}

fn a_wait_for_zookeeper_ends_when_a_signal_comes() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut player = Player::start("zookeeper", &port.to_string(), "");
    assert!(player.line().starts_with("waiting for ZooKeeper"));
    player.send(Signal::TERMINATE);
    assert_eq!(player.code(), Some(143));
}
