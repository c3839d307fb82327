//! Cluster ids: 16 bytes as 22 characters of base64url, as org.apache.kafka.common.Uuid writes them.

use std::fs::File;
use std::io::{self, Read};

use super::data::Data;
use super::mode::Mode;
use super::quorum::{self, Roles};
use super::{Dialect, Layout, release};
use crate::container::Container;
use crate::problem::{Findings, Problem};
use crate::properties::Properties;

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

/// The id that Kafka reads in a text, as it writes it: what is above 16 bytes in the last character is dropped, and `=` at
/// the end too (org.apache.kafka.common.Uuid.fromString). `None` where it refuses the text.
pub fn canonical(text: &str) -> Option<String> {
    let value = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte).map(|value| value as u128);
    let text = text.strip_suffix("==").unwrap_or(text);
    let values = text.bytes().map(value).collect::<Option<Vec<u128>>>().filter(|values| values.len() == 22)?;
    let (last, first) = values.split_last()?;
    let number = first.iter().fold(0, |number: u128, value| (number << 6) | value);
    Some(encode(&((number << 2) | (last >> 4)).to_be_bytes()))
}

/// An id for a text that is none, always the same for the same text: to be proposed, so that all nodes get the same.
pub fn derive(text: &str) -> String {
    let digits = text.replace('-', "");
    if digits.len() == 32
        && let Ok(number) = u128::from_str_radix(&digits, 16)
    {
        // A UUID as others write it: the same 16 bytes.
        return encode(&number.to_be_bytes());
    }
    // FNV-1a of 128 bits: no secret is kept by it, and nobody needs to find two texts with one id.
    let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
    let hash = text.bytes().fold(0x6C62_272E_07BB_0142_62B8_2175_6295_C58D, step);
    let id = encode(&hash.to_be_bytes());
    // Kafka makes none that begins with a dash, which a tool would take for a flag.
    if id.starts_with('-') { encode(&(hash >> 1).to_be_bytes()) } else { id }
}

/// The variables that name a cluster id: of apache and confluent, of bitnami, and of nobody.
const VARIABLES: [&str; 3] = ["CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID", MISNAMED];

/// What people write for the first.
const MISNAMED: &str = "KAFKA_CLUSTER_ID";

/// What apache/kafka gives every cluster that is given none (docker/resources/common-scripts/configureDefaults).
const APACHE: &str = "5L6g3nShT-eMCtK--X86sw";

/// What leaves formatting to the user (bitnami/kafka, libkafka.sh).
const SKIP: &str = "KAFKA_SKIP_KRAFT_STORAGE_INIT";

/// Decides on the id of the cluster: that of the data, else the one asked for; made up on a single node only. `None`
/// where nothing is formatted.
pub fn decide(
    container: &Container,
    properties: &Properties,
    mode: Mode,
    data: &Data,
    layout: &Layout,
    dialect: Dialect,
    findings: &mut Findings,
) -> Option<String> {
    let environment = &container.environment;
    if mode == Mode::ZooKeeper {
        for (name, value) in VARIABLES.iter().filter_map(|name| Some((*name, environment.get(name)?))) {
            let why = "it is not used: with ZooKeeper, the cluster has the id that is kept there";
            findings
                .warn(Problem::new(name, why, "leave it out, or set KAFKA_PROCESS_ROLES for KRaft").with_value(value));
        }
        return None;
    }
    if environment.get(SKIP).is_some_and(|text| ["1", "yes", "true"].contains(&text.to_lowercase().as_str())) {
        if data.formatted.len() < data.folders.len() {
            let why = "so the storage is not formatted, and Kafka does not start before it is";
            let hint = "leave it out, or run `kafka-storage.sh format` on this volume first";
            findings.warn(Problem::new(SKIP, why, hint));
        }
        return None;
    }
    warn_of_a_new_quorum(properties, data, findings);
    let asked = asked(container, findings);
    let found = data.formatted.iter().find_map(|found| Some((found.cluster_id.clone()?, found.folder.display())));
    match (asked, found) {
        (Some(asked), Some((found, folder))) => {
            if asked.text != found && asked.canonical.as_ref() != Some(&found) {
                let why = format!("the data in {folder} is of the cluster {found}");
                let hint = format!("set it to {found}, or mount the volume of that cluster");
                findings.refuse(Problem::new(asked.name, why, hint).with_value(asked.text));
            }
            Some(found)
        }
        (None, Some((found, _))) => Some(found),
        (Some(asked), None) => {
            // org.apache.kafka.metadata.storage.Formatter reads it no more.
            let takes_any_text = release::of(container, layout) >= (3, 9);
            Some(to_format_with(asked, takes_any_text, findings))
        }
        (None, None) => without_one(properties, mode, dialect, findings),
    }
}

/// Without `controller.quorum.voters` the first controllers know each other from their storage, which only Kafka's own
/// tool writes; what is written here is what it writes for one that joins them (`--no-initial-controllers`).
fn warn_of_a_new_quorum(properties: &Properties, data: &Data, findings: &mut Findings) {
    let is_controller = properties.get("process.roles").is_some_and(|text| text.contains("controller"));
    let has_voters = properties.get("controller.quorum.voters").is_some();
    let servers = properties.origin("controller.quorum.bootstrap.servers");
    if let (true, false, true, Some(servers)) = (is_controller, has_voters, data.formatted.is_empty(), servers) {
        let why =
            "a new controller without KAFKA_CONTROLLER_QUORUM_VOTERS joins a quorum that is there, and begins none";
        let hint = "set KAFKA_CONTROLLER_QUORUM_VOTERS, or format the first controllers by `kafka-storage.sh format \
                    --standalone` or `--initial-controllers`";
        findings.warn(Problem::new(servers, why, hint));
    }
}

/// An id that was asked for.
struct Asked {
    name: &'static str,
    text: String,
    canonical: Option<String>,
}

/// The first that is set; others must mean the same.
fn asked(container: &Container, findings: &mut Findings) -> Option<Asked> {
    let set = VARIABLES.iter().filter_map(|name| Some((*name, container.environment.get(name)?.trim())));
    let mut all = set.map(|(name, text)| Asked { name, text: text.to_owned(), canonical: canonical(text) });
    let Some(first) = all.next() else { return in_scripts(container, findings) };
    if first.name == MISNAMED {
        let why = "no image has a variable of this name; it is taken for CLUSTER_ID";
        findings.warn(Problem::new(MISNAMED, why, "write CLUSTER_ID").with_value(&first.text));
    }
    for other in all {
        let same = other.text == first.text || (other.canonical.is_some() && other.canonical == first.canonical);
        if !same {
            let why = format!("{} is set too, to {}", first.name, first.text);
            let hint = "leave out one of them: a node is of one cluster";
            findings.refuse(Problem::new(other.name, why, hint).with_value(other.text));
        }
    }
    Some(first)
}

/// Confluent's start before 7.4 formatted no storage, so people append the command to its scripts, and name the id there.
const SCRIPTS: [&str; 3] =
    ["/etc/confluent/docker/ensure", "/etc/confluent/docker/run", "/etc/confluent/docker/configure"];

/// The id in a line `kafka-storage format … -t ID …` of the user's, in a script that does nothing else here.
fn in_scripts(container: &Container, findings: &mut Findings) -> Option<Asked> {
    SCRIPTS.into_iter().find_map(|name| {
        let script = container.read(name)?;
        let line = script.lines().rfind(|line| line.contains("kafka-storage") && line.contains("format"))?;
        let mut words = line.split_whitespace().skip_while(|word| !matches!(*word, "-t" | "--cluster-id"));
        let text = words.nth(1)?.trim_matches(['"', '\'']).to_owned();
        if text.contains('$') {
            let why = "its id of the cluster is a shell's expression, which is not run here";
            findings.warn(Problem::new(name, why, "set CLUSTER_ID").with_value(line.trim()));
            return None;
        }
        findings.note(format!("cluster.id: {text} ({name}: {})", line.trim()));
        Some(Asked { name, canonical: canonical(&text), text })
    })
}

/// What is written into new storage: what this version's `kafka-storage.sh format` writes. To 3.8 that is the id which the
/// text holds, and from 3.9 the text as it is, whatever it is. A text without an id in it, which the tool to 3.8 refuses, is
/// taken as it is there too: all nodes of a cluster need the same, and the broker does not look into it.
fn to_format_with(asked: Asked, takes_any_text: bool, findings: &mut Findings) -> String {
    let Err(why) = check(&asked.text) else { return asked.text };
    match (asked.canonical, takes_any_text) {
        (_, true) => {
            let hint =
                "keep it for the nodes of this cluster; give a new one what `kafka-storage.sh random-uuid` makes";
            let why = format!("it is no id of Kafka's ({why}), and this version takes it as it is");
            findings.warn(Problem::new(asked.name, why, hint).with_value(&asked.text));
            asked.text
        }
        (Some(canonical), false) => {
            let why = format!("{why}; Kafka takes it for {canonical}, and so does this image");
            let hint = format!("set it to {canonical}");
            findings.warn(Problem::new(asked.name, why, hint).with_value(asked.text));
            canonical
        }
        // The broker itself reads the text as it is; only the tool of this version would refuse it.
        (None, false) => {
            let id = derive(&asked.text);
            let why = format!(
                "it is no id of Kafka's ({why}), which `kafka-storage.sh` of this version refuses; it is taken as it is"
            );
            let hint = format!(
                "keep it for the nodes of this cluster; give a new one {id}, or what `kafka-storage.sh random-uuid` makes"
            );
            findings.warn(Problem::new(asked.name, why, hint).with_value(&asked.text));
            asked.text
        }
    }
}

/// Without data and without a variable.
fn without_one(properties: &Properties, mode: Mode, dialect: Dialect, findings: &mut Findings) -> Option<String> {
    let is_single = mode == Mode::KraftSingle || is_alone(properties);
    if !is_single && dialect == Dialect::Apache {
        let why =
            format!("it is not set; apache/kafka gives every such cluster the same, {APACHE}, and so does this image");
        let hint = "set it to what `kafka-storage.sh random-uuid` makes, so that no other cluster has it";
        findings.warn(Problem::new("CLUSTER_ID", why, hint));
        return Some(APACHE.to_owned());
    }
    if !is_single {
        let hint = "`kafka-storage.sh random-uuid` makes one; all nodes of a cluster need the same";
        findings.refuse(Problem::new("CLUSTER_ID", "it is not set, and the data folder is not formatted", hint));
        return None;
    }
    match make() {
        Ok(made) => {
            findings.note(format!("cluster.id: {made} (made up for a single node, kept with its data)"));
            Some(made)
        }
        Err(error) => {
            let why = format!("it is not set, and none can be made up: {error}");
            findings.refuse(Problem::new("CLUSTER_ID", why, "`kafka-storage.sh random-uuid` makes one"));
            None
        }
    }
}

/// Whether this node is broker and the only controller: its cluster begins with it.
fn is_alone(properties: &Properties) -> bool {
    let text = |name: &str| properties.get(name).unwrap_or_default();
    let is_combined = Roles::parse(text("process.roles")).is_ok_and(|roles| roles.broker && roles.controller);
    is_combined && quorum::parse_voters(text("controller.quorum.voters")).is_ok_and(|voters| voters.len() == 1)
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

    #[test]
    fn a_uuid_of_others_keeps_its_bytes() {
        assert_eq!(derive("00010203-0405-0607-0809-0a0b0c0d0e0f"), "AAECAwQFBgcICQoLDA0ODw");
    }

    #[test]
    fn what_kafka_reads_is_canonical() {
        // Of Confluent's examples: the last character holds bits that are beyond 16 bytes.
        assert_eq!(canonical("MkU3OEVBNTcwNTJENDM2Qk").as_deref(), Some("MkU3OEVBNTcwNTJENDM2Qg"));
        assert_eq!(canonical("AAECAwQFBgcICQoLDA0ODw==").as_deref(), Some("AAECAwQFBgcICQoLDA0ODw"));
        for text in ["", "kraft-docker", "AAECAwQFBgcICQoLDA0OD!", "AAECAwQFBgcICQoLDA0O"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
        for _ in 0..1000 {
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let id = encode(&((u128::from(next()) << 64) | u128::from(next())).to_be_bytes());
            assert_eq!((check(&id), canonical(&id)), (Ok(()), Some(id.clone())));
            let derived = derive(&id);
            assert_eq!((check(&derived), derived.starts_with('-')), (Ok(()), false), "{id}");
        }
    }
}
