use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use super::dependencies::{Present, Universe};
use super::{DebianError, Package, Release, compare, parse_packages};
use crate::definition::nearest;
use crate::digest::Digest;
use crate::lock::{DebianRelease, DebianState, Input, Upstream, rfc3339};
use crate::net::{Base, Client, NetError};
use crate::oci::Platform;
use crate::upstream::hosts::Machine;
use crate::upstream::openpgp::Keyring;

/// InRelease files have 60 to 170 KB.
const RELEASE_LIMIT: u64 = 4 << 20;

/// Packages.xz of bookworm's main has 9 MB, 47 MB unpacked.
const PACKAGES_LIMIT: u64 = 64 << 20;
const PACKAGES_TEXT_LIMIT: u64 = 512 << 20;

/// What to look up in the archives.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The suites, such as `bookworm`, `bookworm-updates`, `bookworm-security`; a name that ends in `-security` is looked
    /// for in the security archive.
    pub suites: &'a [&'a str],
    /// The platforms; Debian's architecture has the same name as OCI's for amd64 and arm64.
    pub platforms: &'a [Platform],
    /// Package names, each with the layer it goes into.
    pub packages: &'a [(String, String)],
    /// The state of the lock before, whose Release files must not be newer than what is found now.
    pub before: Option<&'a DebianState>,
    /// The time now, seconds since 1970: a Release file beyond its Valid-Until is refused.
    pub now: u64,
}

/// The newest of each package, by its name and platform.
type Candidates = BTreeMap<(String, String), (Upstream, Package)>;

/// Looks the packages up: the newest version of each among the suites, as inputs of a lock (with `platform` set unless
/// one package of architecture `all` is for all of them), in the order of the request, and the state to write into the
/// lock.
pub async fn resolve(
    request: &Request<'_>,
    machine: &Machine,
    client: &Client,
    keys: &Keyring,
) -> Result<(Vec<Input>, DebianState), DebianError> {
    let wanted = |name: &str| request.packages.iter().any(|(package, _)| package == name);
    let (candidates, names, state) = gather(request, wanted, machine, client, keys).await?;
    check_all(request, &candidates, &names, |_, _| false)?;
    let packages: Vec<(&str, &str)> = request.packages.iter().map(|(n, layer)| (n.as_str(), layer.as_str())).collect();
    Ok((inputs(request, &packages, &candidates, |_, _| true), state))
}

/// The same with all that the packages depend on, besides those that are `present` where they go; those are left out.
pub async fn resolve_lacking(
    request: &Request<'_>,
    present: &[Present],
    machine: &Machine,
    client: &Client,
    keys: &Keyring,
) -> Result<(Vec<Input>, DebianState), DebianError> {
    let (candidates, names, state) = gather(request, |_| true, machine, client, keys).await?;
    let mut chosen: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for platform in request.platforms.iter().map(ToString::to_string) {
        let here = present.iter().filter(|one| one.platform.as_ref().is_none_or(|own| *own == platform));
        let here: BTreeMap<&str, &str> = here.map(|one| (one.name.as_str(), one.version.as_str())).collect();
        let one = |name: &str, own: &str| own == platform && here.contains_key(name);
        let platforms: Vec<Platform> =
            request.platforms.iter().filter(|own| own.to_string() == platform).cloned().collect();
        check_all(&Request { platforms: &platforms, ..request.clone() }, &candidates, &names, one)?;
        let packages = candidates.iter().filter(|((_, own), _)| *own == platform).map(|(_, (_, package))| package);
        for (name, layer) in Universe::new(packages).closure(request.packages, &here)? {
            chosen.entry((name, layer)).or_default().insert(platform.clone());
        }
    }
    let packages: Vec<(&str, &str)> = chosen.keys().map(|(name, layer)| (*name, layer.as_str())).collect();
    let has = |(name, layer): (&str, &str), platform: &str| {
        chosen.get(&(name, layer.to_owned())).is_some_and(|platforms| platforms.contains(platform))
    };
    Ok((inputs(request, &packages, &candidates, has), state))
}

/// The newest of all wanted packages, the names of all that there are, and the state of the archives.
async fn gather(
    request: &Request<'_>,
    wanted: impl Fn(&str) -> bool,
    machine: &Machine,
    client: &Client,
    keys: &Keyring,
) -> Result<(Candidates, BTreeSet<String>, DebianState), DebianError> {
    let mut releases = Vec::new();
    let mut candidates = Candidates::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for suite in request.suites {
        let archive = Archive { suite, upstream: upstream(suite), bases: machine.bases(upstream(suite), None), client };
        let release = archive.release(keys, request).await?;
        for platform in request.platforms {
            let text = archive.packages(&release, &platform.architecture).await?;
            for package in parse_packages(&text, &format!("Packages of {suite}"), &wanted)? {
                let key = (package.name.clone(), platform.to_string());
                let newer = candidates.get(&key).is_none_or(|(_, old)| compare(&package.version, &old.version).is_gt());
                if newer {
                    candidates.insert(key, (archive.upstream, package));
                }
            }
            names.extend(text.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned));
        }
        releases.push(DebianRelease { suite: (*suite).to_owned(), date: rfc3339(release.date) });
    }
    let snapshot = releases.iter().map(|release| &release.date).max().cloned().unwrap_or_default();
    Ok((candidates, names, DebianState { snapshot: snapshot.replace(['-', ':'], ""), releases }))
}

fn upstream(suite: &str) -> Upstream {
    if suite.ends_with("-security") { Upstream::DebianSecurity } else { Upstream::Debian }
}

/// Whether each package that is asked for is there for all platforms, but those that are not needed.
fn check_all(
    request: &Request<'_>,
    candidates: &Candidates,
    names: &BTreeSet<String>,
    is_present: impl Fn(&str, &str) -> bool,
) -> Result<(), DebianError> {
    for (name, _) in request.packages {
        for platform in request.platforms {
            let own = platform.to_string();
            if !is_present(name, &own) && !candidates.contains_key(&(name.clone(), own)) {
                return Err(DebianError::NoPackage {
                    package: name.clone(),
                    suites: request.suites.join(", "),
                    architecture: platform.architecture.clone(),
                    near: near(name, names),
                });
            }
        }
    }
    Ok(())
}

/// Names that may be meant; it may be there for another architecture under its own.
fn near(name: &str, names: &BTreeSet<String>) -> Vec<String> {
    let others = names.iter().map(String::as_str).filter(|other| *other != name);
    nearest(name, others).into_iter().map(str::to_owned).collect()
}

/// The packages with their layers as inputs, on the platforms that have them.
fn inputs(
    request: &Request<'_>,
    packages: &[(&str, &str)],
    candidates: &Candidates,
    has: impl Fn((&str, &str), &str) -> bool,
) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (name, layer) in packages {
        let platforms = request.platforms.iter().filter(|platform| has((name, layer), &platform.to_string()));
        let found = platforms
            .filter_map(|platform| Some((platform, candidates.get(&((*name).to_owned(), platform.to_string()))?)));
        let found: Vec<_> = found.collect();
        // An archive may have a newer one for some platforms only, for a while.
        let is_same = found.len() == request.platforms.len() && found.windows(2).all(|pair| pair[0].1 == pair[1].1);
        for (platform, (upstream, package)) in found {
            let for_all = package.architecture == "all" && is_same;
            let input = Input {
                layer: (*layer).to_owned(),
                name: (*name).to_owned(),
                upstream: *upstream,
                platform: (!for_all).then(|| platform.to_string()),
                path: package.path.clone(),
                url: None,
                size: package.size,
                sha256: package.sha256,
                member: None,
                signature: None,
            };
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
    }
    inputs
}

struct Archive<'a> {
    suite: &'a str,
    upstream: Upstream,
    bases: Vec<Base>,
    client: &'a Client,
}

impl Archive<'_> {
    async fn release(&self, keys: &Keyring, request: &Request<'_>) -> Result<Release, DebianError> {
        let path = format!("dists/{}/InRelease", self.suite);
        let document = self.get(&path, RELEASE_LIMIT).await?;
        let name = format!("InRelease of {}", self.suite);
        let (text, _) = keys.verify_cleartext(&name, &document)?;
        let release = Release::parse(&text, &name)?;
        if release.codename != self.suite {
            let why = format!("it is the Release of `{}`", release.codename.escape_debug());
            return Err(DebianError::Malformed { file: name, why });
        }
        let suite = self.suite.to_owned();
        if let Some(until) = release.valid_until.filter(|until| *until < request.now) {
            return Err(DebianError::Expired { suite, until: rfc3339(until) });
        }
        let before = request.before.and_then(|state| state.releases.iter().find(|old| old.suite == suite));
        match before {
            // Times of one form and zone: their texts are ordered as they are.
            Some(before) if before.date > rfc3339(release.date) => {
                Err(DebianError::Older { suite, found: rfc3339(release.date), before: before.date.clone() })
            }
            _ => Ok(release),
        }
    }

    /// The text of Packages, verified before it is decompressed.
    async fn packages(&self, release: &Release, architecture: &str) -> Result<String, DebianError> {
        let folder = format!("main/binary-{architecture}");
        let file = format!("{folder}/Packages.xz of {}", self.suite);
        let (digest, size) = release
            .files
            .get(&format!("{folder}/Packages.xz"))
            .ok_or_else(|| DebianError::Absent { file: file.clone() })?;
        let path = match release.by_hash {
            true => format!("dists/{}/{folder}/by-hash/SHA256/{}", self.suite, digest.hex()),
            false => format!("dists/{}/{folder}/Packages.xz", self.suite),
        };
        let bytes = self.get(&path, (*size).min(PACKAGES_LIMIT)).await?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(DebianError::Mismatch { file, expected: digest.to_string(), found: found.to_string() });
        }
        let malformed = |why: String| DebianError::Malformed { file: file.clone(), why };
        decompress(&bytes, PACKAGES_TEXT_LIMIT).map_err(malformed)
    }

    async fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, DebianError> {
        let places: Vec<(Base, String)> = self.bases.iter().map(|base| (base.clone(), path.to_owned())).collect();
        if places.is_empty() {
            return Err(NetError::Nowhere { name: path.to_owned() }.into());
        }
        let found = self.client.get(&places, limit).await?;
        found.map(|(bytes, _)| bytes).ok_or_else(|| DebianError::Absent { file: path.to_owned() })
    }
}

/// The text of an xz file of one or more streams, all of it.
fn decompress(bytes: &[u8], limit: u64) -> Result<String, String> {
    let stream = Stream::new_stream_decoder(256 << 20, CONCATENATED).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let decoder = XzDecoder::new_stream(bytes, stream);
    decoder.take(limit + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    match text.len() as u64 > limit {
        true => Err(format!("it has more than {limit} bytes when unpacked")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_text_is_unpacked_or_none() {
        let [one, two] = ["Package: a\n", "Package: b\n"].map(|text| liblzma::encode_all(text.as_bytes(), 0).unwrap());
        assert_eq!(decompress(&one, 11).unwrap(), "Package: a\n");
        assert_eq!(decompress(&[one.clone(), two].concat(), 22).unwrap(), "Package: a\nPackage: b\n");
        assert_eq!(decompress(&one, 10).unwrap_err(), "it has more than 10 bytes when unpacked");
        assert!(decompress(&one[..one.len() - 1], 99).is_err());
        assert!(decompress(&[&one, b"rest".as_slice()].concat(), 99).is_err());
        assert!(decompress(&liblzma::encode_all(b"\xff".as_slice(), 0).unwrap(), 99).is_err());
    }
}
