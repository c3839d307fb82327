//! A registry on this machine: distribution-spec 1.1 over the store.
//!
//! - `route`: what a request is about; `answer`: what is answered, errors as the specification has them.
//! - `repositories`: which manifests and blobs a repository has, by the names in the store's index.
//! - `manifests`, `blobs`, `uploads`, `tags`, `referrers`: one kind of request each.
//! - `registry`: all of these for one store; `server`: the same by HTTP, on 127.0.0.1.
//! - `hook`: whoever watches it, and may let requests fail as other servers do.
//!
//! Blobs are where the store keeps them. A manifest that was pushed under a tag has the name `REPOSITORY:TAG` in the
//! store's index, and one that was pushed by its digest `REPOSITORY@DIGEST`, so that a prune spares both and the next
//! server finds them. Uploads under way, and blobs that no manifest names yet, are known to the running server only.

mod answer;
mod blobs;
mod document;
mod faulty;
mod hook;
mod manifests;
mod referrers;
mod registry;
mod repositories;
mod route;
mod server;
mod tags;
mod uploads;

pub use hook::{Act, Asked, Hook, Reply, ReplyBody};
pub use registry::{Access, Registry};
pub use server::Server;
