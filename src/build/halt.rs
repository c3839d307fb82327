//! Ending layers under way: when one of them failed, or when nobody waits for the image any more.

use std::io::{self, Write};

use tokio::sync::watch;

/// Layers go on while it lives.
#[derive(Debug)]
pub(super) struct Going(#[allow(dead_code, reason = "its end is what is told")] watch::Sender<()>);

/// Tells whether a layer is to end; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Halt(watch::Receiver<()>);

/// Both ends.
pub(super) fn pair() -> (Going, Halt) {
    let (sender, receiver) = watch::channel(());
    (Going(sender), Halt(receiver))
}

impl Halt {
    /// Waits until layers are to end.
    pub(super) async fn wait(mut self) {
        // Nothing is ever sent, so this is an error: the sender's end.
        while self.0.changed().await.is_ok() {}
    }

    /// Whether layers still go on.
    pub(super) fn goes_on(&self) -> bool {
        self.0.has_changed().is_ok()
    }

    /// `out`, whose writes fail once layers are to end.
    pub(super) fn guard<W: Write>(&self, out: W) -> Guarded<W> {
        Guarded { out, halt: self.clone() }
    }
}

/// A writer that ends with the others.
#[derive(Debug)]
pub(super) struct Guarded<W> {
    out: W,
    halt: Halt,
}

impl<W> Guarded<W> {
    /// The writer within.
    pub(super) fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.halt.0.has_changed() {
            Ok(_) => self.out.write(bytes),
            Err(_) => Err(io::Error::other("the build ended")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
