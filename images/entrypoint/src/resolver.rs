//! Names of hosts: `/etc/hosts`, then the name servers of `/etc/resolv.conf`.
//!
//! The C library's own resolver is not for a static program: it loads parts of the C library that the image happens to
//! have, and needs them to be of the same version. What is done here is what every image has: files, then DNS (RFC 1035),
//! with search domains and `ndots` as resolv.conf(5) has them.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::container::Container;
use crate::deadline::Deadline;

/// Types of records.
const TYPES: [u16; 2] = [1, 28];

/// Servers beyond these are not asked (MAXNS).
const SERVERS: usize = 3;

/// How names of hosts become addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolver {
    /// The text of `/etc/hosts`.
    pub hosts: String,
    /// The name servers.
    pub servers: Vec<SocketAddr>,
    /// The domains that are tried behind a name.
    pub search: Vec<String>,
    /// A name with fewer dots is tried with the domains first.
    pub dots: usize,
}

impl Resolver {
    /// That of a container.
    pub fn of(container: &Container) -> Resolver {
        let hosts = container.read("/etc/hosts").unwrap_or_default();
        let mut resolver = Resolver { hosts, dots: 1, ..Resolver::default() };
        for line in container.read("/etc/resolv.conf").unwrap_or_default().lines() {
            let mut words = line.split(['#', ';']).next().unwrap_or_default().split_whitespace();
            match words.next() {
                Some("nameserver") => resolver.servers.extend(words.next().and_then(server)),
                Some("search" | "domain") => resolver.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    let mut dots = words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok());
                    resolver.dots = dots.next_back().unwrap_or(resolver.dots);
                }
                _ => {}
            }
        }
        resolver.servers.truncate(SERVERS);
        resolver
    }

    /// The addresses of a host, those of IPv4 first, as Java takes them.
    pub fn addresses(&self, host: &str, port: u16, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
        let with_port = |all: Vec<IpAddr>| all.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        if let Ok(address) = host.parse() {
            return Ok(with_port(vec![address]));
        }
        let in_file = self.in_file(host);
        if !in_file.is_empty() {
            return Ok(with_port(in_file));
        }
        let mut last = unknown();
        for name in self.names(host) {
            match self.ask(&name, deadline) {
                Ok(found) if !found.is_empty() => return Ok(with_port(found)),
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn in_file(&self, host: &str) -> Vec<IpAddr> {
        let lines = self.hosts.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
        let found = lines.filter_map(|mut words| {
            let address = words.next()?.parse().ok()?;
            words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
        });
        let (first, then): (Vec<IpAddr>, Vec<IpAddr>) = found.partition(IpAddr::is_ipv4);
        [first, then].concat()
    }

    /// The names that are asked for, in their order; one that ends with a dot is whole.
    fn names(&self, host: &str) -> Vec<String> {
        if let Some(whole) = host.strip_suffix('.') {
            return vec![whole.to_owned()];
        }
        let mut names: Vec<String> =
            self.search.iter().map(|domain| format!("{host}.{}", domain.trim_matches('.'))).collect();
        let at = if host.matches('.').count() >= self.dots { 0 } else { names.len() };
        names.insert(at, host.to_owned());
        names
    }

    /// Asks the servers in turn; each may take its share of the time.
    fn ask(&self, name: &str, deadline: Deadline) -> io::Result<Vec<IpAddr>> {
        let mut last = unknown();
        for (index, server) in self.servers.iter().enumerate() {
            let others = u32::try_from(self.servers.len() - index).unwrap_or(1);
            let Some(left) = deadline.left() else { break };
            match ask(*server, name, Deadline::after(left / others)) {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "its name does not resolve")
}

/// A zone, as in `fe80::1%eth0`, is of no use here.
fn server(text: &str) -> Option<SocketAddr> {
    let address = text.split('%').next()?.parse().ok()?;
    Some(SocketAddr::new(address, 53))
}

/// Asks a server for both types of addresses.
fn ask(server: SocketAddr, name: &str, deadline: Deadline) -> io::Result<Vec<IpAddr>> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    let mut id = [0; 2];
    File::open("/dev/urandom")?.read_exact(&mut id)?;
    let ids = TYPES.map(|kind| u16::from_be_bytes(id).wrapping_add(kind));
    for (id, kind) in ids.into_iter().zip(TYPES) {
        socket.send(&question(id, kind, name).ok_or_else(unknown)?)?;
    }
    let mut answers: [Option<Vec<IpAddr>>; 2] = [None, None];
    let mut buffer = [0; 4096];
    while answers.iter().any(Option::is_none) {
        let late =
            || io::Error::new(io::ErrorKind::TimedOut, format!("the name server {} does not answer", server.ip()));
        socket.set_read_timeout(Some(deadline.left().ok_or_else(late)?))?;
        let size = match socket.recv(&mut buffer) {
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(late()),
            Err(error) => return Err(error),
        };
        let answer = buffer.get(..size).unwrap_or_default();
        let which = ids.iter().position(|id| answer.get(..2) == Some(&id.to_be_bytes()[..]));
        if let Some(place) = which.and_then(|index| answers.get_mut(index)) {
            *place = Some(records(answer)?);
        }
    }
    Ok(answers.into_iter().flatten().flatten().collect())
}

/// A question with recursion wanted; `None` for what is no name.
fn question(id: u16, kind: u16, name: &str) -> Option<Vec<u8>> {
    let mut message = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in name.split('.') {
        let size = u8::try_from(label.len()).ok().filter(|size| (1..=63).contains(size))?;
        message.push(size);
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend([kind.to_be_bytes(), [0, 1]].concat());
    Some(message)
}

/// The addresses of an answer; those of aliases are in it too. A name that is not there has none.
fn records(message: &[u8]) -> io::Result<Vec<IpAddr>> {
    let number = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let flags = number(2).unwrap_or_default();
    if flags & 0x8000 == 0 || ![0, 3].contains(&(flags & 15)) {
        return Err(io::Error::other(format!("its name server answers with error {}", flags & 15)));
    }
    let mut found = Vec::new();
    let mut read = || {
        let mut at = 12;
        for _ in 0..number(4)? {
            at = after_name(message, at)? + 4;
        }
        for _ in 0..number(6)? {
            at = after_name(message, at)?;
            let (kind, size) = (number(at)?, usize::from(number(at + 8)?));
            let data = message.get(at + 10..at + 10 + size)?;
            match (kind, data.first_chunk::<4>(), data.first_chunk::<16>()) {
                (1, Some(bytes), _) => found.push(IpAddr::from(*bytes)),
                (28, _, Some(bytes)) => found.push(IpAddr::from(*bytes)),
                _ => {}
            }
            at += 10 + size;
        }
        Some(())
    };
    // One that is cut short tells what it has room for.
    let _ = read();
    Ok(found)
}

/// Where a name ends: at an empty label, or at a pointer to the rest of it.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            size if size & 0xC0 == 0xC0 => return Some(at + 2),
            size => at += 1 + usize::from(size),
        }
    }
}
