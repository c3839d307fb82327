//! A registry: distribution-spec 1.1 as servers really speak it.
//!
//! - `repository`: which URLs a reference means; `profile`: what is known of particular registries.
//! - `challenge`, `credentials`, `token`: who to be, and to whom that may be shown.
//! - `session`: one request with all of that; `refusal`: what an answer that is no success means.
//! - `redirect`, `document`, `links`: reading what leads elsewhere, small documents, and lists that come in pages.
//! - `source`, `reading`, `listed_referrers`: images from a repository; `upload`, `sink`: images into one; `tags`: its names.

mod challenge;
mod credentials;
mod document;
mod links;
mod listed_referrers;
mod profile;
mod reading;
mod redirect;
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
pub use repository::{Repository, Transport};
pub use session::{Session, Trust};
pub use sink::RegistrySink;
pub use source::RegistrySource;
pub use tags::{MAX_TAGS, tags};
