//! Headers that describe the entry after them: GNU's long names, and PAX records (POSIX.1-2001, "pax Header Block").

use tar::{EntryType, Header};

/// Bytes of one such header, at most; Go's archive/tar has the same bound.
pub(super) const LONGEST: u64 = 1 << 20;

/// A kind of header that describes the entry after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    LongPath,
    LongTarget,
    Records,
}

impl Kind {
    /// What kind of extension a header announces; `None` for entries and for all that is not known.
    pub(super) fn of(header: &Header) -> Option<Kind> {
        // A header of neither format only happens to have the letter.
        if header.as_gnu().is_none() && header.as_ustar().is_none() {
            return None;
        }
        match header.entry_type() {
            EntryType::GNULongName => Some(Kind::LongPath),
            EntryType::GNULongLink => Some(Kind::LongTarget),
            EntryType::XHeader => Some(Kind::Records),
            _ => None,
        }
    }
}

/// What the headers before an entry say of it. Readers disagree on which of two values counts, so nothing may be said
/// twice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub path: Option<Vec<u8>>,
    pub target: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    /// Whether the contents are a map of a sparse file and its pieces.
    pub sparse: bool,
    kinds: Vec<Kind>,
}

impl Extensions {
    /// Takes the contents of one header.
    pub(super) fn take(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), &'static str> {
        if self.kinds.contains(&kind) {
            return Err(TWICE);
        }
        self.kinds.push(kind);
        match kind {
            Kind::LongPath => set(&mut self.path, without_end(bytes).to_vec()),
            Kind::LongTarget => set(&mut self.target, without_end(bytes).to_vec()),
            Kind::Records => self.take_records(bytes),
        }
    }

    fn take_records(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or("a PAX record is malformed")?;
            bytes = rest;
            // An empty value takes the record back: what the entry's own header says holds.
            if value.is_empty() {
                continue;
            }
            match key {
                b"path" => set(&mut self.path, value.to_vec())?,
                b"linkpath" => set(&mut self.target, value.to_vec())?,
                b"size" => set(&mut self.size, number(value)?)?,
                b"uid" => set(&mut self.uid, number(value)?)?,
                b"gid" => set(&mut self.gid, number(value)?)?,
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

const TWICE: &str = "two extension headers say the same of one entry";

fn set<T>(field: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(TWICE),
    }
}

/// GNU ends a long name with a NUL.
fn without_end(name: &[u8]) -> &[u8] {
    name.strip_suffix(b"\0").unwrap_or(name)
}

/// Key and value of "LENGTH KEY=VALUE\n", where LENGTH counts itself, and what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space]).ok()?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..], rest))
}

fn number(digits: &[u8]) -> Result<u64, &'static str> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or("a number of a PAX record is malformed")
}
