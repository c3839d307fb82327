//! A registry: distribution-spec 1.1 as servers really speak it.
//!
//! - `repository`: which URLs a reference means; `profile`: what is known of particular registries.
//! - `challenge`, `credentials`, `auth_edit`: how to say who asks, and the files that know it.
//! - `realm`, `token`: to whom that may be shown, and what is given for it.
//! - `reach`: whether a registry has TLS, where the user does not care.
//! - `session`: one request with all of that; `refusal`: what an answer that is no success means.
//! - `source`, `upload`, `sink`: images from and into a repository.

mod auth_edit;
mod challenge;
mod credentials;
mod profile;
mod reach;
mod realm;
mod refusal;
mod repository;
mod session;
mod sink;
mod source;
mod token;
mod upload;

pub use auth_edit::{with_entry, without_entry};
pub use challenge::{Challenge, challenges};
pub use credentials::{AuthFile, Credentials, InvalidAuthFile, stands_for};
pub use profile::stored_as;
pub use reach::reach;
pub use repository::{Repository, Transport};
pub use session::{Session, Trust};
pub use sink::RegistrySink;
pub use source::RegistrySource;
