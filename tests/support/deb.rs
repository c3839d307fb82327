//! Tars and .debs in memory, well made or hostile: every header field is the test's to choose.
#![allow(dead_code, unreachable_pub)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use liblzma::write::XzEncoder;

/// How a member of a .deb is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    None,
    Gzip,
    Xz,
    Zstd,
}

/// All that a .deb may use.
pub const PACKINGS: [Packing; 4] = [Packing::None, Packing::Gzip, Packing::Xz, Packing::Zstd];

impl Packing {
    pub fn ending(self) -> &'static str {
        match self {
            Packing::None => "",
            Packing::Gzip => ".gz",
            Packing::Xz => ".xz",
            Packing::Zstd => ".zst",
        }
    }

    pub fn pack(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Packing::None => bytes.to_vec(),
            Packing::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Packing::Xz => {
                let mut encoder = XzEncoder::new(Vec::new(), 0);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Packing::Zstd => zstd::bulk::compress(bytes, 1).unwrap(),
        }
    }
}

/// A tar under way; paths are written as they are given.
#[derive(Debug, Clone, Default)]
pub struct Tar {
    bytes: Vec<u8>,
    /// The paths of its files, for md5sums.
    files: Vec<String>,
}

impl Tar {
    pub fn new() -> Tar {
        Tar::default()
    }

    pub fn folder(self, path: &str) -> Tar {
        self.folder_of(path, 0o755, 0, 0)
    }

    pub fn folder_of(self, path: &str, mode: u32, uid: u32, gid: u32) -> Tar {
        self.raw(&Raw { mode, uid, gid, ..Raw::new(b'5', path) }, b"")
    }

    pub fn file(self, path: &str, bytes: &[u8]) -> Tar {
        self.file_of(path, 0o644, bytes)
    }

    pub fn file_of(mut self, path: &str, mode: u32, bytes: &[u8]) -> Tar {
        self.files.push(path.trim_start_matches("./").to_owned());
        self.raw(&Raw { mode, size: bytes.len() as u64, ..Raw::new(b'0', path) }, bytes)
    }

    pub fn symlink(self, path: &str, target: &str) -> Tar {
        self.raw(&Raw { mode: 0o777, target: target.as_bytes(), ..Raw::new(b'2', path) }, b"")
    }

    pub fn hardlink(self, path: &str, target: &str) -> Tar {
        self.raw(&Raw { mode: 0o755, target: target.as_bytes(), ..Raw::new(b'1', path) }, b"")
    }

    /// An entry of this header, and these bytes behind it, whatever size the header declares.
    pub fn raw(mut self, raw: &Raw<'_>, content: &[u8]) -> Tar {
        self.bytes.extend(raw.header());
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// Its bytes, ended properly.
    pub fn finish(&self) -> Vec<u8> {
        [self.bytes.as_slice(), &[0; 1024]].concat()
    }

    /// A line for each file. The digests are made up: nobody checks them against the files.
    fn md5sums(&self) -> String {
        let digest = |path: &str| kimg::digest::Digest::of(path.as_bytes()).hex()[..32].to_owned();
        self.files.iter().map(|path| format!("{}  {path}\n", digest(path))).collect()
    }
}

/// The fields of a tar header.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    pub kind: u8,
    pub path: &'a [u8],
    pub target: &'a [u8],
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
}

impl<'a> Raw<'a> {
    pub fn new(kind: u8, path: &'a str) -> Raw<'a> {
        Raw { kind, path: path.as_bytes(), target: b"", mode: 0o644, uid: 0, gid: 0, size: 0 }
    }

    fn header(&self) -> [u8; 512] {
        let mut header = [0; 512];
        header[..self.path.len()].copy_from_slice(self.path);
        let octal = |header: &mut [u8; 512], at: usize, width: usize, value: u64| {
            header[at..at + width].copy_from_slice(format!("{value:0digits$o}\0", digits = width - 1).as_bytes());
        };
        octal(&mut header, 100, 8, u64::from(self.mode));
        octal(&mut header, 108, 8, u64::from(self.uid));
        octal(&mut header, 116, 8, u64::from(self.gid));
        octal(&mut header, 124, 12, self.size);
        // A time of its own, which must not reach a layer.
        octal(&mut header, 136, 12, 1_234_567_890);
        header[156] = self.kind;
        header[157..157 + self.target.len()].copy_from_slice(self.target);
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[265..269].copy_from_slice(b"user");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }
}

/// A .deb under way.
#[derive(Debug, Clone)]
pub struct Deb {
    pub name: String,
    pub data: Tar,
    pub control: Packing,
    pub packing: Packing,
    pub format: String,
    /// Further fields of the control stanza.
    pub more: String,
}

impl Deb {
    pub fn new(name: &str, data: Tar) -> Deb {
        let (name, format, more) = (name.to_owned(), "2.0\n".to_owned(), String::new());
        Deb { name, data, control: Packing::Xz, packing: Packing::Xz, format, more }
    }

    pub fn packed(self, control: Packing, data: Packing) -> Deb {
        Deb { control, packing: data, ..self }
    }

    /// The control stanza.
    pub fn stanza(&self) -> String {
        let Deb { name, more, .. } = self;
        format!("Package: {name}\nVersion: 1.0\nArchitecture: amd64\nDescription: made by a test\n{more}")
    }

    /// The control archive.
    pub fn control_tar(&self) -> Tar {
        let control = Tar::new().folder("./").file("./control", self.stanza().as_bytes());
        control.file("./md5sums", self.data.md5sums().as_bytes()).file_of("./postinst", 0o755, b"#!/bin/sh\nexit 1\n")
    }

    /// The members, by name.
    pub fn members(&self) -> Vec<(String, Vec<u8>)> {
        let packed = |packing: Packing, tar: &Tar| packing.pack(&tar.finish());
        vec![
            ("debian-binary".to_owned(), self.format.clone().into_bytes()),
            (format!("control.tar{}", self.control.ending()), packed(self.control, &self.control_tar())),
            (format!("data.tar{}", self.packing.ending()), packed(self.packing, &self.data)),
        ]
    }

    pub fn bytes(&self) -> Vec<u8> {
        archive(&self.members())
    }
}

/// An ar archive of these members.
pub fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ar::Header::new(name.clone().into_bytes(), bytes.len() as u64);
        header.set_mode(0o100_644);
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}
