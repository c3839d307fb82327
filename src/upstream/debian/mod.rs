//! The Debian archive: InRelease -> Packages -> .deb, without dpkg and without running anything.

use std::io::Read;

use crate::error::{Category, Diagnose};
use crate::layer::{Entry, LayerError};
use crate::lock::{DebianState, Input};
use crate::net::{Client, NetError};
use crate::oci::Platform;
use crate::store::StoreError;
use crate::upstream::hosts::Machine;
use crate::upstream::openpgp::{Keyring, OpenPgpError};

/// A failure to read what a Debian archive serves. (To be widened by one variant a failure.)
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum DebianError {
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Diagnose for DebianError {
    fn category(&self) -> Category {
        Category::Verification
    }
}

/// What the control archive of a .deb says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The control stanza as it stands in the package.
    pub stanza: String,
    /// The lines of `md5sums`: digest and path.
    pub md5sums: Vec<(String, Vec<u8>)>,
}

/// Reads a .deb (already verified): the control archive first, then each entry of the data archive as
/// [`crate::layer::read_tar`] hands them over, with the .deb's own mode and owner. Both members may be uncompressed,
/// gzip, xz or zstd. `name` is the package, for errors and origins.
pub fn read_deb<R: Read, E: From<DebianError>>(
    deb: R,
    name: &str,
    control: impl FnOnce(Control) -> Result<(), E>,
    entry: impl FnMut(Entry, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    todo!(
        "{name} {} {} {}",
        std::any::type_name_of_val(&deb),
        std::any::type_name_of_val(&control),
        std::any::type_name_of_val(&entry)
    )
}

/// What to look up in the archives.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The suites, such as `bookworm`, `bookworm-updates`, `bookworm-security`; a name that ends in `-security` is
    /// looked for in the security archive.
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

/// Looks the packages up: the newest version of each among the suites, as inputs of a lock (with `platform` set unless
/// the package is of architecture `all`), and the state to write into it.
pub async fn resolve(
    request: &Request<'_>,
    machine: &Machine,
    client: &Client,
    keys: &Keyring,
) -> Result<(Vec<Input>, DebianState), DebianError> {
    todo!("{request:?} {machine:?} {client:?} {keys:?}")
}
