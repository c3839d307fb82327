//! The places an image lives in: each a [`Source`](crate::copy::Source), a [`Sink`](crate::copy::Sink), or both.

mod layout;
mod store;

pub use layout::LayoutSink;
pub use store::StoreSource;
