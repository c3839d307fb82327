use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that compress chunks; shared by all layers under way. A job never waits for another, and whoever gives jobs
/// bounds how many of its own are under way; so layers can't block each other. The threads end with the last clone.
#[derive(Clone)]
pub struct Pool {
    jobs: Sender<Job>,
    threads: usize,
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
        Pool { jobs, threads }
    }

    /// How many threads it has.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `job` on one of the threads, and gives its result to the receiver; a receiver without a sender tells of a
    /// job that panicked.
    pub(super) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = channel();
        let job = Box::new(move || {
            // Nobody waits any more where a layer was given up.
            let _ = sender.send(job());
        });
        // The queue outlives the pool's threads only if all of them panicked; then the receiver says so.
        let _ = self.jobs.send(job);
        receiver
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => {
                // A panic is told by the job's dropped sender; this thread goes on with the next job.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
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
