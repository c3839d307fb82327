//! Tar headers: ustar (POSIX.1-1988), and PAX records (POSIX.1-2001) where ustar has no room. Every field is set here.

use super::{Entry, EntryKind};

pub(super) const BLOCK: usize = 512;

/// The headers of one entry, whole blocks: what stands in a tar before its contents.
pub fn encode(entry: &Entry, mtime: u64) -> Vec<u8> {
    let mut path = entry.path.as_bytes().to_vec();
    if entry.kind == EntryKind::Directory {
        path.push(b'/');
    }
    let (kind, size, target) = match &entry.kind {
        EntryKind::File { size } => (b'0', *size, &[][..]),
        EntryKind::Hardlink { target } => (b'1', 0, target.as_bytes()),
        EntryKind::Symlink { target } => (b'2', 0, target.as_slice()),
        EntryKind::Directory => (b'5', 0, &[][..]),
    };
    let mut header = Header::new(kind, entry.mode, mtime);
    let mut records = Records::default();
    if !header.set_path(&path) {
        records.add_bytes("path", &path);
    }
    if !header.set_target(target) {
        records.add_bytes("linkpath", target);
    }
    for (field, name, value) in
        [(SIZE, "size", size), (UID, "uid", u64::from(entry.uid)), (GID, "gid", u64::from(entry.gid))]
    {
        if !header.set_number(field, value) {
            records.add(name, value.to_string().as_bytes());
        }
    }
    match records.finish() {
        None => header.finish().to_vec(),
        Some(records) => {
            let mut extended = Header::new(b'x', 0o644, mtime);
            extended.set_path(b"PaxHeader");
            extended.set_number(SIZE, records.len() as u64);
            let mut all = extended.finish().to_vec();
            all.extend_from_slice(&records);
            all.resize(all.len().next_multiple_of(BLOCK), 0);
            all.extend_from_slice(&header.finish());
            all
        }
    }
}

type Field = std::ops::Range<usize>;

const NAME: Field = 0..100;
const MODE: Field = 100..108;
const UID: Field = 108..116;
const GID: Field = 116..124;
const SIZE: Field = 124..136;
const MTIME: Field = 136..148;
const CHECKSUM: Field = 148..156;
const KIND: usize = 156;
const TARGET: Field = 157..257;
const MAGIC: Field = 257..265;
const DEVICE_MAJOR: Field = 329..337;
const DEVICE_MINOR: Field = 337..345;
const PREFIX: Field = 345..500;

struct Header([u8; BLOCK]);

impl Header {
    fn new(kind: u8, mode: u32, mtime: u64) -> Header {
        let mut header = Header([0; BLOCK]);
        header.0[KIND] = kind;
        header.0[MAGIC].copy_from_slice(b"ustar\x0000");
        header.set_number(MODE, u64::from(mode & 0o7777));
        for field in [UID, GID, SIZE, DEVICE_MAJOR, DEVICE_MINOR] {
            header.set_number(field, 0);
        }
        // Eleven octal digits last until the year 2242.
        header.set_number(MTIME, mtime);
        header
    }

    /// Octal digits with leading zeros and a final NUL; false where they don't fit, and the field stays 0.
    fn set_number(&mut self, field: Field, value: u64) -> bool {
        let digits = field.len() - 1;
        let text = format!("{value:0digits$o}\0");
        let fits = text.len() == field.len();
        if fits {
            self.0[field].copy_from_slice(text.as_bytes());
        }
        fits
    }

    /// False where the path needs a PAX record; the name field then holds its beginning, for readers without PAX.
    fn set_path(&mut self, path: &[u8]) -> bool {
        if !path.is_ascii() {
            self.fill(NAME, &readable(path));
            return false;
        }
        if path.len() <= NAME.len() {
            self.fill(NAME, path);
            return true;
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let split = slashes.into_iter().find(|at| {
            let rest = path.len() - at - 1;
            (1..=PREFIX.len()).contains(at) && (1..=NAME.len()).contains(&rest)
        });
        match split {
            Some(at) => {
                self.fill(PREFIX, &path[..at]);
                self.fill(NAME, &path[at + 1..]);
                true
            }
            None => {
                self.fill(NAME, &readable(path));
                false
            }
        }
    }

    fn set_target(&mut self, target: &[u8]) -> bool {
        let fits = target.is_ascii() && target.len() <= TARGET.len();
        self.fill(TARGET, &readable(target));
        fits
    }

    fn fill(&mut self, field: Field, bytes: &[u8]) {
        let length = bytes.len().min(field.len());
        self.0[field.start..field.start + length].copy_from_slice(&bytes[..length]);
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.0[CHECKSUM].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.0[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// The bytes with `?` for what is not ASCII.
fn readable(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect()
}

/// PAX records, in the order in which they are added.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    binary: bool,
}

impl Records {
    /// A name: PAX says UTF-8, and names that are not are announced by `hdrcharset=BINARY`.
    fn add_bytes(&mut self, key: &str, value: &[u8]) {
        if std::str::from_utf8(value).is_err() && !self.binary {
            self.binary = true;
            self.add("hdrcharset", b"BINARY");
        }
        self.add(key, value);
    }

    fn add(&mut self, key: &str, value: &[u8]) {
        // "LENGTH KEY=VALUE\n", where LENGTH counts itself.
        let rest = key.len() + value.len() + 3;
        let mut length = rest;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        self.bytes.extend_from_slice(format!("{length} {key}=").as_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'\n');
    }

    fn finish(self) -> Option<Vec<u8>> {
        (!self.bytes.is_empty()).then_some(self.bytes)
    }
}
