//! The one way images move: resolve -> walk the descriptors -> ask the sink what it has -> a plan -> stream what
//! moves, several blobs at once where the sink can -> manifests bottom-up -> referrers -> names last.

mod ahead;
mod blob;
mod choice;
mod document;
mod error;
mod execute;
mod plan;
mod sink;
mod source;
mod unpack;
mod walk;

pub use blob::{Blob, Going, Stop};
pub use choice::Choice;
pub use error::CopyError;
pub use execute::{Execution, Moved, execute};
pub use plan::{Plan, PlannedBlob, PlannedImage, Root, plan};
pub use sink::{Form, Have, Sink, Taken};
pub use source::{Origin, Source};
pub use unpack::{one_platform, unpacked};
pub use walk::{MAX_DEPTH, MAX_DESCRIPTORS, MAX_MANIFEST, MAX_MANIFESTS};
