use std::sync::{Mutex, PoisonError};

use super::profile::{Profile, Way};

/// How a registry takes blobs: what is known of it, and what it taught since.
#[derive(Debug)]
pub(super) struct Learnt(Mutex<Profile>);

/// Chunks begin with this size where a registry or a proxy before it refuses more in one request.
const FIRST_CHUNK: u64 = 32 << 20;

/// Smaller chunks than that are not tried. S3 takes no smaller parts than 5 MiB, but proxies limit requests to less.
const LEAST_CHUNK: u64 = 1 << 20;

/// A registry may ask for chunks so large at most; `OCI-Chunk-Min-Length` beyond is not followed.
const MOST_CHUNK: u64 = 1 << 30;

impl Learnt {
    pub(super) fn new(profile: Profile) -> Learnt {
        Learnt(Mutex::new(profile))
    }

    /// The size of the next chunk of what is `left` from `offset` on; `None` for one PUT. `least` is what the registry
    /// asks for (`OCI-Chunk-Min-Length`).
    pub(super) fn chunk(&self, offset: u64, left: u64, least: u64) -> Option<u64> {
        match self.profile().way {
            Way::Chunks(size) if offset > 0 || left > size => Some(size.max(least.min(MOST_CHUNK)).min(left)),
            Way::Any if offset > 0 => Some(left),
            _ => None,
        }
    }

    /// Whether what arrived of an upload that broke off can be asked for, and gone on from.
    pub(super) fn resumes(&self) -> bool {
        self.profile().way != Way::Put
    }

    /// Whether it mounts.
    pub(super) fn mounts(&self) -> bool {
        self.profile().mounts
    }

    /// A request of so many bytes was too large; whether smaller ones may do.
    pub(super) fn too_large(&self, sent: u64) -> bool {
        let mut profile = self.lock();
        if profile.way == Way::Put || sent <= LEAST_CHUNK {
            return false;
        }
        profile.way = Way::Chunks((sent / 4).clamp(LEAST_CHUNK, FIRST_CHUNK));
        true
    }

    /// It lost a session: with chunks, no more than the last one may be lost.
    pub(super) fn lost_session(&self) {
        let mut profile = self.lock();
        if profile.way == Way::Any {
            profile.way = Way::Chunks(FIRST_CHUNK);
        }
    }

    /// It did not take a chunk, though it said so; whether it may take all in one PUT.
    pub(super) fn drops_chunks(&self) -> bool {
        let mut profile = self.lock();
        let can = profile.way != Way::Put;
        profile.way = Way::Put;
        can
    }

    /// It knows of no mounts.
    pub(super) fn cannot_mount(&self) {
        self.lock().mounts = false;
    }

    fn profile(&self) -> Profile {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Profile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(way: Way) -> Learnt {
        Learnt::new(Profile { way, mounts: true })
    }

    #[test]
    fn one_put_and_the_rest_of_it() {
        let any = learnt(Way::Any);
        assert_eq!((any.chunk(0, 1 << 40, 0), any.chunk(5, 10, 0)), (None, Some(10)));
        let put = learnt(Way::Put);
        assert_eq!((put.chunk(0, 1 << 40, 0), put.resumes(), put.too_large(1 << 40)), (None, false, false));
    }

    #[test]
    fn chunks_shrink_to_the_least_and_no_more() {
        let any = learnt(Way::Any);
        assert!(any.too_large(100 << 20));
        assert_eq!(any.chunk(0, 100 << 20, 0), Some(25 << 20));
        assert!(any.too_large(25 << 20) && any.too_large(6 << 20));
        assert_eq!(any.chunk(0, 100 << 20, 0), Some(3 << 19));
        assert!(any.too_large(3 << 19) && !any.too_large(1 << 20));
        assert_eq!(any.chunk(0, 100 << 20, 0), Some(1 << 20));
    }

    #[test]
    fn what_the_registry_asks_for_counts_up_to_a_limit() {
        let chunks = learnt(Way::Chunks(4 << 20));
        assert_eq!(chunks.chunk(0, 1 << 40, 5 << 20), Some(5 << 20));
        assert_eq!(chunks.chunk(0, 1 << 40, u64::MAX), Some(MOST_CHUNK));
        assert_eq!((chunks.chunk(0, 4 << 20, 0), chunks.chunk(1, 1 << 20, 0)), (None, Some(1 << 20)));
    }
}
