//! Several manifests of an index at once: each is a question to a far place, and none of them waits for another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{CopyError, Sink, Source};
use crate::oci::Descriptor;

/// So many questions at once.
const AT_ONCE: usize = 6;

/// What is known of a manifest.
pub(super) enum Ahead {
    /// The sink has it, with all that it names.
    Present,
    /// Its bytes.
    Bytes(Vec<u8>),
}

/// Asks the sink whether it has them, and the source for those that it has not; in their order. What fails is left out: it
/// is asked for again, and then the error is told at its place.
pub(super) fn ask(source: &dyn Source, sink: &dyn Sink, wanted: &[Descriptor]) -> Vec<(Descriptor, Ahead)> {
    let one = |descriptor: &Descriptor| -> Result<Ahead, CopyError> {
        match sink.has_manifest(descriptor)? {
            true => Ok(Ahead::Present),
            false => source.manifest(descriptor).map(Ahead::Bytes),
        }
    };
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(descriptor) = wanted.get(at) else { return };
            // Whatever broke, the others would mostly meet it too.
            let Ok(answer) = one(descriptor) else { return next.store(wanted.len(), Ordering::Relaxed) };
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(wanted.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(at, answer)| (wanted[at].clone(), answer)).collect()
}
