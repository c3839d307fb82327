use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the story is written, line by line, from any thread; cheap to clone.
#[derive(Clone)]
pub struct Out(Arc<Mutex<dyn Write + Send>>);

impl Out {
    /// The standard error of the process.
    pub fn stderr() -> Out {
        Out::new(io::stderr())
    }

    /// Any writer.
    pub fn new(writer: impl Write + Send + 'static) -> Out {
        Out(Arc::new(Mutex::new(writer)))
    }

    /// Writes a line in one piece. Nobody may be listening any more (a closed pipe), which is no reason to stop working.
    pub fn line(&self, line: &str) {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writer.write_all(format!("{line}\n").as_bytes()).and_then(|()| writer.flush());
    }
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Out")
    }
}
