//! Whoever watches the registry. Other servers fail in ways of their own: tests let this one fail so.

/// A request, before it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It is answered as it should be.
    Pass,
    /// It is, but for these headers of the answer; an empty value leaves one out.
    Headers(Vec<(&'static str, String)>),
    /// It is, but for what stands before and behind its Location.
    Location {
        /// What is put before it: another host.
        before: String,
        /// What is put behind it: a query.
        behind: String,
    },
    /// This is answered instead, when the request's body has come.
    Answer(Reply),
    /// This is answered instead, and the request's body is not waited for.
    AnswerAtOnce(Reply),
    /// The connection breaks once so many bytes of the request's body have come; they count as having come.
    Tear(u64),
    /// The connection breaks once so many bytes of the answer's body have gone.
    Cut(u64),
    /// Nothing comes any more once so many bytes of the answer's body have gone.
    Stall(u64),
}

/// An answer that the registry would not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: ReplyBody,
}

/// The body of a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyBody {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Zeros without an end.
    Endless,
}

impl Reply {
    /// An answer without headers and body.
    pub fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: ReplyBody::Bytes(Vec::new()) }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Reply {
        self.body = ReplyBody::Bytes(bytes.into());
        self
    }
}

/// Looks at each request before it is answered.
///
/// Contract: called once a request, in the order in which requests come, perhaps by several threads at once; it does not
/// block.
pub trait Hook: Send + Sync {
    /// What is to happen to it.
    fn before(&self, asked: &Asked) -> Act;
}
