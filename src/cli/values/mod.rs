//! The values of flags, parsed before any work begins. The library's own types are what comes out.

mod addition;
mod compression;
mod count;
mod image;
mod inputs;
mod invalid;
mod location;
mod mirror;
mod misplaced;
mod pair;
mod platform;
mod tag;
mod threads;
mod user;

pub(super) use addition::addition_parser;
pub(super) use compression::compression;
pub(super) use count::{jobs, retries};
pub(super) use image::image;
pub(super) use inputs::{InputsPlace, inputs};
pub(super) use invalid::{InvalidValue, redact};
pub(super) use location::{ArchiveFile, ArchiveKind, Location, list, location, reference, source, stored};
pub(super) use mirror::{Mirror, check_url, mirror};
pub(super) use pair::{Pair, pair};
pub(super) use platform::platform;
pub(super) use tag::tag;
pub(super) use threads::threads;
pub(super) use user::user;
