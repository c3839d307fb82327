//! What of an image is copied: platforms of indexes, what goes along with them, and what is there already.

#[path = "support/graphs.rs"]
mod graphs;

use std::collections::BTreeSet;

use graphs::{Memory, Notes};
use kimg::copy::{Choice, CopyError, Execution, Plan, execute};
use kimg::digest::Digest;
use kimg::error::{Category, Diagnose};
use kimg::event::Events;
use kimg::oci::{Descriptor, Platform, media_type};
use serde_json::json;

fn platforms(texts: &[&str]) -> Choice {
    let parse = |text: &&str| text.parse::<Platform>().unwrap();
    Choice { platforms: texts.iter().map(parse).collect(), ..Choice::default() }
}

fn manifests(plan: &Plan) -> Vec<Digest> {
    plan.manifests.iter().map(|(descriptor, _)| descriptor.digest).collect()
}

fn digests(descriptors: &[&Descriptor]) -> Vec<Digest> {
    descriptors.iter().map(|descriptor| descriptor.digest).collect()
}

/// An index of three platforms.
fn three(memory: &mut Memory) -> (Descriptor, [Descriptor; 3]) {
    let children = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"].map(|platform| memory.child(platform));
    (memory.index(&children), children)
}

#[test]
fn one_platform_is_its_manifest() {
    let mut memory = Memory::default();
    let (index, children) = three(&mut memory);
    for (wanted, child) in [
        ("linux/amd64", 0),
        ("linux/amd64/v1", 0),
        ("linux/arm64", 1),
        ("linux/arm64/v8", 1),
        ("linux/arm", 2),
        ("linux/arm/v7", 2),
    ] {
        let plan = memory.plan(&index, &platforms(&[wanted])).unwrap();
        assert_eq!(plan.roots[0].descriptor.digest, children[child].digest, "{wanted}");
        assert_eq!(plan.roots[0].names, ["a:1"]);
        assert_eq!(manifests(&plan), digests(&[&children[child]]));
        assert_eq!((plan.blobs.len(), plan.sparse.len()), (2, 0));
    }
    // The same platform twice is one.
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/arm64/v8"])).unwrap();
    assert_eq!(plan.roots[0].descriptor.digest, children[1].digest);
}

#[test]
fn several_platforms_leave_the_index_as_it_is() {
    let mut memory = Memory::default();
    let (index, [amd64, arm64, arm]) = three(&mut memory);
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/amd64"])).unwrap();
    assert_eq!(plan.roots[0].descriptor, index);
    assert_eq!(manifests(&plan), digests(&[&amd64, &arm64, &index]));
    assert_eq!(plan.manifests.last().unwrap().1, memory.blobs[&index.digest]);
    assert_eq!((plan.blobs.len(), digests(&[&plan.sparse[0]])), (4, digests(&[&index])));
    // All of them are no part.
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/amd64", "linux/arm"])).unwrap();
    assert_eq!((plan.roots[0].descriptor.digest, plan.sparse.len()), (index.digest, 0));
    assert_eq!(manifests(&plan), digests(&[&amd64, &arm64, &arm, &index]));
}

#[test]
fn a_new_index_has_the_chosen_descriptors_as_they_were() {
    let mut memory = Memory::default();
    let (_, [amd64, arm64, arm]) = three(&mut memory);
    let mut windows = json!(amd64);
    windows["platform"] = json!({"os": "windows", "architecture": "amd64", "os.version": "10.0.1"});
    windows["x-unknown"] = json!([1, "two"]);
    let all = json!({
        "manifests": [arm, windows, arm64], "annotations": {"a": "b"}, "artifactType": "application/x",
    });
    for kind in [media_type::INDEX, media_type::DOCKER_LIST] {
        let index = memory.document(kind, all.clone());
        let choice = Choice { new_index: true, ..platforms(&["linux/arm64", "windows/amd64"]) };
        let plan = memory.plan(&index, &choice).unwrap();
        let root = &plan.roots[0].descriptor;
        assert_ne!(root.digest, index.digest);
        assert_eq!((root.media_type.as_str(), plan.sparse.len()), (kind, 0));
        let (last, bytes) = plan.manifests.last().unwrap();
        assert!(last == root && root.digest.fits(bytes));
        let made: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let expected = json!({
            "schemaVersion": 2, "mediaType": kind, "manifests": [windows, arm64],
            "annotations": {"a": "b"}, "artifactType": "application/x",
        });
        assert_eq!(made, expected);
        // It is the same whenever it is made, and one platform needs none.
        assert_eq!(memory.plan(&index, &choice).unwrap().manifests.last().unwrap().1, *bytes);
        let one = memory.plan(&index, &Choice { new_index: true, ..platforms(&["linux/arm64"]) }).unwrap();
        assert_eq!(one.roots[0].descriptor.digest, arm64.digest);
    }
}

#[test]
fn a_platform_that_is_not_there() {
    let mut memory = Memory::default();
    let (index, _) = three(&mut memory);
    let error = memory.plan(&index, &platforms(&["linux/amd64", "linux/s390x"])).unwrap_err();
    assert_eq!(error.to_string(), format!("memory: {} is not made for linux/s390x", index.digest));
    let hint = "it is made for linux/amd64, linux/arm/v7, linux/arm64: name one of these";
    assert_eq!((error.hint().unwrap().as_str(), error.category()), (hint, Category::NotFound));
    // A variant is no other.
    assert!(memory.plan(&index, &platforms(&["linux/amd64/v3"])).is_err());
    // What an index calls its platforms is escaped.
    let mut hostile = memory.image("linux/amd64");
    hostile.platform = Some(Platform { os: "\u{1b}[31m".to_owned(), architecture: "a".repeat(1000), variant: None });
    let index = memory.index(&[hostile]);
    let hint = memory.plan(&index, &platforms(&["linux/amd64"])).unwrap_err().hint().unwrap();
    assert!(hint.starts_with(r"it is made for \u{1b}[31m/aaa") && hint.len() < 200, "{hint}");
}

#[test]
fn an_image_without_an_index_says_itself_what_it_is() {
    let mut memory = Memory::default();
    let image = memory.image("linux/arm64/v8");
    let plan = memory.plan(&image, &platforms(&["linux/arm64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&image]));
    let error = memory.plan(&image, &platforms(&["linux/amd64"])).unwrap_err();
    assert_eq!(error.hint().unwrap(), "it is made for linux/arm64: name one of these");
    // So does one in an index that says nothing.
    let other = memory.child("linux/amd64");
    let index = memory.index(&[other, image.clone()]);
    let plan = memory.plan(&index, &platforms(&["linux/arm64"])).unwrap();
    assert_eq!(plan.roots[0].descriptor.digest, image.digest);
    // An artifact runs on nothing.
    let artifact = memory.refer(&image, "x");
    let error = memory.plan(&artifact, &platforms(&["linux/amd64"])).unwrap_err();
    assert_eq!(error.hint().unwrap(), "leave out --platform: it does not say what it is made for");
}

#[test]
fn attestations_go_with_the_platform_they_are_about() {
    let mut memory = Memory::default();
    let (_, [amd64, arm64, arm]) = three(&mut memory);
    let mut attest = |about: &Descriptor| {
        let mut attestation = memory.image("unknown/unknown");
        let layer = memory.put("application/vnd.in-toto+json", about.digest.to_string().into_bytes());
        attestation = memory
            .document(media_type::MANIFEST, json!({"config": memory.json(&attestation)["config"], "layers": [layer]}));
        attestation.platform = Some("unknown/unknown".parse().unwrap());
        attestation.annotations.insert("vnd.docker.reference.digest".to_owned(), about.digest.to_string());
        attestation.annotations.insert("vnd.docker.reference.type".to_owned(), "attestation-manifest".to_owned());
        attestation
    };
    let [of_amd64, of_arm64, of_arm] = [attest(&amd64), attest(&arm64), attest(&arm)];
    let all = [&amd64, &arm64, &arm, &of_amd64, &of_arm64, &of_arm].map(Clone::clone);
    let index = memory.index(&all);
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/arm"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&arm64, &arm, &of_arm64, &of_arm, &index]));
    // Two of three with a new index, and one of them alone.
    let choice = Choice { new_index: true, ..platforms(&["linux/arm64", "linux/arm"]) };
    let plan = memory.plan(&index, &choice).unwrap();
    assert_eq!(manifests(&plan)[..4], digests(&[&arm64, &arm, &of_arm64, &of_arm]));
    let plan = memory.plan(&index, &platforms(&["linux/arm64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&arm64]));
    // Nobody can ask for what runs nowhere.
    assert!(memory.plan(&index, &platforms(&["unknown/unknown"])).is_err());
}

#[test]
fn platforms_of_indexes_within_indexes() {
    let mut memory = Memory::default();
    let (inner, [amd64, arm64, arm]) = three(&mut memory);
    let s390x = memory.child("linux/s390x");
    let other = memory.child("linux/riscv64");
    let beside = memory.index(std::slice::from_ref(&other));
    let index = memory.index(&[s390x.clone(), inner.clone(), beside]);
    let plan = memory.plan(&index, &platforms(&["linux/arm64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&arm64]));
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/amd64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&amd64, &arm64, &inner, &index]));
    assert_eq!(plan.sparse, [index.clone(), inner.clone()]);
    let plan = memory.plan(&index, &platforms(&["linux/arm64", "linux/amd64", "linux/arm"])).unwrap();
    assert_eq!(plan.sparse, std::slice::from_ref(&index));
    assert_eq!(manifests(&plan), digests(&[&amd64, &arm64, &arm, &inner, &index]));
    // In a new index they are lifted.
    let plan = memory.plan(&index, &Choice { new_index: true, ..platforms(&["linux/arm64", "linux/s390x"]) }).unwrap();
    let made: serde_json::Value = serde_json::from_slice(&plan.manifests.last().unwrap().1).unwrap();
    assert_eq!(made["manifests"], json!([s390x, arm64]));
}

#[test]
fn a_part_of_an_index_that_is_all_there_is() {
    let mut memory = Memory::default();
    let (index, [amd64, arm64, arm]) = three(&mut memory);
    memory.blobs.remove(&arm.digest);
    let error = memory.plan(&index, &Choice::default()).unwrap_err();
    let expected =
        format!("memory: {}: the index {} names it, for linux/arm/v7: it is not there", arm.digest, index.digest);
    assert_eq!((error.to_string(), error.category()), (expected, Category::NotFound));
    assert_eq!(error.hint().unwrap(), "choose what is there by --platform");
    let plan = memory.plan(&index, &platforms(&["linux/amd64", "linux/arm64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&amd64, &arm64, &index]));
}

#[test]
fn what_the_sink_has_is_not_read() {
    let mut memory = Memory::default();
    let (index, [amd64, arm64, arm]) = three(&mut memory);
    let sink = Notes { has: BTreeSet::from([amd64.digest, index.digest]), ..Notes::default() };
    // Neither is fetched, so that it need not be there.
    memory.blobs.remove(&amd64.digest);
    let plan = memory.plan_to(&sink, &index, &Choice::default()).unwrap();
    assert_eq!(manifests(&plan), digests(&[&arm64, &arm, &index]), "a root is held by its names too");
    // A root that is there whole is left alone, unless more than it is asked for.
    let sink = Notes { holds: BTreeSet::from([index.digest]), ..sink };
    let plan = memory.plan_to(&sink, &index, &Choice::default()).unwrap();
    assert_eq!((plan.manifests.len(), plan.roots.len(), plan.there.len()), (0, 0, 1));
    let plan = memory.plan_to(&sink, &index, &Choice { referrers: true, ..Choice::default() }).unwrap();
    assert_eq!((plan.manifests.len(), plan.roots.len()), (3, 1));
    let plan = memory.plan_to(&sink, &index, &platforms(&["linux/arm64"])).unwrap();
    assert_eq!(manifests(&plan), digests(&[&arm64]));
}

#[test]
fn referrers_come_after_what_they_are_about() {
    let mut memory = Memory::default();
    let (index, [amd64, arm64, arm]) = three(&mut memory);
    let signature = memory.refer(&amd64, "signature");
    let of_signature = memory.refer(&signature, "signature of the signature");
    let sbom = memory.refer(&index, "sbom");
    let choice = Choice { referrers: true, ..Choice::default() };
    assert_eq!(manifests(&memory.plan(&index, &Choice::default()).unwrap()).len(), 4);
    let plan = memory.plan(&index, &choice).unwrap();
    let expected = digests(&[&amd64, &arm64, &arm, &index, &signature, &sbom, &of_signature]);
    assert_eq!(manifests(&plan), expected);
    assert_eq!(plan.referrers, [signature.clone(), sbom, of_signature.clone()]);
    // They come for what the sink has, too, and each once.
    let sink = Notes { has: BTreeSet::from([amd64.digest]), ..Notes::default() };
    assert_eq!(memory.plan_to(&sink, &index, &choice).unwrap().referrers.len(), 3);
    let both = Choice { referrers: true, ..platforms(&["linux/amd64"]) };
    let plan = memory.plan(&index, &both).unwrap();
    assert_eq!(plan.referrers, [signature.clone(), of_signature]);
    let sink = Notes::default();
    execute(&plan, &memory, Box::new(sink.clone()), &Execution::new(Events::silent())).unwrap();
    let calls = sink.calls.lock().unwrap();
    assert_eq!(calls.last().unwrap(), &format!("finish {}", amd64.digest));
    assert_eq!(calls.iter().filter(|call| call.starts_with("manifest")).count(), 3);
}

#[test]
fn referrers_that_are_none() {
    let mut memory = Memory::default();
    let image = memory.image("linux/amd64");
    let choice = Choice { referrers: true, ..Choice::default() };
    let other = memory.image("linux/arm64");
    memory.referrers.insert(image.digest, vec![other.clone()]);
    let error: CopyError = memory.plan(&image, &choice).unwrap_err();
    let why = format!("it is listed as a referrer of {}, and does not name that as its subject", image.digest);
    assert_eq!(error.to_string(), format!("memory: manifest {}: {why}", other.digest));
    // A chain of them ends.
    memory.referrers.clear();
    let mut last = image.clone();
    for link in 0..20 {
        last = memory.refer(&last, &link.to_string());
    }
    let error = memory.plan(&image, &choice).unwrap_err();
    assert!(error.to_string().ends_with("more than 8 levels, which no image has"), "{error}");
}

#[test]
fn manifests_of_an_index_are_asked_for_at_once_and_once() {
    use std::collections::BTreeMap;
    use std::sync::{Condvar, Mutex};

    use kimg::copy::{Root, Source, plan};

    /// Answers a manifest of an index only when another one is asked for at the same time.
    struct Waits {
        memory: Memory,
        index: Digest,
        asked: Mutex<BTreeMap<Digest, usize>>,
        come: Condvar,
    }

    impl Source for Waits {
        fn describe(&self) -> String {
            "waits".to_owned()
        }

        fn resolve(&self, name: &str) -> Result<Descriptor, CopyError> {
            self.memory.resolve(name)
        }

        fn open(&self, blob: &Descriptor, offset: u64) -> Result<Box<dyn std::io::Read + Send + '_>, CopyError> {
            let mut asked = self.asked.lock().unwrap();
            *asked.entry(blob.digest).or_default() += 1;
            self.come.notify_all();
            if blob.digest != self.index {
                let most = std::time::Duration::from_secs(20);
                let waited = self.come.wait_timeout_while(asked, most, |asked| asked.len() < 3).unwrap();
                assert!(!waited.1.timed_out(), "one waits for the other");
            }
            self.memory.open(blob, offset)
        }
    }

    let mut memory = Memory::default();
    let (index, [amd64, arm64, arm]) = three(&mut memory);
    let expected = digests(&[&amd64, &arm64, &arm, &index]);
    let waits = Waits { memory, index: index.digest, asked: Mutex::default(), come: Condvar::new() };
    let roots = [Root { descriptor: index, names: Vec::new() }];
    let plan = plan(&waits, &Notes::default(), &roots, &Choice::default()).unwrap();
    assert_eq!(manifests(&plan), expected);
    assert!(waits.asked.lock().unwrap().values().all(|times| *times == 1));
}
