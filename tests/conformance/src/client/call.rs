//! One call.

use std::time::Duration;

use apibase::prost::Message;
use apibase::prost_types::Any;
use apibase::{
    BoxError, CallInfo, CallOptions, ClientFactory, ClientTls, Compression, Context, DomainError,
    Replies,
};
use futures_util::stream::{self, Stream};
use tokio::select;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::sleep;

use crate::client::cancel::When;
use crate::client::outcome::{Ended, tell};
use crate::connectrpc::conformance::v1::api::ConformanceServiceClient;
use crate::connectrpc::conformance::v1::{
    BidiStreamResponse, ClientCompatRequest, ClientResponseResult, Compression as Asked,
    ConformancePayload, ServerStreamResponse, StreamType,
};

const SERVICE: &str = "connectrpc.conformance.v1.ConformanceService";

/// One call, and what it has come to until now.
struct Call {
    client: ConformanceServiceClient,
    ctx: Context,
    cancel: When,
    delay: Duration,
    requests: Vec<Any>,
    payloads: Vec<ConformancePayload>,
}

/// Makes the call that the runner asks for.
///
/// An error is one of what is asked for; how the call ended is in the response.
pub(crate) async fn make(asked: ClientCompatRequest) -> Result<ClientResponseResult, BoxError> {
    if asked.service() != SERVICE {
        return Err(format!("there is no service {}", asked.service()).into());
    }
    let info = CallInfo::new();
    let client = connect(&asked).await?;
    let full_duplex = asked.stream_type() == StreamType::FullDuplexBidiStream;
    let mut call = Call {
        client: client.with(options(&asked, &info)?),
        ctx: Context::background(),
        cancel: When::of(asked.cancel)?,
        delay: Duration::from_millis(asked.request_delay_ms.into()),
        requests: asked.request_messages,
        payloads: Vec::new(),
    };
    let result = match asked.method.as_deref().unwrap_or_default() {
        "Unary" => call.unary().await?,
        "IdempotentUnary" => call.idempotent_unary().await?,
        "Unimplemented" => call.unimplemented().await?,
        "ServerStream" => call.server_stream().await?,
        "ClientStream" => call.client_stream().await?,
        "BidiStream" => call.bidi_stream(full_duplex).await?,
        other => return Err(format!("there is no method {other:?}").into()),
    };
    Ok(tell(&info, call.payloads, result))
}

/// A connection of its own, so that no call is seen by another one's circuit breaker.
async fn connect(asked: &ClientCompatRequest) -> Result<ConformanceServiceClient, BoxError> {
    let mut clients = ClientFactory::new();
    let mut scheme = "http";
    if !asked.server_tls_cert.is_empty() {
        scheme = "https";
        let mut tls = ClientTls::new().ca_pem(&*asked.server_tls_cert);
        if let Some(own) = &asked.client_tls_creds {
            tls = tls.identity_pem(&*own.cert, &*own.key);
        }
        clients = clients.tls(tls);
    }
    let target = format!("{scheme}://{}:{}", asked.host, asked.port);
    Ok(ConformanceServiceClient::new(
        clients.connect(target).await?,
    ))
}

fn options(asked: &ClientCompatRequest, info: &CallInfo) -> Result<CallOptions, BoxError> {
    // Each call is as the case has it: no deadline of our own, and sent once.
    let mut options = CallOptions::new().info(info).no_deadline().no_retry();
    for header in &asked.request_headers {
        for value in &header.value {
            options = options.append_metadata(&header.name, value);
        }
    }
    if let Some(milliseconds) = asked.timeout_ms {
        options = options.deadline(Duration::from_millis(milliseconds.into()));
    }
    if asked.message_receive_limit > 0 {
        options = options.max_message_size(usize::try_from(asked.message_receive_limit)?);
    }
    Ok(match asked.compression() {
        Asked::Unspecified | Asked::Identity => options,
        Asked::Gzip => options.compress(Compression::Gzip),
        Asked::Zstd => options.compress(Compression::Zstd),
        other => return Err(format!("there is no {}", other.as_str_name()).into()),
    })
}

impl Call {
    async fn unary(&mut self) -> Result<Result<(), Ended>, BoxError> {
        let request = self.only()?;
        let reply = self.client.unary(&self.ctx, request);
        let reply = or_cancelled(reply, self.cancel.after_close()).await;
        Ok(reply.map(|reply| self.payloads.push(reply.payload.unwrap_or_default())))
    }

    async fn idempotent_unary(&mut self) -> Result<Result<(), Ended>, BoxError> {
        let request = self.only()?;
        let reply = self.client.idempotent_unary(&self.ctx, request);
        let reply = or_cancelled(reply, self.cancel.after_close()).await;
        Ok(reply.map(|reply| self.payloads.push(reply.payload.unwrap_or_default())))
    }

    async fn unimplemented(&mut self) -> Result<Result<(), Ended>, BoxError> {
        let request = self.only()?;
        let reply = self.client.unimplemented(&self.ctx, request);
        let reply = or_cancelled(reply, self.cancel.after_close()).await;
        Ok(reply.map(|_| ()))
    }

    async fn server_stream(&mut self) -> Result<Result<(), Ended>, BoxError> {
        let request = self.only()?;
        let (client, ctx, cancel) = (&self.client, &self.ctx, self.cancel);
        let payloads = &mut self.payloads;
        let reading = async {
            let replies = client.server_stream(ctx, request).await?;
            let payload = |reply: ServerStreamResponse| reply.payload;
            read(replies, payload, cancel, payloads, None).await
        };
        Ok(or_dropped(reading, cancel.after_close()).await)
    }

    async fn client_stream(&mut self) -> Result<Result<(), Ended>, BoxError> {
        let (sender, requests) = channel();
        let (messages, delay, cancel) = (self.all()?, self.delay, self.cancel);
        let sending = send(messages, sender, None, delay, cancel);
        let reply = self.client.client_stream(&self.ctx, requests);
        let reply = or_cancelled(reply, sending).await;
        Ok(reply.map(|reply| self.payloads.push(reply.payload.unwrap_or_default())))
    }

    async fn bidi_stream(&mut self, full_duplex: bool) -> Result<Result<(), Ended>, BoxError> {
        let (sender, requests) = channel();
        let (messages, delay, cancel) = (self.all()?, self.delay, self.cancel);
        // In full duplex each request waits for the reply to the one before.
        let (came, replied) = mpsc::channel(1);
        let replied = full_duplex.then_some(replied);
        let (client, ctx, payloads) = (&self.client, &self.ctx, &mut self.payloads);
        let reading = async {
            let replies = client.bidi_stream(ctx, requests).await?;
            let payload = |reply: BidiStreamResponse| reply.payload;
            read(replies, payload, cancel, payloads, Some(came)).await
        };
        Ok(or_dropped(reading, send(messages, sender, replied, delay, cancel)).await)
    }

    /// The one request.
    fn only<Q: Message + Default>(&self) -> Result<Q, BoxError> {
        match &*self.requests {
            [request] => Ok(Q::decode(&*request.value)?),
            several => Err(format!("{} requests, where there is one", several.len()).into()),
        }
    }

    fn all<Q: Message + Default>(&self) -> Result<Vec<Q>, BoxError> {
        let requests = self.requests.iter();
        Ok(requests
            .map(|request| Q::decode(&*request.value))
            .collect::<Result<_, _>>()?)
    }
}

/// Requests, as they are sent.
fn channel<Q: Send + 'static>() -> (Sender<Q>, impl Stream<Item = Q> + Send + 'static) {
    let (sender, receiver) = mpsc::channel(1);
    let requests = stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    (sender, requests)
}

/// Sends all requests, each after a reply to the one before where `replied` tells of replies. Returns when
/// it is time to cancel the call.
async fn send<Q>(
    requests: Vec<Q>,
    sender: Sender<Q>,
    mut replied: Option<mpsc::Receiver<()>>,
    delay: Duration,
    cancel: When,
) {
    for request in requests {
        sleep(delay).await;
        if sender.send(request).await.is_err() {
            // The call has ended: that is its own to tell.
            break;
        }
        if let Some(replied) = &mut replied {
            let _ = replied.recv().await;
        }
    }
    // From here on nobody asks.
    drop(replied);
    if cancel == When::BeforeClose {
        // There is a place when the last request was taken.
        let _ = sender.reserve().await;
        return;
    }
    drop(sender);
    cancel.after_close().await;
}

/// Reads all replies, or as many as there should be before the call is cancelled.
async fn read<R>(
    mut replies: Replies<R, DomainError>,
    payload: fn(R) -> Option<ConformancePayload>,
    cancel: When,
    payloads: &mut Vec<ConformancePayload>,
    came: Option<Sender<()>>,
) -> Result<(), Ended> {
    while let Some(reply) = replies.message().await? {
        payloads.push(payload(reply).unwrap_or_default());
        if cancel == When::Replies(payloads.len()) {
            return Err(Ended::Cancelled);
        }
        if let Some(came) = &came {
            // Where nobody waits for it, it need not be told.
            let _ = came.send(()).await;
        }
    }
    Ok(())
}

/// The reply of a call, unless it is cancelled before.
async fn or_cancelled<R>(
    reply: impl Future<Output = Result<R, apibase::CallError<DomainError>>>,
    cancelled: impl Future<Output = ()>,
) -> Result<R, Ended> {
    or_dropped(async { Ok(reply.await?) }, cancelled).await
}

async fn or_dropped<R>(
    call: impl Future<Output = Result<R, Ended>>,
    cancelled: impl Future<Output = ()>,
) -> Result<R, Ended> {
    select! {
        // The call first: its requests are to be taken before they are counted as sent.
        biased;
        result = call => result,
        () = cancelled => Err(Ended::Cancelled),
    }
}
