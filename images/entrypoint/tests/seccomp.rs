//! Threads under a profile that denies clone3. A filter counts for the thread that installs it and for what it starts, so
//! that each test has a thread of its own.

use std::thread;

use kimg_entrypoint::seccomp::{self, ENOSYS, EPERM};

/// Runs this in a thread whose clone3 is answered with that error.
fn with_answer<T: Send + 'static>(error: u16, run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        seccomp::answer_clone3(error).expect("a filter can be installed");
        run()
    });
    thread.join().expect("it does not panic")
}

#[test]
fn denied_threads_are_made_possible() {
    let (before, done, after, twice) = with_answer(EPERM, || {
        let before = seccomp::probe();
        let done = seccomp::allow_threads().unwrap();
        let threads = thread::Builder::new().spawn(|| 7).map(|thread| thread.join().unwrap());
        (before, done, (seccomp::probe(), threads.ok()), seccomp::allow_threads().unwrap())
    });
    assert_eq!(before, Some(EPERM));
    assert!(done.is_some_and(|text| text.contains("clone3")), "{done:?}");
    assert_eq!(after, (Some(ENOSYS), Some(7)));
    assert_eq!(twice, None);
}

#[test]
fn a_kernel_without_clone3_needs_nothing() {
    assert_eq!(with_answer(ENOSYS, || (seccomp::probe(), seccomp::allow_threads().unwrap())), (Some(ENOSYS), None));
}

#[test]
fn what_is_started_sees_the_last_filter() {
    let has_filter = |status: &str| status.lines().any(|line| line.trim() == "Seccomp:\t2");
    let status = with_answer(EPERM, || {
        seccomp::allow_threads().unwrap();
        let output = std::process::Command::new("/bin/cat").arg("/proc/self/status").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    });
    assert!(has_filter(&status) && status.contains("NoNewPrivs:\t1"), "{status}");
}
