//! The locks that ship with kimg: what they name is signed where upstream signs, by keys that ship too, and without hosts.

use std::collections::BTreeSet;

use kimg::definition::{Catalog, Family};
use kimg::lock::{self, Input, Lock, Upstream};
use kimg::upstream::maven::Coordinates;
use kimg::upstream::openpgp::Keyring;

/// What the README promises; further versions are data that no test needs to know.
const PROMISED: [&str; 8] = [
    "base:bookworm",
    "kafka:3.5.2",
    "kafka:3.9.1",
    "kafka:4.3.0",
    "zookeeper:3.4.10",
    "zookeeper:3.8.4",
    "zookeeper:3.8.6",
    "zookeeper:3.9.4",
];

/// Every lock that ships, with its family.
fn shipped() -> Vec<(Family, Lock)> {
    let families = Catalog::builtin().families().unwrap();
    let locks = |family: Family| {
        let locks = family.versions().into_iter().map(|version| family.lock(version).unwrap().unwrap());
        locks.map(|lock| (family.clone(), lock)).collect::<Vec<_>>()
    };
    let all: Vec<_> = families.into_iter().flat_map(locks).collect();
    let images: Vec<&str> = all.iter().map(|(_, lock)| lock.image.as_str()).collect();
    for image in PROMISED {
        assert!(images.contains(&image), "{image} is not among {images:?}");
    }
    all
}

fn inputs() -> Vec<(Family, Input)> {
    let inputs = |(family, lock): (Family, Lock)| lock.inputs.into_iter().map(move |input| (family.clone(), input));
    shipped().into_iter().flat_map(inputs).collect()
}

#[test]
fn every_input_of_the_product_carries_a_signature_or_the_version_warns() {
    let mut unsigned = Vec::new();
    for (family, lock) in shipped() {
        let (_, version) = lock.image.split_once(':').unwrap();
        let known = &family.definition.versions[version];
        for input in lock.inputs.iter().filter(|input| input.layer == "product") {
            let Some(signature) = &input.signature else {
                assert!(known.unsigned, "{}: {} is not signed", lock.image, input.name);
                continue;
            };
            assert!(!known.unsigned, "{}: {} is signed", lock.image, input.name);
            assert_eq!(signature.path, format!("{}.asc", input.path));
            assert_ne!((signature.sha256, signature.size), (input.sha256, input.size));
        }
        if known.unsigned {
            assert!(known.warning.as_ref().is_some_and(|text| text.contains("only its digest vouches for it")));
            unsigned.push(lock.image.clone());
        }
    }
    assert_eq!(unsigned, ["zookeeper:3.4.10"]);
}

#[test]
fn every_signer_is_among_the_keys_of_its_definition() {
    let mut signers = BTreeSet::new();
    for (family, lock) in shipped() {
        let keys = Keyring::from_keys_file(&family.keys().unwrap()).unwrap().fingerprints();
        for signature in lock.inputs.iter().filter_map(|input| input.signature.as_ref()) {
            assert!(keys.contains(&signature.signer), "{}: {}", lock.image, signature.signer);
            signers.insert(signature.signer.clone());
        }
    }
    for expected in [
        "3F7A1D16FA4217B1DC75E1C9FFE35B7F15DFA1BA",
        "42EFF58EC9BDFD20FA7DF8B16CCECEFAC04AC304",
        "52A7EA3EECAE05B0A8306471790761798F6E35FC",
        "AF3D175EC05DB249738D01AC8D8C3C3ED0B02E66",
        "D3DF932A03037580D5453F498060FC0DA962AFE5",
    ] {
        assert!(signers.contains(expected), "{expected} is not among {signers:?}");
    }
}

#[test]
fn no_path_holds_a_host() {
    for (_, input) in inputs() {
        let paths = [Some(&input.path), input.signature.as_ref().map(|signature| &signature.path)];
        for path in paths.into_iter().flatten() {
            let below = match input.upstream {
                Upstream::Debian | Upstream::DebianSecurity => path.starts_with("pool/"),
                // A file lies in the folder of its version, below that of its artifact.
                Upstream::Maven => {
                    let parts: Vec<&str> = path.rsplit('/').collect();
                    parts.len() > 3 && parts[0].starts_with(&format!("{}-{}", parts[2], parts[1]))
                }
                // Only the release archive itself comes from there, and URLs are the user's.
                Upstream::Apache | Upstream::Url => false,
            };
            assert!(lock::is_upstream_path(path) && below && !path.contains(':'), "{path}");
        }
    }
}

#[test]
fn paths_of_jars_are_those_of_their_coordinates() {
    for (_, input) in inputs().into_iter().filter(|(_, input)| input.upstream == Upstream::Maven) {
        let parts: Vec<&str> = input.path.rsplitn(4, '/').collect();
        let [file, version, artifact, group] = parts.as_slice() else { panic!("{}", input.path) };
        let rest = file.strip_prefix(&format!("{artifact}-{version}")).and_then(|rest| rest.strip_suffix(".jar"));
        let classifier = rest.unwrap().replacen('-', ":", 1);
        let text = format!("{}:{artifact}:{version}{classifier}", group.replace('/', "."));
        let coordinates: Coordinates = text.parse().unwrap();
        assert_eq!((coordinates.path(), coordinates.to_string()), (input.path.clone(), text));
        assert_eq!(input.file_name(), input.name);
    }
}

#[test]
fn no_input_stands_in_a_lock_twice_and_all_fit_their_definition() {
    for (family, lock) in shipped() {
        lock::check_fit(&lock, &family.definition).unwrap();
        let mut seen = BTreeSet::new();
        for input in &lock.inputs {
            assert!(seen.insert((&input.layer, &input.name, &input.platform)), "{}: {}", lock.image, input.name);
            assert!(input.size > 0, "{}", input.name);
        }
        assert!(!lock.outputs.is_empty(), "{}", lock.image);
    }
}
