//! The public services that are built in, and the only public hosts in kimg's code.

use crate::lock::Upstream;
use crate::net::Base;

/// The Apache archive: every release since the first.
const APACHE: &str = "https://archive.apache.org/dist/";

/// Debian's snapshot service: every state of the archives since 2005, so nothing vanishes from it.
const DEBIAN_SNAPSHOT: &str = "https://snapshot.debian.org/archive";

/// Google's mirror of Maven Central.
const MAVEN: &str = "https://maven-central.storage-download.googleapis.com/maven2/";

/// The public service of a kind of upstream. Debian's needs the time of a lock.
pub(super) fn base(upstream: Upstream, snapshot: Option<&str>) -> Option<Base> {
    let url = match (upstream, snapshot) {
        (Upstream::Apache, _) => APACHE.to_owned(),
        (Upstream::Maven, _) => MAVEN.to_owned(),
        (Upstream::Debian, Some(time)) => format!("{DEBIAN_SNAPSHOT}/debian/{time}/"),
        (Upstream::DebianSecurity, Some(time)) => format!("{DEBIAN_SNAPSHOT}/debian-security/{time}/"),
        (Upstream::Debian | Upstream::DebianSecurity, None) | (Upstream::Url, _) => return None,
    };
    Some(Base { url, credentials: None, origin: "built in".to_owned() })
}
