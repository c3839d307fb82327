//! A Docker daemon: images are loaded into it as the tar of `docker save`, with the layers only that it lacks.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::ImportImageOptions;
use bollard::{API_DEFAULT_VERSION, Docker, body_try_stream};
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::docker_images::Images;
use super::{Archive, DockerArchiveSink, DockerHost, Import, Imported, docker_error};
use crate::copy::{
    self, Blob, Choice, CopyError, Execution, Form, Have, Origin, Plan, PlannedImage, Root, Sink, Source, Taken,
};
use crate::error::{Category, Diagnose};
use crate::oci::Descriptor;

/// How long a daemon may take to answer a question.
const ANSWER: Duration = Duration::from_secs(120);

/// It answers when it has loaded all, which has no bound; the user can end it.
const LOAD: Duration = Duration::from_secs(7 * 24 * 3600);

/// Chunks on their way to the daemon.
const CHUNKS: usize = 2;

/// A daemon that answers. All of it blocks: it is for threads of a tokio runtime that may.
#[derive(Debug, Clone)]
pub struct Daemon {
    docker: Docker,
    place: String,
    runtime: Handle,
}

impl Daemon {
    /// Connects, and asks whether it is one.
    pub fn connect(host: &DockerHost) -> Result<Daemon, CopyError> {
        let place = format!("docker-daemon at {host}");
        let seconds = ANSWER.as_secs();
        let docker = match host {
            DockerHost::Unix(path) => Docker::connect_with_unix(path, seconds, API_DEFAULT_VERSION),
            DockerHost::Tcp(address) => Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION),
        };
        let docker = docker.map_err(|error| docker_error::failed(&place, &error))?;
        let daemon = Daemon { docker, place, runtime: Handle::current() };
        match daemon.ask(daemon.docker.ping()) {
            Ok(answer) if answer.trim() == "OK" => Ok(daemon),
            Ok(answer) => Err(docker_error::other(&daemon.place, &answer)),
            Err(error) => Err(docker_error::unanswered(&daemon.place, &error)),
        }
    }

    /// Loads images. Layers that the daemon has are left out; where it does not take that, they are sent.
    pub fn load(&self, source: &dyn Source, roots: &[Root], execution: &Execution) -> Result<(), CopyError> {
        let events = &execution.events;
        let all = copy::plan(source, &self.sink(), roots, &Choice::default())?;
        let images = Images::of(self, &all.images)?;
        if images.hold(&all.images) {
            events.detail(format!("{}: the images are there", self.place));
            return Ok(());
        }
        let plan = all.clone().leave_out(|layers| images.layers(layers));
        let left_out = plan.blobs.iter().filter(|blob| blob.have == Have::Present).count();
        let sink = self.sink();
        let refused = sink.refused.clone();
        match copy::execute(&plan, source, Box::new(sink), execution) {
            Err(error) if left_out > 0 && refused.load(Ordering::Relaxed) => {
                events.detail(format!("{error}; all layers are sent"));
                copy::execute(&all, source, Box::new(self.sink()), execution).map(drop)
            }
            Ok(_) if left_out > 0 => {
                events.detail(format!("{}: {left_out} layers were there", self.place));
                Ok(())
            }
            result => result.map(drop),
        }
    }

    /// Brings an image into the store, by its name or id.
    pub fn import(&self, import: &Import, name: &str) -> Result<Imported, CopyError> {
        match self.ask(self.docker.inspect_image(name)) {
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
                return Err(CopyError::NotFound { place: self.place.clone(), name: name.to_owned() });
            }
            Err(error) => return Err(self.failed(error)),
            Ok(_) => {}
        }
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let (docker, name) = (self.docker.clone().with_timeout(LOAD), name.to_owned());
        self.runtime.spawn(async move {
            let mut chunks = std::pin::pin!(docker.export_image(&name));
            while let Some(chunk) = chunks.next().await {
                // Whoever read it has enough.
                if sender.send(chunk).await.is_err() {
                    return;
                }
            }
        });
        let broke = Arc::new(Mutex::new(None));
        let export = Export { receiver, chunk: io::Cursor::default(), broke: broke.clone() };
        let imported = import.docker(&self.place, Box::new(export));
        // What broke the stream tells more than where that was noticed.
        match broke.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(self.failed(error)),
            None => imported,
        }
    }

    fn sink(&self) -> DaemonSink {
        DaemonSink { daemon: self.clone(), planned: Vec::new(), loading: Mutex::new(None), refused: Arc::default() }
    }

    /// Waits for the answer to a question.
    pub(super) fn ask<T>(&self, question: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime.block_on(question)
    }

    /// A failure of it.
    pub(super) fn failed(&self, error: Error) -> CopyError {
        docker_error::failed(&self.place, &error)
    }

    /// Its API.
    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// An archive that comes from the daemon.
struct Export {
    receiver: mpsc::Receiver<Result<bytes::Bytes, Error>>,
    chunk: io::Cursor<bytes::Bytes>,
    broke: Arc<Mutex<Option<Error>>>,
}

impl Read for Export {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.chunk.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(Ok(chunk)) => self.chunk = io::Cursor::new(chunk),
                Some(Err(error)) => {
                    let text = error.to_string();
                    *self.broke.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return Err(io::Error::other(text));
                }
            }
        }
    }
}

/// The daemon as a sink: one request, whose body is the archive.
struct DaemonSink {
    daemon: Daemon,
    /// What it is to have.
    planned: Vec<PlannedImage>,
    loading: Mutex<Option<Loading>>,
    /// Whether it did not want what it was sent.
    refused: Arc<AtomicBool>,
}

struct Loading {
    archive: DockerArchiveSink,
    whole: Arc<AtomicBool>,
    request: JoinHandle<Result<(), Error>>,
}

/// Writes chunks of the request's body.
struct Chunks(mpsc::Sender<Vec<u8>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(bytes.to_vec()).map(|()| bytes.len()).map_err(gone)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DaemonSink {
    fn start(&self) -> Loading {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(CHUNKS);
        let whole = Arc::new(AtomicBool::new(false));
        let is_whole = whole.clone();
        // A body that ends early is torn, not short: the daemon must not take it for all.
        let body = poll_fn(move |context| {
            receiver.poll_recv(context).map(|chunk| match chunk {
                Some(chunk) => Some(Ok(chunk.into())),
                None if is_whole.load(Ordering::Acquire) => None,
                None => Some(Err(io::Error::other("the copy ended"))),
            })
        });
        let docker = self.daemon.docker.clone().with_timeout(LOAD);
        let request = self.daemon.runtime.spawn(async move {
            let options = ImportImageOptions { quiet: true, ..ImportImageOptions::default() };
            let mut answers = docker.import_image(options, body_try_stream(body), None);
            while let Some(answer) = answers.next().await {
                answer?;
            }
            Ok(())
        });
        let archive = DockerArchiveSink::new(Archive::to(&self.daemon.place, Chunks(sender)));
        Loading { archive, whole, request }
    }

    /// What the daemon said of the request.
    fn answer(&self, request: JoinHandle<Result<(), Error>>) -> Result<(), CopyError> {
        match self.daemon.runtime.block_on(request) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let says = matches!(error, Error::DockerStreamError { .. } | Error::DockerResponseServerError { .. });
                self.refused.store(says, Ordering::Relaxed);
                Err(self.daemon.failed(error))
            }
            Err(_) => Err(docker_error::lost(&self.daemon.place)),
        }
    }

    /// Does a step; where the daemon hung up, its answer tells why.
    fn step(&self, step: impl FnOnce(&mut DockerArchiveSink) -> Result<(), CopyError>) -> Result<(), CopyError> {
        let mut under_way = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(loading) = under_way.as_mut() else { return Ok(()) };
        let Err(error) = step(&mut loading.archive) else { return Ok(()) };
        match (error.category(), under_way.take()) {
            // Only writing fails so.
            (Category::Failed, Some(Loading { archive, request, .. })) => {
                drop(archive);
                self.answer(request).and(Err(docker_error::lost(&self.daemon.place)))
            }
            _ => Err(error),
        }
    }
}

impl Sink for DaemonSink {
    fn describe(&self) -> String {
        self.daemon.place.clone()
    }

    fn form(&self) -> Form {
        Form::Tars
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.planned = plan.images.clone();
        self.loading = Mutex::new(Some(self.start()));
        self.step(|archive| archive.begin(plan))
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        Ok(vec![Have::Absent; blobs.len()])
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        self.step(|archive| archive.take_blob(blob, progress).map(drop))?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, _: &Descriptor, _: &[u8]) -> Result<(), CopyError> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        let Some(Loading { archive, whole, request }) =
            self.loading.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        else {
            return Ok(());
        };
        whole.store(true, Ordering::Release);
        let sent = Box::new(archive).finish(roots);
        self.answer(request)?;
        sent?;
        // Whoever says "done" to anything is not believed.
        match Images::by_name(&self.daemon, &self.planned)?.hold_layers(&self.planned) {
            true => Ok(()),
            false => Err(docker_error::lost(&self.daemon.place)),
        }
    }
}
