//! A registry: distribution-spec 1.1 as servers really speak it.
//!
//! - `repository`: which URLs a reference means; `profile`: what is known of particular registries.
//! - `challenge`, `credentials`, `token`: who to be, and to whom that may be shown.
//! - `session`: one request with all of that; `refusal`: what an answer that is no success means.
//! - `redirect`, `document`, `links`: reading what leads elsewhere, small documents, and lists that come in pages.
//! - `source`, `reading`, `referrers`: images from a repository; `tags`: its names.
//! - `sink`, `manifests`, `fallback_tag`: images into a repository; manifests that name another as their subject.
//! - `upload`, `body`, `offset`, `learnt`: one blob on its way there; `memory`: what is known from runs before.

mod body;
mod challenge;
mod credentials;
mod document;
mod fallback_tag;
mod learnt;
mod links;
mod manifests;
mod memory;
mod offset;
mod profile;
mod reading;
mod redirect;
mod referrers;
mod refusal;
mod repository;
mod session;
mod sink;
mod source;
mod tags;
mod token;
mod upload;

pub use challenge::{Challenge, challenges};
pub use credentials::{AuthFile, Credentials, InvalidAuthFile};
use memory::Memory;
pub use repository::{Repository, Transport};
pub use session::{Session, Trust};
pub use sink::RegistrySink;
pub use source::RegistrySource;
pub use tags::{MAX_TAGS, tags};
