//! A registry: distribution-spec 1.1 as servers really speak it.
//!
//! - `repository`: which URLs a reference means; `profile`: what is known of particular registries.
//! - `challenge`, `credentials`, `token`: who to be, and to whom that may be shown.
//! - `session`: one request with all of that; `refusal`: what an answer that is no success means.
//! - `source`, `sink`: images from and into a repository.
//! - `upload`, `kept`, `body`, `offset`, `learnt`: one blob on its way there; `memory`: what is known from runs before.
//! - `manifests`, `referrers`: manifests and names; those that name another as their subject.

mod body;
mod challenge;
mod credentials;
mod kept;
mod learnt;
mod manifests;
mod memory;
mod offset;
mod profile;
mod referrers;
mod refusal;
mod repository;
mod session;
mod sink;
mod source;
mod token;
mod upload;

pub use challenge::{Challenge, challenges};
pub use credentials::{AuthFile, Credentials, InvalidAuthFile};
use memory::Memory;
pub use repository::{Repository, Transport};
pub use session::{Session, Trust};
pub use sink::RegistrySink;
pub use source::RegistrySource;
