//! One request on a connection, to the head of its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use http_body::Body as _;

use super::answer::Answer;
use super::connection::Place;
use super::pump::{Pump, poll_room};
use crate::client::{Attempt, Reached, RequestStream, TransportError};

/// What one frame takes, unless the server takes more. A smaller message hardly ever gets its room in
/// parts.
const FRAME: usize = 16 * 1024;

impl Place {
    /// Sends a request, and waits for the head of its answer.
    ///
    /// The one message of a request is handed to HTTP/2 here; a stream of them has a task of
    /// its own, which ends with the call.
    pub(super) async fn send(
        mut self,
        request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<Answer>, TransportError> {
        self.until(attempt.deadline());
        let (head, mut body) = request.into_parts();
        let message = body.take_message();
        let is_all = message.is_none() && body.is_end_stream();
        let head = Request::from_parts(head, ());
        let sent = self.connection.request(head, is_all);
        let (response, stream) = match sent {
            Ok(sent) => sent,
            Err(error) => {
                self.broke(&error);
                return Err(error);
            }
        };
        attempt.set_reached(Reached::Sent);
        let rest = Rest::hand_over(message, body, is_all, stream);
        let (response, pump) = Exchange { response, rest }.await;
        match response {
            Ok(response) => {
                attempt.set_reached(Reached::Answered);
                self.connection.note_answer();
                let (head, body) = response.into_parts();
                let answer = Answer::new(&head, body, self, pump);
                Ok(Response::from_parts(head, answer))
            }
            Err(error) => {
                let error = self.connection.failure(error);
                self.broke(&error);
                Err(error)
            }
        }
    }
}

/// Sends what is left of a request, and waits for the head of its answer.
struct Exchange {
    response: ResponseFuture,
    rest: Rest,
}

impl Future for Exchange {
    type Output = (Result<Response<RecvStream>, h2::Error>, Option<Pump>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.rest.is_due(cx) {
            self.rest.send();
        }
        let response = ready!(Pin::new(&mut self.response).poll(cx));
        // The answer may begin before the server has taken the request, and go on after it.
        self.rest.send();
        let pump = match std::mem::take(&mut self.rest) {
            Rest::Stream(pump) => Some(pump),
            Rest::Nothing | Rest::Large(_) => None,
        };
        Poll::Ready((response, pump))
    }
}

/// What is still to be sent of a request when its head is.
#[derive(Default)]
enum Rest {
    #[default]
    Nothing,
    /// A large message, in a box as few calls have one. It waits until the server's window has room for a
    /// first part of it.
    ///
    /// h2 gives room to messages in their order, but one that gets a part of what it needs starts again
    /// at the end of those that wait: where the connection's window is short, one in a few would take
    /// twice as long as the others. When each gets a frame's room before any gets more, newcomers don't
    /// come before it.
    Large(Box<(Bytes, SendStream<Bytes>)>),
    Stream(Pump),
}

impl Rest {
    fn hand_over(
        message: Option<Bytes>,
        body: RequestStream,
        is_all: bool,
        mut stream: SendStream<Bytes>,
    ) -> Self {
        match message {
            Some(message) if message.len() > FRAME => {
                stream.reserve_capacity(FRAME);
                Self::Large(Box::new((message, stream)))
            }
            Some(message) => {
                // Where the server has reset the stream already, the answer says why.
                let _ = stream.send_data(message, true);
                Self::Nothing
            }
            None if is_all => Self::Nothing,
            None => Self::Stream(Pump::start(body, stream)),
        }
    }

    /// Whether there is a message that can be sent now, or waits for nothing any more.
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Large(large) => poll_room(&mut large.1, cx).is_ready(),
            Self::Nothing | Self::Stream(_) => false,
        }
    }

    /// Sends what has waited.
    fn send(&mut self) {
        if let Self::Large(large) = self {
            let (message, stream) = &mut **large;
            let _ = stream.send_data(std::mem::take(message), true);
            *self = Self::Nothing;
        }
    }
}
