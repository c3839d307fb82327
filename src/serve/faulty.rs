//! Bodies that end otherwise than they should.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::answer::Body;

/// How a body goes on behind the bytes that are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It breaks off.
    Break,
    /// It never does.
    Wait,
}

/// The first bytes of a body, and then no more.
pub(super) fn first(body: Body, count: u64, then: Then) -> Body {
    First { body, left: count, then, yielded: false }.boxed_unsync()
}

struct First {
    body: Body,
    left: u64,
    then: Then,
    yielded: bool,
}

impl HttpBody for First {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            if self.then == Then::Wait {
                return Poll::Pending;
            }
            // hyper sends what it has before it asks again; an error at once would take that with it.
            if !std::mem::replace(&mut self.yielded, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map(|frame| {
            let data = match frame?.map(Frame::into_data) {
                Ok(Ok(data)) => data,
                Ok(Err(other)) => return Some(Ok(other)),
                Err(error) => return Some(Err(error)),
            };
            let data = data.slice(..data.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
            self.left -= data.len() as u64;
            Some(Ok(Frame::data(data)))
        })
    }

    /// That of the whole: the one who reads it is told so.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Zeros without an end.
pub(super) struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        static ZEROS: [u8; 16 << 10] = [0; 16 << 10];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS)))))
    }
}
