use std::io;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::CONTENT_TYPE;
use hyper::http::response::Builder;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::store::StoreError;

/// The body of a request or an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What is answered.
pub(super) type Answer = Response<Body>;

/// Why a request is not done (distribution-spec 1.1, "Error Codes").
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refused {
        Refused { status, code, message: message.into(), headers: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Refused {
        self.headers.push((name, value.into()));
        self
    }

    /// The error as an answer.
    pub(super) fn answer(self) -> Answer {
        let errors = json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let builder =
            self.headers.iter().fold(start(self.status), |builder, (name, value)| builder.header(*name, value));
        document(builder, "application/json", &errors)
    }
}

impl From<StoreError> for Refused {
    /// What the store says names folders of this machine, which are nobody's business.
    fn from(_: StoreError) -> Refused {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the store failed")
    }
}

/// The beginning of an answer.
pub(super) fn start(status: StatusCode) -> Builder {
    Response::builder().status(status).header("docker-distribution-api-version", "registry/2.0")
}

/// An answer without a body.
pub(super) fn empty(builder: Builder) -> Answer {
    with(builder, Empty::new().map_err(|never| match never {}).boxed_unsync())
}

/// An answer that is these bytes.
pub(super) fn bytes(builder: Builder, bytes: Vec<u8>) -> Answer {
    with(builder, full(bytes))
}

/// An answer that is a JSON document.
pub(super) fn document(builder: Builder, media_type: &str, document: &Value) -> Answer {
    bytes(builder.header(CONTENT_TYPE, media_type), document.to_string().into_bytes())
}

/// An answer with a body. Headers with letters that none may have are the fault of whoever names things so.
pub(super) fn with(builder: Builder, body: Body) -> Answer {
    builder.body(body).unwrap_or_else(|_| {
        let mut answer = Response::new(full(Vec::new()));
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

/// Bytes as a body.
pub(super) fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}
