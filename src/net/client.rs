//! What all requests share; the reqwest client, built at the first one.

use reqwest::{Url, redirect};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::error::NetError;
use super::host::Hosts;
use super::netrc::Netrc;
use super::proxy::{has_proxies, proxies};
use super::settings::Settings;
use super::tls::{Tls, read_authorities};
use crate::event::Events;

/// What all requests of a [`super::Client`] share.
pub(super) struct Shared {
    settings: Settings,
    tls: Tls,
    pub(super) events: Events,
    pub(super) netrc: Netrc,
    pub(super) hosts: Hosts,
    http: OnceCell<reqwest::Client>,
    plain: OnceCell<reqwest::Client>,
}

impl Shared {
    pub(super) fn new(settings: Settings, events: Events) -> Shared {
        let netrc = settings.netrc.as_deref().map(Netrc::parse).unwrap_or_default();
        let hosts = Hosts::new(settings.per_host);
        Shared { settings, tls: Tls::default(), events, netrc, hosts, http: OnceCell::new(), plain: OnceCell::new() }
    }

    /// One of its own, with TLS as one host wants it; its client is made at once, so that files that are none are told of
    /// before anything is asked.
    pub(super) fn special(&self, tls: Tls) -> Result<Shared, NetError> {
        let http = build(&self.settings, Some(&tls))?;
        let shared = Shared::new(self.settings.clone(), self.events.clone());
        Ok(Shared { tls, http: OnceCell::new_with(Some(http)), ..shared })
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The reqwest client. Reading the platform's authorities takes milliseconds, so it is done once and not on a
    /// thread that others' transfers wait for.
    pub(super) async fn http(&self, url: &Url) -> Result<&reqwest::Client, NetError> {
        // A registry on this machine needs none of that: a copy of nothing takes a third of the time.
        if url.scheme() == "http" && !has_proxies(&self.settings.proxies) {
            return self.plain.get_or_try_init(async || build(&self.settings, None)).await;
        }
        self.http
            .get_or_try_init(|| {
                let (settings, tls) = (self.settings.clone(), self.tls.clone());
                blocking(move || build(&settings, Some(&tls)))
            })
            .await
    }
}

/// Without `tls` it knows no authority.
fn build(settings: &Settings, tls: Option<&Tls>) -> Result<reqwest::Client, NetError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("kimg/", env!("CARGO_PKG_VERSION")))
        // Redirects are followed by `request`, which knows about part files and credentials.
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .http2_adaptive_window(true)
        // Only `cli` reads the environment.
        .no_proxy();
    for proxy in proxies(&settings.proxies)? {
        builder = builder.proxy(proxy);
    }
    builder = match tls {
        None => builder.tls_certs_only([]),
        Some(tls) => {
            let mut authorities = Vec::new();
            for file in &settings.authorities {
                authorities.extend(read_authorities(file)?);
            }
            tls.apply(builder.tls_certs_merge(authorities))?
        }
    };
    builder.build().map_err(|error| NetError::Client { why: told(error) })
}

/// What an error of reqwest says, on one line, without its URL and without the layers that say nothing.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut parts: Vec<String> = Vec::new();
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = source {
        let text = error.to_string();
        // What a cause says stands in many messages that wrap it.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        source = error.source();
    }
    if parts.len() > 1 {
        parts.remove(0);
    }
    if parts.len() > 1 {
        parts.retain(|part| !part.starts_with("client error (") && part != "operation was canceled");
    }
    parts.join(": ").escape_debug().to_string()
}

/// Runs what blocks where it may.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(tokio::task::spawn_blocking(work)).await
}

/// The result of work that was started; its panic is passed on.
pub(super) async fn joined<T>(work: JoinHandle<T>) -> T {
    match work.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels it, and it will not poll us again.
            Err(_) => std::future::pending().await,
        },
    }
}
