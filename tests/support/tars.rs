//! Tars as somebody from outside makes them: every field of a header as it is wanted, wrong ones too.

/// A tar under way.
#[derive(Debug, Clone, Default)]
pub struct Tar(pub Vec<u8>);

/// A header's fields.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// The name field, at most 100 bytes.
    pub name: &'a [u8],
    /// The type flag.
    pub kind: u8,
    /// The size field; the contents' size where absent.
    pub size: Option<&'a [u8]>,
    /// The link's target.
    pub target: &'a [u8],
    /// The mode field.
    pub mode: &'a [u8],
    /// The user field.
    pub uid: &'a [u8],
    /// Magic and version.
    pub magic: &'a [u8],
    /// The contents.
    pub contents: &'a [u8],
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Fields {
            name: b"file",
            kind: b'0',
            size: None,
            target: b"",
            mode: b"0000644",
            uid: b"0000000",
            magic: b"ustar\x0000",
            contents: b"",
        }
    }
}

#[allow(dead_code, reason = "each test program uses a part of this")]
impl Tar {
    /// Adds a header and contents.
    pub fn add(mut self, fields: Fields<'_>) -> Tar {
        let mut header = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, fields.name);
        put(100, fields.mode);
        put(108, fields.uid);
        put(116, b"0000000");
        match fields.size {
            Some(size) => put(124, size),
            None => put(124, format!("{:011o}", fields.contents.len()).as_bytes()),
        }
        put(136, b"00000000000");
        put(156, &[fields.kind]);
        put(157, fields.target);
        put(257, fields.magic);
        put(148, b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(fields.contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// Adds an entry without contents.
    pub fn entry(self, kind: u8, name: &[u8], target: &[u8]) -> Tar {
        self.add(Fields { name, kind, target, ..Fields::default() })
    }

    /// Adds a file.
    pub fn file(self, name: &[u8], contents: &[u8]) -> Tar {
        self.add(Fields { name, contents, ..Fields::default() })
    }

    /// Adds a PAX header with these records.
    pub fn pax(self, records: &[(&str, &[u8])]) -> Tar {
        self.extension(b'x', &records.iter().flat_map(|(key, value)| record(key, value)).collect::<Vec<u8>>())
    }

    /// Adds an extension header with these contents.
    pub fn extension(self, kind: u8, contents: &[u8]) -> Tar {
        self.add(Fields { name: b"extension", kind, contents, ..Fields::default() })
    }

    /// Ends it.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

/// "LENGTH KEY=VALUE\n".
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest + 1..).find(|length| rest + length.to_string().len() == *length).unwrap();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}
