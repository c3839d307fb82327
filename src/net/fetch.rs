//! One download: its places in turn, each tried until it gives the file or is given up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reqwest::{Response, Url};

use super::Download;
use super::base::{Place, host_of};
use super::client::{Shared, blocking};
use super::error::{Failure, NetError, Why};
use super::host::Permit;
use super::range::{Body, judge};
use super::request::{Ask, Failed, Hop, MOST_REDIRECTS, Stop, again, hop};
use super::retry::Tries;
use super::transfer::{Span, carry};
use crate::error::{Category, Diagnose};
use crate::event::{Outcome, Task, TaskKind};
use crate::store::{Downloads, Part, StoreError};

/// Fetches one file. `permit` is for the host of its first place.
///
/// A permit is asked for only while no part is held, and parts are held only under a permit: so tasks that fetch the
/// same file can't wait for each other in a circle.
pub(super) async fn fetch(
    shared: Arc<Shared>,
    download: Download,
    cache: Downloads,
    permit: Permit,
) -> Result<(), NetError> {
    let task = shared.events.task(TaskKind::Fetch, &download.name, Some(download.size));
    let mut turn = Some(permit);
    let mut failures: BTreeMap<usize, Failure> = BTreeMap::new();
    let mut queue: VecDeque<(usize, bool)> = (0..download.places.len()).map(|index| (index, false)).collect();
    while let Some((index, last)) = queue.pop_front() {
        let Some((base, path)) = download.places.get(index) else { continue };
        let place = Place::new(base, path)?;
        let _permit = match turn.take() {
            Some(permit) => permit,
            None => shared.hosts.get(&host_of(&place.url)).turn().await,
        };
        let mut visit = Visit::new(&shared, &download, &cache, &place, &task);
        let failure = match visit.run().await {
            Ok(outcome) => {
                task.finish(outcome);
                return Ok(());
            }
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::Failed(failed)) => failed.failure,
        };
        let wrong = matches!(failure.why, Why::Wrong(_));
        if wrong && visit.mixed && !last {
            // Perhaps only what an earlier run had left was wrong: once more from the start, when all others failed.
            queue.push_back((index, true));
        }
        if !queue.is_empty() {
            let text = format!("{}: {failure}; asking the next host", download.name.escape_debug());
            if wrong { shared.events.warning(text) } else { shared.events.detail(text) }
        }
        failures.insert(index, failure);
    }
    let pin = Some((download.digest, download.size));
    Err(NetError::from_failures(&download.name, pin, failures.into_values().collect()))
}

/// One place and what is held of the file while it is asked.
struct Visit<'a> {
    shared: &'a Shared,
    download: &'a Download,
    cache: &'a Downloads,
    place: &'a Place,
    task: &'a Task,
    held: Option<(String, Part)>,
    /// Whether the part was put together from more than one answer.
    mixed: bool,
}

impl<'a> Visit<'a> {
    fn new(
        shared: &'a Shared,
        download: &'a Download,
        cache: &'a Downloads,
        place: &'a Place,
        task: &'a Task,
    ) -> Visit<'a> {
        Visit { shared, download, cache, place, task, held: None, mixed: false }
    }

    /// Tries until the file is in the cache or the place is given up.
    async fn run(&mut self) -> Result<Outcome, Stop> {
        let mut tries = Tries::new(self.shared.settings());
        loop {
            match self.step().await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                Err(Stop::Failed(failed)) => again(self.shared, &self.download.name, &mut tries, failed).await?,
                Err(fatal) => return Err(fatal),
            }
        }
    }

    /// One request and its body; `None` where it has to be asked again at once, from the start.
    async fn step(&mut self) -> Result<Option<Outcome>, Stop> {
        let size = self.download.size;
        let (response, url, part) = match self.ask().await? {
            Asked::Elsewhere => return Ok(Some(Outcome::Present)),
            Asked::Whole(part) => {
                self.mixed = true;
                return self.finish(*part, &self.place.url).await.map(Some);
            }
            Asked::Answer(answer) => *answer,
        };
        let status = response.status().as_u16();
        let offset = part.offset();
        let span = match judge(status, response.headers(), offset, size) {
            Body::Continues { until } => Span { from: offset, until, size },
            Body::Whole => Span { from: 0, until: size, size },
            Body::Astray if offset > 0 => {
                self.throw_away(&url, part).await?;
                return Ok(None);
            }
            Body::Astray => {
                return Err(Failed::new(&url, Why::Broken("sent a part that was not asked for".to_owned())).into());
            }
            Body::Size(found) => {
                self.throw_away(&url, part).await?;
                return Err(Failed::new(&url, Why::Wrong(format!("{found} bytes instead of {size}"))).into());
            }
            Body::Strange => return Err(Failed::new(&url, Why::Status(status)).into()),
        };
        self.mixed = span.from > 0;
        let carried = carry(response, part, span, self.shared.settings().stall_timeout, self.task).await?;
        match carried.end {
            Ok(()) if carried.part.offset() == size => self.finish(carried.part, &url).await.map(Some),
            Err(why @ Why::Wrong(_)) => {
                self.throw_away(&url, carried.part).await?;
                Err(Failed::new(&url, why).into())
            }
            end => {
                let done = carried.part.offset();
                self.held = Some((host_of(&url), carried.part));
                let why = end.err().unwrap_or_else(|| Why::Broken(format!("ended after {done} of {size} bytes")));
                Err(Failed { gained: carried.gained, ..Failed::new(&url, why) }.into())
            }
        }
    }

    /// Asks, and follows redirects; for each host on the way from where its own part ends.
    async fn ask(&mut self) -> Result<Asked, Stop> {
        let mut url = self.place.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let Some(part) = self.take_part(&url).await? else { return Ok(Asked::Elsewhere) };
            if part.offset() == self.download.size {
                return Ok(Asked::Whole(Box::new(part)));
            }
            let offset = part.offset();
            self.held = Some((host_of(&url), part));
            match hop(self.shared, self.place, &url, Ask::From(offset)).await? {
                Hop::To(next) => url = next,
                Hop::Answer(response) => match self.held.take() {
                    Some((_, part)) => return Ok(Asked::Answer(Box::new((response, url, part)))),
                    None => break,
                },
            }
        }
        let why = format!("redirects more than {MOST_REDIRECTS} times");
        Err(Failed::new(&self.place.url, Why::Redirect(why)).into())
    }

    /// The part for the host of `url`: what is held of it, else from the cache; `None` where the file is there by now.
    async fn take_part(&mut self, url: &Url) -> Result<Option<Part>, StoreError> {
        let host = host_of(url);
        if let Some((own, part)) = self.held.take()
            && own == host
        {
            return Ok(Some(part));
        }
        let (cache, digest, size) = (self.cache.clone(), self.download.digest, self.download.size);
        blocking(move || cache.part(&digest, size, &host)).await
    }

    /// Begins the part again and keeps it.
    async fn throw_away(&mut self, url: &Url, mut part: Part) -> Result<(), StoreError> {
        let part = blocking(move || part.restart().map(|()| part)).await?;
        self.held = Some((host_of(url), part));
        Ok(())
    }

    /// Verifies the whole. Bytes that do not fit are the host's failure, all else is the cache's.
    async fn finish(&mut self, part: Part, url: &Url) -> Result<Outcome, Stop> {
        match blocking(move || part.finish()).await {
            Ok(()) => Ok(Outcome::Done),
            // Which part file they came into is nothing to the user.
            Err(StoreError::Mismatch { found, .. }) => Err(Failed::new(url, Why::Wrong(found)).into()),
            Err(error) if error.category() == Category::Verification => {
                Err(Failed::new(url, Why::Wrong(error.to_string())).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What asking led to.
enum Asked {
    /// Another task or process brought the file.
    Elsewhere,
    /// All bytes had come already.
    Whole(Box<Part>),
    /// An answer, the URL that gave it, and the part that it is to continue.
    Answer(Box<(Response, Url, Part)>),
}
