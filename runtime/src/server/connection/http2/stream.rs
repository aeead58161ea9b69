//! [`Stream`]: one request, from its head to the end of its reply.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{HeaderValue, Response, header};
use http_body::Body;

use crate::server::body::ReplyBody;
use crate::server::connection::requests::Answering;

pin_project_lite::pin_project! {
    /// One request: waits for its answer, and sends that. It is over when all of it was sent, or when the
    /// client wants no more of it.
    pub(super) struct Stream {
        #[pin]
        state: State,
        respond: SendResponse<Bytes>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State {
        Answering {
            #[pin]
            answering: Answering,
        },
        Sending { sending: Sending },
    }
}

/// A body on its way.
struct Sending {
    body: ReplyBody,
    out: SendStream<Bytes>,
    /// What waits for room, and whether it is the last.
    held: Option<(Bytes, bool)>,
}

impl Stream {
    pub(super) fn new(answering: Answering, respond: SendResponse<Bytes>) -> Self {
        Self {
            state: State::Answering { answering },
            respond,
        }
    }
}

impl Future for Stream {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Answering { answering } => {
                    let Poll::Ready(response) = answering.poll(cx) else {
                        // Whoever doesn't wait any more has nobody work on.
                        let reset = ready!(this.respond.poll_reset(cx));
                        return over(reset.map(Some));
                    };
                    match begin(this.respond, response) {
                        Ok(Some(sending)) => State::Sending { sending },
                        Ok(None) => return Poll::Ready(()),
                        Err(error) => {
                            this.respond.send_reset(Reason::INTERNAL_ERROR);
                            return over(Err(error));
                        }
                    }
                }
                StateProjection::Sending { sending } => return sending.poll(cx),
            };
            this.state.set(next);
        }
    }
}

/// Sends the head of an answer; what is left to be sent, if anything is.
fn begin(
    respond: &mut SendResponse<Bytes>,
    response: Response<ReplyBody>,
) -> Result<Option<Sending>, h2::Error> {
    let (mut head, body) = response.into_parts();
    let is_whole = body.is_end_stream();
    if !is_whole && let Some(length) = body.size_hint().exact() {
        let length = HeaderValue::from(length);
        head.headers.entry(header::CONTENT_LENGTH).or_insert(length);
    }
    let out = respond.send_response(Response::from_parts(head, ()), is_whole)?;
    Ok((!is_whole).then_some(Sending {
        body,
        out,
        held: None,
    }))
}

impl Sending {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.send(cx) {
            Poll::Ready(result) => over(result.map(|()| None)),
            // Who wants no more of it doesn't have to be sent more to be noticed.
            Poll::Pending => {
                let reset = ready!(self.out.poll_reset(cx));
                over(reset.map(Some))
            }
        }
    }

    /// Sends what there is.
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        loop {
            if let Some((data, is_last)) = self.held.take_if(|_| self.out.capacity() > 0) {
                self.out.send_data(data, is_last)?;
                if is_last {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            if self.held.is_some() {
                match ready!(self.out.poll_capacity(cx)) {
                    Some(room) => room?,
                    // The stream is over, which polling for its reset tells.
                    None => return Poll::Pending,
                };
                continue;
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(never)) => match never {},
                None => return Poll::Ready(self.out.send_data(Bytes::new(), true)),
            };
            match frame.into_data() {
                Ok(data) => {
                    let is_last = self.body.is_end_stream();
                    match (data.is_empty(), is_last) {
                        (true, true) => return Poll::Ready(self.out.send_data(data, true)),
                        (true, false) => continue,
                        (false, _) => {}
                    }
                    // It is buffered whole once there is room for its first byte.
                    self.out.reserve_capacity(1);
                    self.held = Some((data, is_last));
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        return Poll::Ready(self.out.send_trailers(trailers));
                    }
                }
            }
        }
    }
}

/// A stream is over: it was sent, its client has reset it, or h2 doesn't take what there is.
fn over(result: Result<Option<Reason>, h2::Error>) -> Poll<()> {
    match result {
        Ok(None) => {}
        Ok(Some(reason)) => tracing::debug!(%reason, "a caller has given up its call"),
        Err(error) => tracing::debug!(%error, "a reply could not be sent"),
    }
    Poll::Ready(())
}
