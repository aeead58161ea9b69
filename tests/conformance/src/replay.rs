//! Streams of replies, as the runner defines them.

use std::vec;

use apibase::{Closed, Context, DomainError, Inbound, StreamSender, Streamed};

use crate::answer::{delay, failure, packed, payload};
use crate::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use crate::connectrpc::conformance::v1::{
    BidiStreamRequest, BidiStreamResponse, ConformancePayload, Error, StreamResponseDefinition,
};
use crate::metadata::send;

/// The replies of one call, and how it ends.
pub(crate) struct Replay<T> {
    sender: StreamSender<T, DomainError>,
    wrap: fn(ConformancePayload) -> T,
    data: vec::IntoIter<Vec<u8>>,
    delay: u32,
    error: Option<Error>,
    has_sent: bool,
}

impl<T: Send + 'static> Replay<T> {
    /// What `definition` says, and the stream on which it is sent. The headers leave with the stream.
    pub(crate) fn new(
        ctx: &Context,
        definition: Option<StreamResponseDefinition>,
        wrap: fn(ConformancePayload) -> T,
    ) -> Result<(Self, Streamed<T, DomainError>), DomainError> {
        let definition = definition.unwrap_or_default();
        send(
            ctx,
            &definition.response_headers,
            &definition.response_trailers,
        )?;
        let (sender, replies) = Streamed::channel(1);
        let replay = Self {
            sender,
            wrap,
            data: definition.response_data.into_iter(),
            delay: definition.response_delay_ms,
            error: definition.error,
            has_sent: false,
        };
        Ok((replay, replies))
    }

    /// Sends the next reply; `false` if there is none.
    async fn next(&mut self, info: Option<RequestInfo>) -> Result<bool, Closed> {
        let Some(data) = self.data.next() else {
            return Ok(false);
        };
        delay(self.delay).await;
        self.has_sent = true;
        let reply = (self.wrap)(payload(data, info));
        self.sender.send(Ok(reply)).await?;
        Ok(true)
    }

    /// Sends what is left. Where it is the first to be sent, it tells what came in.
    pub(crate) async fn rest(mut self, info: RequestInfo) -> Result<(), Closed> {
        let mut info = Some(info).filter(|_| !self.has_sent);
        if self.next(info.clone()).await? {
            info = None;
        }
        while self.next(None).await? {}
        match self.error {
            Some(error) => self.sender.send(Err(failure(error, info.as_ref()))).await,
            None => Ok(()),
        }
    }
}

/// One reply to each request, for as long as there are both, then what is left.
pub(crate) async fn alternate(
    mut replay: Replay<BidiStreamResponse>,
    mut requests: Inbound<BidiStreamRequest>,
    mut info: RequestInfo,
) -> Result<(), Closed> {
    while replay.next(Some(info.clone())).await? {
        match requests.message().await {
            // Only the first reply tells more than what was asked since the last.
            Ok(Some(request)) => {
                info = RequestInfo {
                    requests: vec![packed("BidiStreamRequest", &request)],
                    ..RequestInfo::default()
                };
            }
            Ok(None) => break,
            Err(error) => return replay.sender.send(Err(error.into())).await,
        }
    }
    replay.rest(info).await
}
