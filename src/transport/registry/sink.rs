use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use super::Session;
use super::token::Actions;
use super::upload::upload;
use crate::copy::{Blob, CopyError, Have, Origin, Plan, Root, Sink, Taken};
use crate::net::{Body, Exchange, Verb};
use crate::oci::Descriptor;

/// A repository as a sink. Its methods block: they are called on threads that may wait. Names are tags, or the root's own
/// digest.
#[derive(Debug)]
pub struct RegistrySink {
    session: Session,
    runtime: Handle,
    /// The manifests that get tags: they are written under those at the end.
    roots: Mutex<Vec<(Descriptor, Vec<u8>)>>,
    named: Vec<Descriptor>,
}

impl RegistrySink {
    /// The repository of a session.
    pub fn new(session: Session, runtime: Handle) -> RegistrySink {
        RegistrySink { session, runtime, roots: Mutex::default(), named: Vec::new() }
    }

    fn has(&self, descriptor: &Descriptor) -> Result<Have, CopyError> {
        let name = descriptor.digest.to_string();
        let url = self.session.url(&format!("blobs/{name}"));
        self.runtime.block_on(async {
            let answer = self.session.ask(Actions::Push, || Exchange::new(Verb::Head, url.clone())).await?;
            match answer.status {
                // A redirect leads to where the blob is kept.
                200 | 301..=308 => Ok(Have::Present),
                404 => Ok(Have::Absent),
                _ => Err(self.session.refused(&name, answer).await),
            }
        })
    }

    fn put(&self, name: &str, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        let url = self.session.url(&format!("manifests/{name}"));
        let make = || {
            let ask = Exchange::new(Verb::Put, url.clone()).header("content-type", descriptor.media_type.clone());
            ask.body(Body::Bytes(bytes.to_vec()))
        };
        self.runtime.block_on(async {
            let answer = self.session.ask(Actions::Push, make).await?;
            match answer.status {
                200..=204 => Ok(()),
                _ => Err(self.session.refused(name, answer).await),
            }
        })
    }
}

impl Sink for RegistrySink {
    fn describe(&self) -> String {
        format!("docker://{}", self.session.repository().full_name())
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), CopyError> {
        self.named = plan.roots.iter().map(|root| root.descriptor.clone()).collect();
        Ok(())
    }

    fn jobs(&self, allowed: usize) -> usize {
        allowed
    }

    fn have(&self, blobs: &[Descriptor], _: Option<&Origin>) -> Result<Vec<Have>, CopyError> {
        blobs.iter().map(|blob| self.has(blob)).collect()
    }

    fn take_blob(&self, blob: &Blob<'_>, progress: &dyn Fn(u64)) -> Result<Taken, CopyError> {
        upload(&self.session, &self.runtime, blob.descriptor(), &mut blob.open(0)?, progress)?;
        Ok(Taken::Sent { from: 0 })
    }

    fn take_manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), CopyError> {
        if self.named.iter().any(|root| root.digest == descriptor.digest) {
            let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
            roots.push((descriptor.clone(), bytes.to_vec()));
            return Ok(());
        }
        self.put(&descriptor.digest.to_string(), descriptor, bytes)
    }

    fn finish(self: Box<Self>, roots: &[Root]) -> Result<(), CopyError> {
        let kept = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        for root in roots {
            let digest = root.descriptor.digest;
            let Some((descriptor, bytes)) = kept.iter().find(|(own, _)| own.digest == digest) else { continue };
            let own = vec![digest.to_string()];
            let names = if root.names.is_empty() { &own } else { &root.names };
            names.iter().try_for_each(|name| self.put(name, descriptor, bytes))?;
        }
        Ok(())
    }
}
