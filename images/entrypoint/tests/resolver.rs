//! Names of hosts, by files and by a scripted name server.

mod scripted;

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use kimg_entrypoint::deadline::Deadline;
use kimg_entrypoint::resolver::Resolver;
use scripted::{container, put, root};

/// Names that were asked for by the type of the record.
type Asked = Arc<Mutex<Vec<(String, u16)>>>;

/// A name server; what it answers is made of the name and the type: a code and records (type, data).
fn serve(mut answer: impl FnMut(&str, u16) -> (u8, Vec<(u16, Vec<u8>)>) + Send + 'static) -> (SocketAddr, Asked) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (socket.local_addr().unwrap(), Asked::default());
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((size, client)) = socket.recv_from(&mut buffer) {
            let question = &buffer[12..size];
            let mut name = Vec::new();
            let mut at = 0;
            while question[at] != 0 {
                let end = at + 1 + usize::from(question[at]);
                name.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
                at = end;
            }
            let (name, kind) = (name.join("."), u16::from_be_bytes([question[at + 1], question[at + 2]]));
            log.lock().unwrap().push((name.clone(), kind));
            let (code, records) = answer(&name, kind);
            let count = u8::try_from(records.len()).unwrap();
            let mut message = [&buffer[..2], &[0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
            for (kind, data) in records {
                // The name is a pointer to the question's.
                message.extend([0xC0, 12]);
                message.extend([&kind.to_be_bytes()[..], &[0, 1, 0, 0, 0, 30]].concat());
                message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                message.extend(data);
            }
            socket.send_to(&message, client).unwrap();
        }
    });
    (address, asked)
}

fn with(servers: &[SocketAddr], search: &[&str], dots: usize) -> Resolver {
    let search = search.iter().map(|domain| (*domain).to_owned()).collect();
    Resolver { servers: servers.to_vec(), search, dots, ..Resolver::default() }
}

fn resolve(resolver: &Resolver, host: &str) -> Result<Vec<String>, String> {
    let found = resolver.addresses(host, 1, Deadline::after(Duration::from_secs(5)));
    found.map(|all| all.iter().map(ToString::to_string).collect()).map_err(|error| error.to_string())
}

#[test]
fn files_come_first() {
    let hosts =
        "127.0.0.1 localhost # kafka-9\n::1 localhost ip6-localhost\nfd00::7 Kafka-0.hs kafka-0\n10.0.0.7 kafka-0\n";
    let resolver = Resolver { hosts: hosts.to_owned(), ..Resolver::default() };
    for (host, expected) in [
        ("localhost", Ok(vec!["127.0.0.1:1", "[::1]:1"])),
        ("kafka-0", Ok(vec!["10.0.0.7:1", "[fd00::7]:1"])),
        ("KAFKA-0.HS", Ok(vec!["[fd00::7]:1"])),
        ("10.9.8.7", Ok(vec!["10.9.8.7:1"])),
        ("fd00::1", Ok(vec!["[fd00::1]:1"])),
        ("kafka-9", Err("its name does not resolve")),
        ("", Err("its name does not resolve")),
    ] {
        let expected = expected.map(|all| all.iter().map(ToString::to_string).collect()).map_err(str::to_owned);
        assert_eq!(resolve(&resolver, host), expected, "{host}");
    }
}

#[test]
fn both_types_are_asked_for_and_aliases_followed() {
    let (server, asked) = serve(|_, kind| match kind {
        1 => (0, vec![(5, b"\x03foo\0".to_vec()), (1, vec![10, 0, 0, 1]), (1, vec![10, 0, 0, 2])]),
        _ => (0, vec![(28, [&[0xFD][..], &[0; 14], &[1]].concat())]),
    });
    let found = resolve(&with(&[server], &[], 1), "zk.example");
    assert_eq!(found, Ok(["10.0.0.1:1", "10.0.0.2:1", "[fd00::1]:1"].map(str::to_owned).to_vec()));
    assert_eq!(*asked.lock().unwrap(), [("zk.example".to_owned(), 1), ("zk.example".to_owned(), 28)]);
}

#[test]
fn domains_are_tried_as_resolv_conf_says() {
    for (host, dots, expected) in [
        ("zk-0.zk-hs", 5, vec!["zk-0.zk-hs.ns.svc", "zk-0.zk-hs.svc", "zk-0.zk-hs"]),
        ("zk-0.zk-hs", 1, vec!["zk-0.zk-hs", "zk-0.zk-hs.ns.svc", "zk-0.zk-hs.svc"]),
        ("zk", 1, vec!["zk.ns.svc", "zk.svc", "zk"]),
        ("zk.", 5, vec!["zk"]),
    ] {
        let (server, asked) = serve(|_, _| (3, vec![]));
        let resolver = with(&[server], &["ns.svc", "svc."], dots);
        assert_eq!(resolve(&resolver, host), Err("its name does not resolve".to_owned()));
        let asked = asked.lock().unwrap();
        let names: Vec<&str> = asked.iter().filter(|(_, kind)| *kind == 1).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{host} {dots}");
    }
}

#[test]
fn a_server_that_fails_is_followed_by_the_next() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (failing, _) = serve(|_, _| (2, vec![]));
    let (good, _) = serve(|_, kind| (0, if kind == 1 { vec![(1, vec![10, 0, 0, 1])] } else { vec![] }));
    let found = |servers: &[SocketAddr]| {
        let deadline = Deadline::after(Duration::from_millis(600));
        with(servers, &[], 1).addresses("zk", 1, deadline).map_err(|error| error.to_string())
    };
    let expected = Ok(vec!["10.0.0.1:1".parse().unwrap()]);
    assert_eq!(found(&[failing, good]), expected);
    assert_eq!(found(&[silent.local_addr().unwrap(), good]), expected);
    assert_eq!(found(&[failing]), Err("its name server answers with error 2".to_owned()));
    assert_eq!(found(&[silent.local_addr().unwrap()]), Err("the name server 127.0.0.1 does not answer".to_owned()));
}

/// Answers of any bytes are addresses, or none, and nothing worse.
#[test]
fn any_answer_is_read_without_harm() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let whole = [
        &[0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 2, b'z', b'k', 0, 0, 1, 0, 1][..],
        &[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 1],
        &[0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 30, 0, 16, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]
    .concat();
    let answers: Vec<Vec<u8>> = (0..whole.len())
        .flat_map(|at| {
            let mut other = whole.clone();
            other[at] ^= 0xC1;
            [whole[..at].to_vec(), other]
        })
        .collect();
    let count = answers.len();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        for answer in answers {
            for _ in 0..2 {
                let (_, client) = socket.recv_from(&mut buffer).unwrap();
                socket.send_to(&[&buffer[..2], &answer].concat(), client).unwrap();
            }
        }
    });
    let results: Vec<_> = (0..count).map(|_| resolve(&with(&[server], &[], 1), "zk")).collect();
    assert!(results.iter().any(Result::is_ok) && results.iter().any(Result::is_err));
}

#[test]
fn the_container_says_whom_to_ask() {
    let root = root("resolver");
    put(&root, "etc/hosts", "10.0.0.1 zk\n");
    let text = "# comment\nsearch ns.svc.cluster.local svc.cluster.local ; more\nnameserver 10.96.0.10\nnameserver fe80::1%eth0\n\
                nameserver nonsense\noptions ndots:5 timeout:2\n";
    put(&root, "etc/resolv.conf", text);
    let resolver = Resolver::of(&container(&root, &[]));
    assert_eq!(resolver.servers, ["10.96.0.10:53", "[fe80::1]:53"].map(|server| server.parse().unwrap()));
    assert_eq!(resolver.search, ["ns.svc.cluster.local", "svc.cluster.local"]);
    assert_eq!((resolver.dots, resolver.hosts.as_str()), (5, "10.0.0.1 zk\n"));
    assert_eq!(Resolver::of(&container(&root.join("none"), &[])).dots, 1);
}
