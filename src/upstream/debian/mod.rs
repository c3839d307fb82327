//! The Debian archive: InRelease -> Packages -> .deb, without dpkg and without running anything.

mod ar;
mod deb;
mod dependencies;
mod error;
mod packages;
mod release;
mod resolve;
mod stanza;
mod version;

pub use deb::{Control, read_deb};
pub use dependencies::Present;
pub use error::DebianError;
pub use packages::{Package, parse_packages};
pub use release::Release;
pub use resolve::{Request, resolve, resolve_lacking};
pub use version::compare;
