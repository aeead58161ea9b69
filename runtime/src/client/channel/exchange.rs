//! One request on a connection, to the head of its answer.

use http::{Request, Response};
use http_body::Body as _;

use super::answer::Answer;
use super::connection::Place;
use super::pump::Pump;
use crate::client::{Attempt, Reached, RequestStream, TransportError};

impl Place {
    /// Sends a request, and waits for the head of its answer.
    ///
    /// The one message of a request is handed to HTTP/2 here and now; a stream of them has a task of
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
        let (response, mut stream) = match sent {
            Ok(sent) => sent,
            Err(error) => {
                self.broke(&error);
                return Err(error);
            }
        };
        attempt.set_reached(Reached::Sent);
        let pump = match message {
            // Where the server has reset the stream already, the answer says why.
            Some(message) => {
                let _ = stream.send_data(message, true);
                None
            }
            None => (!is_all).then(|| Pump::start(body, stream)),
        };
        match response.await {
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
