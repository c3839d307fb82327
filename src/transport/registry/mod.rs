//! A registry: distribution-spec 1.1 as servers really speak it.
//!
//! - `repository`: which URLs a reference means; `profile`: what is known of particular registries.
//! - `challenge`, `credentials`, `auth_edit`: how to say who asks, and the files that know it.
//! - `realm`, `token`: to whom that may be shown, and what is given for it.
//! - `reach`: whether a registry has TLS, where the user does not care.
//! - `session`: one request with all of that; `refusal`: what an answer that is no success means.
//! - `redirect`, `document`, `links`: reading what leads elsewhere, small documents, and lists that come in pages.
//! - `source`, `reading`, `listed_referrers`: images from a repository; `tags`: its names.
//! - `sink`, `manifests`, `fallback_tag`: images into a repository; manifests that name another as their subject.
//! - `upload`, `kept`, `body`, `offset`, `learnt`: one blob on its way there; `memory`: what is known from runs before.

mod auth_edit;
mod body;
mod challenge;
mod credentials;
mod document;
mod fallback_tag;
mod kept;
mod learnt;
mod links;
mod listed_referrers;
mod manifests;
mod memory;
mod offset;
mod profile;
mod reach;
mod reading;
mod realm;
mod redirect;
mod refusal;
mod repository;
mod session;
mod sink;
mod source;
mod tags;
mod token;
mod upload;

pub use auth_edit::{with_entry, without_entry};
pub use challenge::{Challenge, challenges};
pub use credentials::{AuthFile, Credentials, InvalidAuthFile, stands_for};
use memory::Memory;
pub use profile::stored_as;
pub use reach::reach;
pub use repository::{Repository, Transport};
pub use session::{Session, Trust};
pub use sink::RegistrySink;
pub use source::RegistrySource;
pub use tags::{MAX_TAGS, tags};
