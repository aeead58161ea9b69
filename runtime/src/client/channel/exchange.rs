//! One request on a connection, to the head of its answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

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

/// The head of an answer, or why there is none.
type Head = Result<Response<RecvStream>, h2::Error>;

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
        let (mut response, mut stream) = match sent {
            Ok(sent) => sent,
            Err(error) => {
                self.broke(&error);
                return Err(error);
            }
        };
        attempt.set_reached(Reached::Sent);
        let mut early = None;
        let pump = match message {
            // Where the server has reset the stream already, the answer says why.
            Some(message) => {
                if message.len() > FRAME {
                    early = turn(&mut stream, &mut response).await;
                }
                let _ = stream.send_data(message, true);
                None
            }
            None => (!is_all).then(|| Pump::start(body, stream)),
        };
        let response = match early {
            Some(response) => response,
            None => response.await,
        };
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

/// Waits until the server's window has room for a first part, or the head of the answer is there.
///
/// h2 gives room to messages in their order, but one that gets a part of what it needs starts again at
/// the end of those that wait: where the connection's window is short, one in a few would take twice as
/// long as the others. When each gets a frame's room before any gets more, newcomers don't come before
/// it.
async fn turn(stream: &mut SendStream<Bytes>, response: &mut ResponseFuture) -> Option<Head> {
    stream.reserve_capacity(FRAME);
    poll_fn(|cx| match poll_room(stream, cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => Pin::new(&mut *response).poll(cx).map(Some),
    })
    .await
}
