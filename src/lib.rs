//! kimg builds verified, reproducible container images and moves them.
//!
//! The modules are floors: each uses only those above it in this list. `tests/house.rs` enforces that, and
//! `docs/architecture.md` says why.

pub mod digest;
pub mod error;
pub mod event;
pub mod oci;

pub mod definition;
pub mod lock;

pub mod store;

pub mod layer;

pub mod net;

pub mod upstream;

pub mod copy;

pub mod transport;

pub mod build;

pub mod serve;

pub mod ui;

pub mod cli;
