//! Upstreams: where inputs may be had, and how they are verified.

pub mod debian;
pub mod hosts;
pub mod maven;
pub mod openpgp;
pub mod release_archive;
