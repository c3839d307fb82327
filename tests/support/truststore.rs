//! Reads a JKS truststore as Java does (sun.security.provider.JavaKeyStore).
#![allow(dead_code, unreachable_pub)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

pub struct Truststore {
    pub entries: Vec<Trusted>,
}

pub struct Trusted {
    pub alias: String,
    /// Its date, since 1970.
    pub milliseconds: i64,
    pub der: Vec<u8>,
}

impl Truststore {
    /// Checks magic, version, kinds, count and seal.
    pub fn read(bytes: &[u8]) -> Truststore {
        let (store, seal) = bytes.split_at(bytes.len() - 20);
        let password: Vec<u8> = "changeit".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(Sha1::digest([password.as_slice(), b"Mighty Aphrodite", store].concat()).as_slice(), seal);
        let mut reader = Reader(store);
        assert_eq!((reader.number(4), reader.number(4)), (0xFEED_FEED, 2));
        let count = reader.number(4);
        let entries = (0..count).map(|_| reader.entry()).collect();
        assert!(reader.0.is_empty());
        Truststore { entries }
    }

    /// The certificates as PEM text.
    pub fn pem(&self) -> Vec<String> {
        let lines = |der: &[u8]| {
            let text = STANDARD.encode(der);
            let lines = text.as_bytes().chunks(64).map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()));
            lines.collect::<String>()
        };
        let block = |der| format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines(der));
        self.entries.iter().map(|entry| block(&entry.der)).collect()
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes(&mut self, count: usize) -> &[u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn number(&mut self, width: usize) -> u64 {
        self.bytes(width).iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn text(&mut self) -> String {
        let length = self.number(2) as usize;
        String::from_utf8(self.bytes(length).to_vec()).unwrap()
    }

    fn entry(&mut self) -> Trusted {
        assert_eq!(self.number(4), 2, "a trusted certificate");
        let alias = self.text();
        let milliseconds = self.number(8) as i64;
        assert_eq!(self.text(), "X.509");
        let length = self.number(4) as usize;
        Trusted { alias, milliseconds, der: self.bytes(length).to_vec() }
    }
}
