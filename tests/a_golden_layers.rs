//! The bytes of layers, as constants.
//!
//! Every lock records digests of layers, so a change of these bytes is a new epoch. This is to be known before any other
//! test compares a layer with a lock: cargo runs the integration tests by name, and this one's comes first. It is no
//! unit test, for the keys of layers cover all of `src/layer`.

#[path = "support/layers.rs"]
mod layers;

use std::fmt::Write;

use kimg::layer::{Compression, EPOCH};
use layers::{Item, Random, file, folder, hardlink, symlink, write};

const CHANGED: &str =
    "the encoders' bytes changed: that is a new EPOCH (src/layer/mod.rs), never an accident; with a new one, write the
lines that follow into this test";

const MIB: usize = 1 << 20;

/// A bit of everything.
fn tree() -> Vec<Item> {
    let mut random = Random(0x6b69_6d67);
    let mut owned = file(b"var/lib/data/owned", random.text(1));
    (owned.0.uid, owned.0.gid, owned.0.mode) = (1000, 3_000_000, 0o600);
    vec![
        folder(b"etc"),
        file(b"etc/empty", Vec::new()),
        file(b"etc/text", random.text(7 * MIB / 2)),
        symlink(b"etc/link", b"../etc/text"),
        hardlink(b"etc/same", b"etc/text"),
        file(b"usr/lib/zeros", vec![0; MIB + 1]),
        file(b"usr/lib/noise", random.noise(MIB)),
        file(&[b"usr/lib/", [b'n'; 120].as_slice()].concat(), random.mix(MIB - 1)),
        file("usr/lib/ä".as_bytes(), random.mix(1)),
        owned,
    ]
}

fn line(name: &str, items: &[Item], compression: Compression) -> String {
    let (layer, blob) = write(items, compression, 2).unwrap();
    assert_eq!(layer.size, blob.len() as u64);
    format!("{name}: {} bytes\n tar  {}\n blob {}\n", layer.size, layer.diff_id, layer.digest)
}

fn compare(found: &str, golden: &str) {
    assert!(found == golden, "{CHANGED}:\n{found}");
}

#[test]
fn the_epoch_is_the_one_of_these_constants() {
    assert_eq!(EPOCH, 1, "a new epoch has new constants in this test");
}

#[test]
fn every_encoder() {
    let tree = tree();
    let mut found = String::new();
    for (name, compression) in [
        ("none", Compression::None),
        ("gzip", Compression::Gzip(None)),
        ("gzip:1", Compression::Gzip(Some(1))),
        ("gzip:6", Compression::Gzip(Some(6))),
        ("gzip:9", Compression::Gzip(Some(9))),
        ("zstd", Compression::Zstd(None)),
        ("zstd:3", Compression::Zstd(Some(3))),
    ] {
        found += &line(name, &tree, compression);
    }
    // The slowest level: one frame of it has all kinds of bytes too.
    let small = [file(b"mix", Random(19).mix(MIB))];
    found += &line("zstd:19", &small, Compression::Zstd(Some(19)));
    compare(&found, ENCODERS);
}

/// Tars of sizes around the bounds of chunks: a header and two zero blocks come to each file.
#[test]
fn every_nature_of_bytes_around_the_bounds_of_chunks() {
    let mut found = String::new();
    for size in [0, 1, MIB - 1536 - 512, MIB - 1536, MIB - 1536 + 1, MIB - 1, MIB, MIB + 1, 7 * MIB / 2] {
        let mut random = Random(size as u64 + 1);
        for (name, bytes) in [
            ("text", random.text(size)),
            ("zeros", vec![0; size]),
            ("noise", random.noise(size)),
            ("mix", random.mix(size)),
        ] {
            let mut text = String::new();
            write!(text, "{name}:{size}").unwrap();
            found += &line(&text, &[file(b"file", bytes)], Compression::Gzip(None));
        }
    }
    compare(&found, BOUNDS);
}

const ENCODERS: &str = "\
none: 6829056 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
gzip: 2497357 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:5f44348dedfbab70e210d3f9d7872c70ef17ac08dd4c5121b9a33082bf1ef87b
gzip:1: 3082054 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:983e193408b9c869c76b1092c4971bd74543e87594d38085c77cd3ce6079f246
gzip:6: 2383830 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:9bbdbd96f949e6849b5904bd20674f1868486f7fb120e864c0f35a17b06dae18
gzip:9: 2329243 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:ef6af2094ba33f78cdcb9dba855e26e656b8dc3033c382ff9415a51ac73c8406
zstd: 2419228 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:5d28192aa4ba2f84fc0c19036d9b044f86a6b429790a9ada3795a1c7d56ceb77
zstd:3: 2419228 bytes
 tar  sha256:088fdbada838544372f7e3b68ff51bb43e2cdb86944386c5233ce4e860f03f80
 blob sha256:5d28192aa4ba2f84fc0c19036d9b044f86a6b429790a9ada3795a1c7d56ceb77
zstd:19: 355919 bytes
 tar  sha256:423305ebd32c3efce0429449c71cd7b3901c002ef7a4c5b03432606b9864eb9c
 blob sha256:6acc10b13ec895a2bfbcb7515b018f8337bcca382a658c2db4202cab69fb9269
";

const BOUNDS: &str = "\
text:0: 94 bytes
 tar  sha256:3a6738814f65a08b160eddbe9b8b3c2b469070fbb466e1b09cdcf7ebabced186
 blob sha256:4deaa970c75b1d98f2dfc2f57e92d499a5f290ce016b53f157c9dba1161784bb
zeros:0: 94 bytes
 tar  sha256:3a6738814f65a08b160eddbe9b8b3c2b469070fbb466e1b09cdcf7ebabced186
 blob sha256:4deaa970c75b1d98f2dfc2f57e92d499a5f290ce016b53f157c9dba1161784bb
noise:0: 94 bytes
 tar  sha256:3a6738814f65a08b160eddbe9b8b3c2b469070fbb466e1b09cdcf7ebabced186
 blob sha256:4deaa970c75b1d98f2dfc2f57e92d499a5f290ce016b53f157c9dba1161784bb
mix:0: 94 bytes
 tar  sha256:3a6738814f65a08b160eddbe9b8b3c2b469070fbb466e1b09cdcf7ebabced186
 blob sha256:4deaa970c75b1d98f2dfc2f57e92d499a5f290ce016b53f157c9dba1161784bb
text:1: 104 bytes
 tar  sha256:33bc7b87a65e05a9cdc0292a1f59fb44ab66da448e4373a0f58cffe7159373f8
 blob sha256:7fa72d708a34cfa5051ae5dd5914803230198aced3e15213eb53829f86066711
zeros:1: 100 bytes
 tar  sha256:fddfea9c8a33f2599e0ff36dc26795ca118d82c099a5d25abc6f31827a7e9b81
 blob sha256:780b434ff16aa1a75c222b8968f4481b5eae8aaba1844a82fa10b8febf16f4fd
noise:1: 104 bytes
 tar  sha256:b7d26aa3084ff37f98379797596910a41b700d183f1c8ee60e0bf9d7b3efa736
 blob sha256:a1072b9dee95ca20932646a29001b290626177c735fe183bbd65f921fdf9d942
mix:1: 100 bytes
 tar  sha256:fddfea9c8a33f2599e0ff36dc26795ca118d82c099a5d25abc6f31827a7e9b81
 blob sha256:780b434ff16aa1a75c222b8968f4481b5eae8aaba1844a82fa10b8febf16f4fd
text:1046528: 310726 bytes
 tar  sha256:ffac5966113a6d858844205ce574fd95e8a22e13e22160a468be21247d27affb
 blob sha256:f3acb57444fb217032d412c7e981541b434f720e60294ded7f2873f1aee5fea2
zeros:1046528: 1120 bytes
 tar  sha256:02e4b5316e0a9c13c854423f1ab5eff95f999da9ccbea54c1f483297bea045b0
 blob sha256:ff51d6c33411e664023255ad31e24fc38fc1f1fb438a8dbbc0c4fa5c361f77da
noise:1046528: 1048164 bytes
 tar  sha256:21f6de86b795624f1d882b8d46e406fead2b341a0d6600d9c161c89d022289b9
 blob sha256:e8ddd115bdef41b85ed7c938eaa6c74344630fa8449d0543fe978340b8259b26
mix:1046528: 518488 bytes
 tar  sha256:b9184b3c5a7872c9245274a5242071749abc943b06b05c8ce1ed5752b05cc166
 blob sha256:91208d83126d8cd6ee0b50f28f7f92caa81b3ff3ada6eaa474bc0c58bda3dab2
text:1047040: 311270 bytes
 tar  sha256:5ee538209e90cd69da28c0fdbad32a5ada4bb045a30d57a7c701951628db0fd6
 blob sha256:7190b035897650b45f3de0de7db28868c3763b3c4a44a47cfbb9fe83c3fa5c94
zeros:1047040: 1121 bytes
 tar  sha256:d17a427f105bbd7be4158c2481f6bf3e44fa6fd35392d28479dfa6770e28f07f
 blob sha256:577f00c9fc2183d831c9c2784ecebb4223aea4ed18c7aab52458e219467965cf
noise:1047040: 1048681 bytes
 tar  sha256:f1634e0eb2ab7d26cac3eea970e4d4a1970a490b3e2e65a8c49272c8c9474eb3
 blob sha256:7ff952169b43019d923abb07d5654ba61d0a98d3fa0fd282e9b701d3790d0cb7
mix:1047040: 333761 bytes
 tar  sha256:70a5658c637cd6f6026ab8346d39216eb5e85a2850dc4d041254c50c58a5debc
 blob sha256:1b70a96c8bcc7cbc42a01e6e0858469e751d147e30084280a16ee9a0f6a84268
text:1047041: 310832 bytes
 tar  sha256:b2b946f21ee8cf82354a9bfb98f2f12313d75db1db2e169b19e1f0b057b13435
 blob sha256:d39532d26d30fdfad069dc53468916674beb3763d41dfb338bbb07e46d471a2f
zeros:1047041: 1134 bytes
 tar  sha256:f85f089efe11bf17304f75b07707733611461af7d37ae89107d622308ca97c2e
 blob sha256:af1921a1bc125c0c73a53cb8641481bde5ae3abb45893abbbd699e7c6a4259f3
noise:1047041: 1048693 bytes
 tar  sha256:e86c4e4a590e061996a8a22523773144dfecb0459495e681c963acf43620d951
 blob sha256:2ff55db0e720887cdad1fd435b3e63fa114fd1f5817554b93e5d901d802d4593
mix:1047041: 411633 bytes
 tar  sha256:82a269172383632b7636d5bed3e1bf3da1c2f955e7b7f425f50844dd5641c5fd
 blob sha256:1f1e2614978fa70cd5b9082f1b0318c996bdf747018dae0f1fe93cc23dafea4c
text:1048575: 311750 bytes
 tar  sha256:954d2aa4b7b352fbb40a3ce702a3169cb17ede3ad4b088afc6390414a62c1f90
 blob sha256:9061bbd92f88450950cb452d3b32a0aa7ea9a0e11cfe8f0f7b38438f706d8835
zeros:1048575: 1138 bytes
 tar  sha256:9f3bc4bc4b5dd650d67c1e2cefd859037a570c51871203fd5304aa4a22b109c0
 blob sha256:14ebfc0b2f55d996019421eff39294fcc325e985d5731b972d3567e577a87f43
noise:1048575: 1049234 bytes
 tar  sha256:4ce5ce0899d9f20b84fe5c15e7dc6941a223011025305a637ff77eebf6ce772f
 blob sha256:d8a324decd2148139735619481c1375d40ebc58d6c1553d90e672dc11e5c820f
mix:1048575: 396391 bytes
 tar  sha256:f1f9df4077fcfd775eee75b0643e9b383248d2e4dc56ec73cccc593b6bf1ca85
 blob sha256:3f4d1ad62121944a385696b8992099493239ea9309c53d4560fe81d3152b4e64
text:1048576: 311847 bytes
 tar  sha256:97940392c35f7e900819eb0d84ff70f381b0f45d53cccdf476ebce04e0594e2a
 blob sha256:fada366abd7fb28914dd888599c216ce0f5932de46df6d616c476ad03704af00
zeros:1048576: 1138 bytes
 tar  sha256:f5accafd2186a3ce61d51c5f44f66ccc8a8828c544ca09165f9e167437e5cc25
 blob sha256:75ba19b5038188ee7da8902000e61ef937140707ce097bf2816fb1aad64c8e5f
noise:1048576: 1049233 bytes
 tar  sha256:50c332e982afa2bfdb7137fbf9cbd560e3db4c4d483dc0cbee86886cdf431443
 blob sha256:9ad901b096b2fb303c15300884b23ac97104264ef87075c0bc57de93544bfc0b
mix:1048576: 431022 bytes
 tar  sha256:582415f5152a9c5d76a5890f4d528e88da8e9edc94ff3bc88b6ced3c9f8c8e8d
 blob sha256:2f4c5deabbef3cd71a4b492098e65340389f934186e26510ea88079cce304ae7
text:1048577: 311542 bytes
 tar  sha256:dd8e8945ec21bd57a976862c57ab79e42487ce09f8a0016c6d02c1c7d3c4bf3d
 blob sha256:129241f52e6e2b90f6e254c176dd41e6f9547b338e12da56879bc23ddfd8d774
zeros:1048577: 1141 bytes
 tar  sha256:0cf539b12dfa00cec873e1ce15ffaca52212afbf322a0777df22b7c140016e0e
 blob sha256:44f592383b2259118c1ec7ef7fb95548e93d48511aca7342160df6455573fdd3
noise:1048577: 1049240 bytes
 tar  sha256:4fdf677482f1fac26024801c9efb98eb2e99ddc1d1855e7b4aeec98bb6136407
 blob sha256:86517ae90133a472d7d576b01507d9418adb592209cb97224bb2d43dfc264206
mix:1048577: 322351 bytes
 tar  sha256:bec4ceb91773af371ae56d5e9ded3568370cb84563e97e1e5613876bfa343e88
 blob sha256:d4d2b7379d99adce1f88e44290747ef6df081117cd7431446dfa8ee3b615baf6
text:3670016: 1090430 bytes
 tar  sha256:80c08c93e4db16c5477b8f7dc51316e2d4335b27be84d0f426401fe6c45c435a
 blob sha256:dfac2cd198063d067d1fb89feb08ab98d04c706363aa7e99a49d8f86587bfa9d
zeros:3670016: 3725 bytes
 tar  sha256:3b17028a7a6d6a03a3f1c755dfac8e7e93be5185e969c1c969c3f78ead6a97c2
 blob sha256:7f359bbc447e7793e6913c1aef878e8cd4d91df03d0ecaa637ef3cf8f236b608
noise:3670016: 3671872 bytes
 tar  sha256:79aea12b52d403f5eb12c726cfa4a1e4a289e79abf3d2fcdf67a213e226e75b2
 blob sha256:c0ea3915747070735da5c768857174079d323396ab849594b0e05b4c3bba897d
mix:3670016: 1594850 bytes
 tar  sha256:5d1876010e60983fbc23211568cc27bc7c03ab49a3ac696815369a84f01d86da
 blob sha256:67b2be27b6b24f42de06de737e2575a8fa0325d1db299437506f3f172402d198
";
