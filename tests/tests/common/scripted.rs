//! A servicer that does what a test tells it to.

use std::pin::Pin;

use apibase::{Context, DomainError, Inbound, Streamed};
use apibase_tests::tonic_echo::echo::api::EchoServicer;
use futures_util::StreamExt;

use super::{CollectReply, CountRequest, EchoReply, EchoRequest, reply};

type Answer<R> = Pin<Box<dyn Future<Output = Result<R, DomainError>> + Send>>;
type Script<Q, R> = Box<dyn Fn(Context, Q) -> Answer<R> + Send + Sync>;
type Replies = Streamed<EchoReply, DomainError>;

/// An echo, unless a method is told otherwise.
pub(crate) struct Scripted {
    echo: Script<EchoRequest, EchoReply>,
    count: Script<CountRequest, Replies>,
    collect: Script<Inbound<EchoRequest>, CollectReply>,
    chat: Script<Inbound<EchoRequest>, Replies>,
    ping: Script<(), ()>,
}

/// A stream of `count` replies and then this error.
pub(crate) fn failing(count: u64, error: DomainError) -> Replies {
    let replies: Vec<_> = (0..count)
        .map(|number| Ok(reply(number, "")))
        .chain([Err(error)])
        .collect();
    Streamed::from_iter(replies)
}

impl Scripted {
    pub(crate) fn new() -> Self {
        Self {
            echo: script(|_, request: EchoRequest| async { Ok(reply(0, request.payload)) }),
            count: script(|_, request: CountRequest| async move { Ok(counted(&request)) }),
            collect: script(|_, requests| collect(requests)),
            chat: script(|_, requests: Inbound<EchoRequest>| async { Ok(chat(requests)) }),
            ping: script(|_, ()| async { Ok(()) }),
        }
    }

    pub(crate) fn on_echo<F>(
        mut self,
        echo: impl Fn(Context, EchoRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<EchoReply, DomainError>> + Send + 'static,
    {
        self.echo = script(echo);
        self
    }

    pub(crate) fn on_count<F>(
        mut self,
        count: impl Fn(Context, CountRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Replies, DomainError>> + Send + 'static,
    {
        self.count = script(count);
        self
    }

    pub(crate) fn on_collect<F>(
        mut self,
        collect: impl Fn(Context, Inbound<EchoRequest>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<CollectReply, DomainError>> + Send + 'static,
    {
        self.collect = script(collect);
        self
    }

    pub(crate) fn on_chat<F>(
        mut self,
        chat: impl Fn(Context, Inbound<EchoRequest>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Replies, DomainError>> + Send + 'static,
    {
        self.chat = script(chat);
        self
    }

    pub(crate) fn on_ping<F>(
        mut self,
        ping: impl Fn(Context, ()) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), DomainError>> + Send + 'static,
    {
        self.ping = script(ping);
        self
    }
}

impl EchoServicer for Scripted {
    async fn echo(&self, ctx: &Context, request: EchoRequest) -> Result<EchoReply, DomainError> {
        (self.echo)(ctx.clone(), request).await
    }

    async fn count(&self, ctx: &Context, request: CountRequest) -> Result<Replies, DomainError> {
        (self.count)(ctx.clone(), request).await
    }

    async fn collect(
        &self,
        ctx: &Context,
        requests: Inbound<EchoRequest>,
    ) -> Result<CollectReply, DomainError> {
        (self.collect)(ctx.clone(), requests).await
    }

    async fn chat(
        &self,
        ctx: &Context,
        requests: Inbound<EchoRequest>,
    ) -> Result<Replies, DomainError> {
        (self.chat)(ctx.clone(), requests).await
    }

    async fn ping(&self, ctx: &Context, request: ()) -> Result<(), DomainError> {
        (self.ping)(ctx.clone(), request).await
    }
}

fn script<Q, R, F>(answer: impl Fn(Context, Q) -> F + Send + Sync + 'static) -> Script<Q, R>
where
    F: Future<Output = Result<R, DomainError>> + Send + 'static,
{
    Box::new(move |ctx, request| Box::pin(answer(ctx, request)))
}

fn counted(request: &CountRequest) -> Replies {
    match request.fail_after {
        Some(after) => failing(after, DomainError::not_found("no more")),
        None => Streamed::from_iter((0..request.count).map(|number| Ok(reply(number, "")))),
    }
}

async fn collect(mut requests: Inbound<EchoRequest>) -> Result<CollectReply, DomainError> {
    let mut collected = CollectReply::default();
    while let Some(request) = requests.message().await? {
        collected.count += 1;
        collected.payloads.extend(request.payload);
    }
    Ok(collected)
}

fn chat(requests: Inbound<EchoRequest>) -> Replies {
    Streamed::new(requests.enumerate().map(|(number, request)| {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        Ok(reply(number, request?.payload))
    }))
}
