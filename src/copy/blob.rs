use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::source::Stoppable;
use super::{CopyError, PlannedBlob, Source, unpack};
use crate::oci::Descriptor;
use crate::store::BlobFile;

/// A blob that moves: a sink opens it as often as it must, at the offset where what it has ends.
pub struct Blob<'a> {
    source: &'a dyn Source,
    planned: &'a PlannedBlob,
    stop: &'a Stop,
}

impl<'a> Blob<'a> {
    pub(super) fn new(source: &'a dyn Source, planned: &'a PlannedBlob, stop: &'a Stop) -> Blob<'a> {
        Blob { source, planned, stop }
    }

    /// The blob as the sink takes it.
    pub fn descriptor(&self) -> &'a Descriptor {
        &self.planned.descriptor
    }

    /// Its bytes from an offset on, not verified yet; they end with an error once the copy is to stop.
    pub fn open(&self, offset: u64) -> Result<Box<dyn Read + Send + 'a>, CopyError> {
        let content = unpack::open(self.source, self.planned, offset)?;
        Ok(Box::new(Stoppable::new(content, self.stop)))
    }

    /// The file of this machine that it is, where the source has it as one.
    pub fn file(&self) -> Option<BlobFile> {
        self.source.file(self.descriptor()).filter(|_| self.planned.packed.is_none())
    }

    /// Whether the copy is to stop: who waits must ask.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// What its source is, for errors.
    pub fn source(&self) -> String {
        self.source.describe()
    }
}

/// Ends copies that are under way: whoever gives up sets it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    own: Arc<AtomicBool>,
    above: Option<Box<Stop>>,
}

impl Stop {
    /// Lets all reads of the copy fail from now on.
    pub fn set(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Sets it when what comes back is dropped, as when nobody waits for the copy any more.
    pub fn when_dropped(&self) -> Going {
        Going(self.clone())
    }

    /// One that ends a part of the work only, and ends with the whole.
    pub(super) fn below(&self) -> Stop {
        Stop { own: Arc::default(), above: Some(Box::new(self.clone())) }
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.own.load(Ordering::Relaxed) || self.above.as_ref().is_some_and(|above| above.is_set())
    }
}

/// A copy goes on while it lives.
#[derive(Debug)]
pub struct Going(Stop);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.set();
    }
}
