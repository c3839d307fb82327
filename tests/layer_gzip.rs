//! What compressed layers are to those who read them.

#[path = "support/layers.rs"]
mod layers;

use std::io::Read;

use flate2::Crc;
use flate2::bufread::GzDecoder;
use kimg::digest::Digest;
use kimg::layer::Compression;
use layers::{Dribble, Item, Random, file, folder, symlink, write, write_by};
use proptest::prelude::*;

const MIB: usize = 1 << 20;

/// Every way to compress; the slow levels only where `slow`.
fn ways(slow: bool) -> Vec<Compression> {
    let levels = if slow { 9 } else { 1 };
    let mut ways = vec![Compression::None, Compression::Gzip(None), Compression::Zstd(None)];
    ways.extend((1..=levels).map(|level| Compression::Gzip(Some(level))));
    ways
}

fn tree(random: &mut Random) -> Vec<Item> {
    vec![
        folder(b"a"),
        file(b"a/text", random.text(MIB + 1)),
        file(b"a/noise", random.noise(2 * MIB + 77)),
        symlink(b"a/link", b"text"),
        file(b"a/zeros", vec![0; MIB / 2]),
        file(b"a/mix", random.mix(3 * MIB / 2)),
        file(b"a/empty", Vec::new()),
    ]
}

fn unpack(compression: Compression, blob: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => blob.to_vec(),
        Compression::Zstd(_) => zstd::decode_all(blob).unwrap(),
        Compression::Gzip(_) => {
            let mut tar = Vec::new();
            // It ends after one member, so a second one would be left over.
            let mut decoder = GzDecoder::new(blob);
            decoder.read_to_end(&mut tar).unwrap();
            assert!(decoder.into_inner().is_empty(), "there is more than one member");
            tar
        }
    }
}

#[test]
fn every_blob_is_the_same_tar() {
    let tree = tree(&mut Random(1));
    let (layer, tar) = write(&tree, Compression::None, 2).unwrap();
    assert_eq!((layer.diff_id, layer.tar_size), (Digest::of(&tar), tar.len() as u64));
    for compression in ways(true) {
        let (compressed, blob) = write(&tree, compression, 2).unwrap();
        assert_eq!((compressed.digest, compressed.size), (Digest::of(&blob), blob.len() as u64), "{compression:?}");
        assert_eq!((compressed.diff_id, compressed.tar_size), (layer.diff_id, layer.tar_size), "{compression:?}");
        assert_eq!(compressed.entries, layer.entries, "{compression:?}");
        assert!(unpack(compression, &blob) == tar, "{compression:?}");
    }
}

/// RFC 1952, by hand: readers that are stricter than flate2 read it too.
#[test]
fn header_and_trailer_of_gzip() {
    let tree = tree(&mut Random(2));
    let (_, tar) = write(&tree, Compression::None, 2).unwrap();
    let (_, blob) = write(&tree, Compression::Gzip(None), 2).unwrap();
    assert_eq!(blob[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "no name, no time, no operating system");
    let mut crc = Crc::new();
    crc.update(&tar);
    let (crc_field, size_field) = blob[blob.len() - 8..].split_at(4);
    assert_eq!(crc_field, crc.sum().to_le_bytes());
    assert_eq!(size_field, u32::try_from(tar.len()).unwrap().to_le_bytes());
}

/// Each chunk is on its own: a tar of equal chunks is a blob of equal bytes.
#[test]
fn a_chunk_does_not_depend_on_the_one_before() {
    let chunk = Random(3).text(MIB);
    // The header takes the place of the first 512 bytes, so the chunks of the tar are equal from the second on.
    let blob = |chunks: usize| {
        let contents = [&chunk[512..], &chunk.repeat(chunks)].concat();
        write(&[file(b"file", contents)], Compression::Gzip(None), 2).unwrap().1
    };
    let (blob, shorter) = (blob(3), blob(2));
    let one = blob.len() - shorter.len();
    let (before, after) = blob[blob.len() - 3 * one..blob.len() - one].split_at(one);
    assert!(one > 64 << 10 && before == after);
}

#[test]
fn neither_threads_nor_reads_show() {
    let tree = tree(&mut Random(4));
    for compression in ways(false) {
        let (layer, blob) = write(&tree, compression, 1).unwrap();
        for threads in [2, 3, 8] {
            let mut seed = threads as u64;
            let (other, other_blob) = write_by(&tree, compression, threads, |bytes| {
                seed += 1;
                Box::new(Dribble { bytes, random: Random(seed), most: 20_000 })
            })
            .unwrap();
            assert_eq!(other, layer, "{compression:?} by {threads} threads");
            assert!(other_blob == blob, "{compression:?} by {threads} threads");
        }
    }
}

#[test]
fn layers_that_share_a_pool_do_not_mix() {
    let pool = kimg::layer::Pool::new(2);
    let trees: Vec<Vec<Item>> = (10..14).map(|seed| tree(&mut Random(seed))).collect();
    let alone: Vec<_> = trees.iter().map(|tree| write(tree, Compression::Gzip(None), 1).unwrap().0).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let write = |tree: &[Item]| {
            let none = Box::new(|_| {});
            let mut writer =
                kimg::layer::LayerWriter::new(Vec::new(), Compression::Gzip(None), layers::MTIME, &pool, none).unwrap();
            for (entry, bytes) in tree {
                writer.add(entry.clone(), &mut bytes.as_slice()).unwrap();
            }
            writer.finish().unwrap().0
        };
        let running: Vec<_> = trees.iter().map(|tree| scope.spawn(move || write(tree))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(together, alone);
}

#[test]
fn what_does_not_shrink_is_stored() {
    for size in [0, 1, 100, 65_535, 65_536, MIB - 1, MIB, MIB + 1, 7 * MIB / 2] {
        let (layer, blob) = write(&[file(b"file", Random(5).noise(size))], Compression::Gzip(Some(9)), 2).unwrap();
        let tar = layer.tar_size;
        // Header, trailer, the last block, and a header of each stored block; a chunk's last block may be short.
        let most = tar + 5 * tar.div_ceil(65_535) + 5 * tar.div_ceil(MIB as u64) + 10 + 2 + 8;
        assert!(blob.len() as u64 <= most, "{size}: {} of {tar}", blob.len());
    }
}

#[test]
fn progress_tells_the_bytes_of_tar() {
    let (sender, told) = std::sync::mpsc::channel();
    let progress = Box::new(move |done| sender.send(done).unwrap());
    let pool = kimg::layer::Pool::new(2);
    let mut writer =
        kimg::layer::LayerWriter::new(Vec::new(), Compression::Gzip(None), layers::MTIME, &pool, progress).unwrap();
    let (entry, bytes) = file(b"file", vec![1; 3 * MIB]);
    writer.add(entry, &mut bytes.as_slice()).unwrap();
    let (layer, _) = writer.finish().unwrap();
    let told: Vec<u64> = told.iter().collect();
    assert!(told.is_sorted() && told.len() == 4, "{told:?}");
    assert_eq!(told.last(), Some(&layer.tar_size));
}

/// A writer that fails after so many bytes.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_such() {
    use kimg::error::{Category, Diagnose};
    let pool = kimg::layer::Pool::new(2);
    let (entry, bytes) = file(b"file", Random(6).noise(20 * MIB));
    let mut writer =
        kimg::layer::LayerWriter::new(Full(MIB), Compression::Gzip(None), layers::MTIME, &pool, Box::new(|_| {}))
            .unwrap();
    // Before all was read: the chunks under way are bounded.
    let error = writer.add(entry, &mut bytes.as_slice()).unwrap_err();
    assert_eq!(
        (error.category(), error.to_string()),
        (Category::Failed, "writing a layer: no storage space".to_owned())
    );
    assert!(error.hint().unwrap().contains("kimg store prune"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_contents_come_back(seed in 1u64.., sizes in proptest::collection::vec(0..MIB * 3 / 2, 0..4), level in 1u32..=9) {
        let mut random = Random(seed);
        let items: Vec<Item> = sizes
            .into_iter()
            .enumerate()
            .map(|(index, size)| {
                let bytes = match random.next() >> 62 {
                    0 => random.noise(size),
                    1 => random.text(size),
                    _ => random.mix(size),
                };
                file(format!("file{index}").as_bytes(), bytes)
            })
            .collect();
        let (_, tar) = write(&items, Compression::None, 1).unwrap();
        for compression in [Compression::Gzip(Some(level)), Compression::Zstd(Some(level.cast_signed()))] {
            let (_, blob) = write(&items, compression, 2).unwrap();
            prop_assert!(unpack(compression, &blob) == tar, "{:?}", compression);
        }
    }
}
