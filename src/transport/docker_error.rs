use std::error::Error as _;
use std::io::ErrorKind;

use bollard::errors::Error;

use crate::copy::CopyError;
use crate::error::Category;

/// A daemon's failure in kimg's words.
pub(super) fn failed(place: &str, error: &Error) -> CopyError {
    told(place, words(error))
}

/// The failure of the very first question, which every daemon answers.
pub(super) fn unanswered(place: &str, error: &Error) -> CopyError {
    match words(error) {
        (REFUSED | BROKEN, why, _) => told(place, (OTHER, why, Some(WHERE))),
        words => told(place, words),
    }
}

/// Something that answers the first question as no daemon does.
pub(super) fn other(place: &str, answer: &str) -> CopyError {
    told(place, (OTHER, format!("it says `{}`", beginning(answer)), Some(WHERE)))
}

/// Images that were loaded without a complaint, and are not there.
pub(super) fn lost(place: &str) -> CopyError {
    told(place, ("the images are not there", "it took them, and complained of nothing".to_owned(), Some(LOG)))
}

/// What, why, and a hint.
type Words = (&'static str, String, Option<&'static str>);

fn told(place: &str, (what, why, hint): Words) -> CopyError {
    let (place, what, hint) = (place.to_owned(), what.to_owned(), hint.map(str::to_owned));
    CopyError::Failed { place, what, why, category: Category::Refused, hint }
}

const UNREACHABLE: &str = "it cannot be reached";
const REFUSED: &str = "it refused";
const BROKEN: &str = "the connection broke";
const OTHER: &str = "it does not answer as a Docker daemon";

const START: &str = "start it, or set DOCKER_HOST to where it listens (`docker context inspect` tells)";
const WHERE: &str = "set DOCKER_HOST to where a Docker daemon listens";
const LOG: &str = "see the daemon's log";
const SPACE: &str = "free space there, such as by `docker system prune`";

fn words(error: &Error) -> Words {
    match error {
        Error::DockerStreamError { error } => ("it refused the images", beginning(error), Some(complaint(error))),
        Error::DockerResponseServerError { status_code, message } => {
            (REFUSED, format!("{} (status {status_code})", beginning(message)), Some(complaint(message)))
        }
        Error::SocketNotFoundError(_) => (UNREACHABLE, "there is no such socket".to_owned(), Some(START)),
        Error::RequestTimeoutError => ("it does not answer", "it let two minutes pass".to_owned(), Some(LOG)),
        other => connection(other),
    }
}

/// A failure of the connection, by what lies at the bottom of it.
fn connection(error: &Error) -> Words {
    let (mut kind, mut bottom) = (None, error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        bottom = cause.to_string();
        kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(kind);
        source = cause.source();
    }
    match kind {
        Some(ErrorKind::PermissionDenied) => {
            (UNREACHABLE, bottom, Some("join the group that the socket belongs to (mostly `docker`), and log in anew"))
        }
        Some(ErrorKind::ConnectionRefused | ErrorKind::NotFound) => (UNREACHABLE, bottom, Some(START)),
        _ => (BROKEN, bottom, Some("see the daemon's log, and run it again when it is up")),
    }
}

fn complaint(message: &str) -> &'static str {
    if message.contains("no space left") { SPACE } else { LOG }
}

/// Enough of what came to recognise it: it may be a page for people.
fn beginning(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or("no reason");
    line.chars().take(300).collect()
}
