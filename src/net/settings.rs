//! How to behave on the network.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How to behave on the network. Read by `cli` from flags, environment and configuration.
#[derive(Clone)]
pub struct Settings {
    /// Downloads at once to one host; at least one.
    pub per_host: usize,
    /// Tries of one download at one host, the first included. A try that brought a mebibyte or more before it broke
    /// off does not count: the next one goes on from there.
    pub tries: u32,
    /// The first wait between two tries; each further one doubles, up to `longest_wait`.
    pub first_wait: Duration,
    /// The longest wait between two tries, also where Retry-After asks for more.
    pub longest_wait: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still.
    pub stall_timeout: Duration,
    /// How long a host may take to say whether it has a file that may be had elsewhere too.
    pub probe_timeout: Duration,
    /// The text of a netrc file, where there is one.
    pub netrc: Option<String>,
    /// PEM files of certificate authorities trusted besides the platform's.
    pub authorities: Vec<PathBuf>,
    /// The proxies of the environment: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in either case; the
    /// lower-case name wins. An empty value is none.
    pub proxies: Vec<(String, String)>,
}

impl Default for Settings {
    /// What a good citizen of public mirrors does: six downloads at once to a host, as browsers do, and four tries.
    fn default() -> Settings {
        Settings {
            per_host: 6,
            tries: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            probe_timeout: Duration::from_secs(4),
            netrc: None,
            authorities: Vec::new(),
            proxies: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    /// Without what may hold passwords: the netrc file and the proxies' URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxies: Vec<&str> = self.proxies.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Settings")
            .field("per_host", &self.per_host)
            .field("tries", &self.tries)
            .field("first_wait", &self.first_wait)
            .field("longest_wait", &self.longest_wait)
            .field("connect_timeout", &self.connect_timeout)
            .field("stall_timeout", &self.stall_timeout)
            .field("probe_timeout", &self.probe_timeout)
            .field("netrc", &self.netrc.is_some())
            .field("authorities", &self.authorities)
            .field("proxies", &proxies)
            .finish()
    }
}
