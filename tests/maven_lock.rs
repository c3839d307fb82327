//! The locks that ship with kimg: what they name is signed where upstream signs, by keys that ship too, and without hosts.

use std::collections::BTreeSet;

use kimg::definition::{Catalog, Family};
use kimg::lock::{self, Input, Lock, Upstream};
use kimg::upstream::maven::Coordinates;
use kimg::upstream::openpgp::Keyring;

/// Every lock that ships, with its family.
fn shipped() -> Vec<(Family, Lock)> {
    let families = Catalog::builtin().families().unwrap();
    let locks = |family: Family| {
        let locks = family.versions().into_iter().map(|version| family.lock(version).unwrap().unwrap());
        locks.map(|lock| (family.clone(), lock)).collect::<Vec<_>>()
    };
    let all: Vec<_> = families.into_iter().flat_map(locks).collect();
    let images: Vec<&str> = all.iter().map(|(_, lock)| lock.image.as_str()).collect();
    assert_eq!(images, ["base:bookworm", "kafka:3.5.2", "zookeeper:3.8.4"]);
    all
}

fn inputs() -> Vec<(Family, Input)> {
    let inputs = |(family, lock): (Family, Lock)| lock.inputs.into_iter().map(move |input| (family.clone(), input));
    shipped().into_iter().flat_map(inputs).collect()
}

#[test]
fn every_input_of_the_product_carries_a_signature() {
    let mut signed = BTreeSet::new();
    for (family, input) in inputs().iter().filter(|(_, input)| input.layer == "product") {
        let signature = input.signature.as_ref().unwrap_or_else(|| panic!("{} is not signed", input.name));
        assert_eq!(signature.path, format!("{}.asc", input.path));
        assert_ne!((signature.sha256, signature.size), (input.sha256, input.size));
        signed.insert(family.definition.name.clone());
    }
    assert_eq!(signed, ["kafka", "zookeeper"].map(str::to_owned).into());
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
    let expected = [
        "42EFF58EC9BDFD20FA7DF8B16CCECEFAC04AC304",
        "52A7EA3EECAE05B0A8306471790761798F6E35FC",
        "AF3D175EC05DB249738D01AC8D8C3C3ED0B02E66",
    ];
    assert_eq!(signers, expected.map(str::to_owned).into());
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
                // Only the release archive itself comes from there.
                Upstream::Apache => false,
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
