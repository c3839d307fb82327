use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// It is given room of its thread, which is there for one job after the other.
type Job = Box<dyn FnOnce(&mut Vec<u8>) + Send>;

/// Threads that compress chunks; shared by all layers under way. A job never waits for another, and whoever gives jobs
/// bounds how many of its own are under way; so layers can't block each other. The threads end with the last clone.
#[derive(Clone)]
pub struct Pool {
    jobs: Sender<Job>,
    threads: usize,
    /// Chunks that are free to be filled: memory that was used before costs less than fresh memory.
    chunks: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many chunks all layers together have under way.
    under_way: Arc<AtomicUsize>,
}

impl Pool {
    /// A pool of so many threads, at least one.
    pub fn new(threads: usize) -> Pool {
        let threads = threads.max(1);
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = queue.clone();
            thread::spawn(move || work(&queue));
        }
        Pool { jobs, threads, chunks: Arc::default(), under_way: Arc::default() }
    }

    /// Whether a layer with so many chunks under way waits for its first before it gives another: all layers together
    /// have enough that the threads have work while they read, and no more. It never waits for another layer.
    pub(super) fn is_ahead(&self, own: usize) -> bool {
        let all = self.under_way.load(Ordering::Relaxed);
        own > self.threads + 1 || (own > 1 && all > 2 * self.threads + 1)
    }

    /// A chunk of that many bytes, whatever they are.
    pub(super) fn chunk(&self, size: usize) -> Vec<u8> {
        let free = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.filter(|chunk| chunk.len() == size).unwrap_or_else(|| vec![0; size])
    }

    /// Takes a chunk back that nobody needs any more.
    pub(super) fn give_back(&self, chunk: Vec<u8>) {
        let mut free = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() <= self.threads {
            free.push(chunk);
        }
    }

    /// Runs `job` on one of the threads.
    pub(super) fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Vec<u8>) -> T + Send + 'static) -> Running<T> {
        let (sender, answer) = channel();
        let job = Box::new(move |room: &mut Vec<u8>| {
            // Nobody waits any more where a layer was given up.
            let _ = sender.send(job(room));
        });
        self.under_way.fetch_add(1, Ordering::Relaxed);
        // The queue outlives the pool's threads only if all of them panicked; then the answer says so.
        let _ = self.jobs.send(job);
        Running { answer, under_way: self.under_way.clone() }
    }
}

/// A job under way, until it is waited for or given up.
pub(super) struct Running<T> {
    answer: Receiver<T>,
    under_way: Arc<AtomicUsize>,
}

impl<T> Running<T> {
    /// What the job gives; an error where it panicked.
    pub(super) fn wait(self) -> Result<T, RecvError> {
        self.answer.recv()
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    let mut room = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => {
                // A panic is told by the job's dropped sender; this thread goes on with the next job.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut room)));
            }
            Err(_) => return,
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}
