//! Cluster ids: 16 bytes as 22 characters of base64url, as org.apache.kafka.common.Uuid writes them.

use std::fs::File;
use std::io::{self, Read};

use super::data::Data;
use super::mode::Mode;
use crate::container::Container;
use crate::problem::{Findings, Problem};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Why a text is no cluster id. Kafka alters one that is not canonical without a word.
pub fn check(text: &str) -> Result<(), &'static str> {
    let value = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte);
    if text.len() != 22 {
        return Err("it must have 22 characters");
    }
    match text.bytes().map(value).collect::<Option<Vec<_>>>() {
        None => Err("it may have letters, digits, `-` and `_` only"),
        // 22 characters hold 132 bits, 4 more than 16 bytes have.
        Some(values) if values.last().is_some_and(|last| last % 16 != 0) => {
            Err("its last character must be A, Q, g or w")
        }
        Some(_) => Ok(()),
    }
}

/// A new cluster id, out of the kernel's random numbers.
pub fn make() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(encode(&bytes))
}

fn encode(bytes: &[u8; 16]) -> String {
    let number = u128::from_be_bytes(*bytes);
    let digit = |index: u32| {
        // The last character holds the lowest 2 bits, shifted up by the 4 that are missing.
        let bits = if index < 21 { number >> (122 - 6 * index) } else { number << 4 };
        char::from(ALPHABET[(bits & 63) as usize])
    };
    (0..22).map(digit).collect()
}

/// Decides on the id of the cluster: that of the data, else the one asked for; made up on a single node only.
pub fn decide(container: &Container, mode: Mode, data: &Data, findings: &mut Findings) -> Option<String> {
    if mode == Mode::ZooKeeper {
        return None;
    }
    let environment = &container.environment;
    let found = data.found.as_ref().and_then(|found| Some((found.cluster_id.clone()?, found.folder.display())));
    let asked = environment.first(&["CLUSTER_ID", "KAFKA_CLUSTER_ID"]);
    match (asked, found) {
        (Some((name, asked)), Some((found, folder))) if asked != found => {
            let why = format!("it is {asked}, and the data in {folder} has {found}");
            findings.refuse(Problem::new(name, why, format!("set it to {found}, or mount the volume of that cluster")));
            None
        }
        (_, Some((found, _))) => Some(found),
        (Some((name, asked)), None) => {
            if let Err(why) = check(asked) {
                findings.refuse(Problem::new(
                    name,
                    format!("`{asked}`: {why}"),
                    "`kafka-storage.sh random-uuid` makes one",
                ));
            }
            Some(asked.to_owned())
        }
        (None, None) if mode == Mode::Kraft => {
            let hint = "`kafka-storage.sh random-uuid` makes one; all nodes of a cluster need the same";
            findings.refuse(Problem::new("CLUSTER_ID", "it is not set, and the data folder is not formatted", hint));
            None
        }
        (None, None) => match make() {
            Ok(made) => {
                findings.note(format!("cluster.id: {made} (made up for a single node, kept with its data)"));
                Some(made)
            }
            Err(error) => {
                let why = format!("it is not set, and none can be made up: {error}");
                findings.refuse(Problem::new("CLUSTER_ID", why, "`kafka-storage.sh random-uuid` makes one"));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ids() {
        assert_eq!(encode(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(encode(&[255; 16]), "_____________________w");
        let counted: [u8; 16] = std::array::from_fn(|index| index as u8);
        assert_eq!(encode(&counted), "AAECAwQFBgcICQoLDA0ODw");
        for id in [encode(&[255; 16]), make().unwrap()] {
            assert_eq!(check(&id), Ok(()), "{id}");
        }
    }

    #[test]
    fn texts_that_are_none() {
        for text in ["", "kraft-docker", "AAECAwQFBgcICQoLDA0OD!", "AAECAwQFBgcICQoLDA0ODx"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
