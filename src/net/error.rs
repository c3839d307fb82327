//! What can go wrong on the network.

use std::fmt;
use std::path::PathBuf;

use reqwest::StatusCode;

use crate::digest::Digest;
use crate::error::{Category, Diagnose};
use crate::store::StoreError;

/// A failure of the network, or of bytes that came over it.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The HTTP client can't be made: mostly a machine without any certificate authority.
    #[error("the HTTP client: {why}")]
    Client {
        /// What reqwest says.
        why: String,
    },
    /// A file of certificate authorities can't be used.
    #[error("{}: {why}", file.display().to_string().escape_debug())]
    Authority {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A client's certificate can't be used.
    #[error("{}: {why}", file.display().to_string().escape_debug())]
    Identity {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A proxy variable can't be used. Its value may hold a password and is not shown.
    #[error("the proxy of {variable}: {why}")]
    Proxy {
        /// `https_proxy`.
        variable: String,
        /// What is wrong with it.
        why: String,
    },
    /// A mirror's URL can't be used. It is not shown, since it may hold a password.
    #[error("the mirror's URL from {}: {why}", origin.escape_debug())]
    Base {
        /// Where it was found.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// No place to ask is known.
    #[error("{}: no host is known that serves it", name.escape_debug())]
    Nowhere {
        /// The file.
        name: String,
    },
    /// Every place answered that there is no such file.
    #[error("{}: not found: {}", name.escape_debug(), Listed(failures))]
    NotFound {
        /// The file.
        name: String,
        /// What each place answered.
        failures: Vec<Failure>,
    },
    /// No place could be reached, or each refused.
    #[error("{}: cannot be fetched: {}", name.escape_debug(), Listed(failures))]
    Unavailable {
        /// The file.
        name: String,
        /// Why, for each place.
        failures: Vec<Failure>,
    },
    /// Bytes came, but others than those pinned, and no other place mended it.
    #[error("{}: not the pinned bytes ({expected}): {}", name.escape_debug(), Listed(failures))]
    Wrong {
        /// The file.
        name: String,
        /// Digest and size of what should have come.
        expected: String,
        /// What came instead, for each place.
        failures: Vec<Failure>,
    },
    /// The cache failed: the disk is full, say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What went wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The URL that was asked, without credentials and query.
    pub url: String,
    /// Why it did not give the file.
    pub why: Why,
}

/// Why a place did not give a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It has none: 404 or 410.
    Absent(u16),
    /// It answered with another status that is no success.
    Status(u16),
    /// No connection came about. What the system says.
    Unreachable(String),
    /// A connection came about, but no TLS: a certificate that is not trusted, say.
    Tls(String),
    /// The answer broke off, stood still, or made no sense as HTTP.
    Broken(String),
    /// It redirected to where kimg does not follow.
    Redirect(String),
    /// A document is longer than it may be, in bytes.
    TooLong(u64),
    /// Other bytes than those pinned. What came instead.
    Wrong(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Absent(code) | Why::Status(code) => {
                // The reason in the answer itself is text from outside, and HTTP/2 has none.
                let reason = StatusCode::from_u16(*code).ok().and_then(|status| status.canonical_reason());
                write!(f, "answered {code}")?;
                reason.map_or(Ok(()), |reason| write!(f, " {reason}"))
            }
            Why::Unreachable(why) => write!(f, "cannot be reached: {why}"),
            Why::Tls(why) => write!(f, "no TLS connection: {why}"),
            Why::Broken(why) | Why::Redirect(why) | Why::Wrong(why) => f.write_str(why),
            Why::TooLong(limit) => write!(f, "more than {limit} bytes"),
        }
    }
}

struct Listed<'a>(&'a [Failure]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, failure)| {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{failure}")
        })
    }
}

impl NetError {
    /// What it means that each place failed so. Wrong bytes anywhere weigh more than hosts that were not reached, and a
    /// host that was not reached may have what others lack.
    pub(super) fn from_failures(name: &str, pin: Option<(Digest, u64)>, failures: Vec<Failure>) -> NetError {
        let name = name.to_owned();
        if failures.is_empty() {
            return NetError::Nowhere { name };
        }
        let wrong = failures.iter().any(|failure| matches!(failure.why, Why::Wrong(_)));
        match pin {
            Some((digest, size)) if wrong => {
                NetError::Wrong { name, expected: format!("{digest}, {size} bytes"), failures }
            }
            _ if failures.iter().all(|failure| matches!(failure.why, Why::Absent(_))) => {
                NetError::NotFound { name, failures }
            }
            _ => NetError::Unavailable { name, failures },
        }
    }
}

impl Diagnose for NetError {
    fn category(&self) -> Category {
        match self {
            NetError::Client { .. } | NetError::Authority { .. } | NetError::Identity { .. } => Category::Failed,
            NetError::Proxy { .. } | NetError::Base { .. } => Category::Usage,
            NetError::Nowhere { .. } | NetError::NotFound { .. } => Category::NotFound,
            NetError::Unavailable { .. } => Category::Refused,
            NetError::Wrong { .. } => Category::Verification,
            NetError::Store(error) => error.category(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            NetError::Client { .. } => {
                "install the system's certificate authorities (the package ca-certificates), or let SSL_CERT_FILE name \
                 a PEM file of them"
            }
            NetError::Authority { .. } => "name a file of certificates in PEM",
            NetError::Identity { .. } => {
                "write the certificate as NAME.cert and its key, without a password, as NAME.key"
            }
            NetError::Proxy { variable, .. } => {
                return Some(format!("set {variable} to http://HOST:PORT or https://HOST:PORT, or unset it"));
            }
            NetError::Base { .. } => "write it as https://HOST/PATH/",
            NetError::Nowhere { .. } => "name a mirror with --mirror KIND=URL",
            NetError::NotFound { .. } => "name a mirror that has it with --mirror KIND=URL",
            NetError::Unavailable { failures, .. } => hint_unavailable(failures),
            NetError::Wrong { .. } => {
                "the host serves another file than the one that was pinned, or something on the way changed it: ask \
                 another host with --mirror KIND=URL"
            }
            NetError::Store(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}

fn hint_unavailable(failures: &[Failure]) -> &'static str {
    let any = |test: fn(&Why) -> bool| failures.iter().any(|failure| test(&failure.why));
    if any(|why| matches!(why, Why::Status(401 | 403))) {
        "put the host's login and password into netrc, or name another mirror with --mirror KIND=URL"
    } else if any(|why| matches!(why, Why::Tls(_))) {
        "where a proxy of your network opens TLS, add its certificate authority to the system's"
    } else {
        "check the network and the proxy variables (https_proxy, no_proxy), or name a mirror that can be reached with \
         --mirror KIND=URL; what was fetched is kept"
    }
}
