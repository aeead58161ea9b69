//! The echo service of words, server and client, as the generator writes them for entities.

use apibase::codegen as rt;
use apibase::{DomainError, Inbound, Interceptors, Replies, Server, Streamed, TowerService};
use apibase_tests::tonic_echo::echo::api::{FILE_DESCRIPTOR_SET, echo_service};
use futures_util::{Stream, StreamExt};

use super::words::{AskMapper, CollectedMapper, HowManyMapper, SaidMapper};
use super::{
    Ask, Collected, EchoRequest, HowMany, Outcome, Running, STRICT, Said, UNSAYABLE, said,
};

/// The servicer: an echo.
struct Words;

impl Words {
    async fn echo(&self, _: &rt::Context, ask: Ask) -> Result<Said, DomainError> {
        Ok(spoken(&ask, 0))
    }

    async fn count(
        &self,
        _: &rt::Context,
        request: HowMany,
    ) -> Result<Streamed<Said, DomainError>, DomainError> {
        let last = (request.tone == UNSAYABLE).then(|| Ok(said("\0", request.count)));
        let replies = (0..request.count).map(|number| Ok(said("word", number)));
        Ok(Streamed::from_iter(replies.chain(last)))
    }

    /// Takes what is wrong with a request for a word, until a tone is strict.
    async fn collect(
        &self,
        _: &rt::Context,
        mut requests: Inbound<Ask>,
    ) -> Result<Collected, DomainError> {
        let mut words = Vec::new();
        let mut strict = false;
        loop {
            match requests.message().await {
                Ok(Some(ask)) => {
                    strict |= ask.tone == STRICT;
                    words.push(spoken(&ask, 0).word);
                }
                Ok(None) => break,
                Err(error) => match error.map_error() {
                    Some(wrong) if !strict => words.push(wrong.to_string()),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(Collected {
            count: u32::try_from(words.len()).unwrap(),
            words: words.join("|"),
        })
    }

    /// Says what is wrong with a request.
    async fn chat(
        &self,
        _: &rt::Context,
        requests: Inbound<Ask>,
    ) -> Result<Streamed<Said, DomainError>, DomainError> {
        let replies = requests.zip(futures_util::stream::iter(0..));
        Ok(Streamed::new(replies.map(
            |(request, number)| match request {
                Ok(ask) => Ok(spoken(&ask, number)),
                Err(error) => match error.map_error() {
                    Some(wrong) => Ok(said(&wrong.to_string(), number)),
                    None => Err(error.into()),
                },
            },
        )))
    }

    async fn ping(&self, _: &rt::Context, (): ()) -> Result<(), DomainError> {
        Ok(())
    }
}

fn spoken(ask: &Ask, number: u32) -> Said {
    match ask.tone.as_str() {
        UNSAYABLE => said(&format!("\0{}", ask.word), number),
        _ => said(&ask.word, number),
    }
}

/// What the generator writes for the server.
pub(crate) struct WordsServer(rt::Dispatcher<Words>);

impl rt::Service for WordsServer {
    const NAME: &'static str = "echo.EchoService";
    const METHODS: &'static [rt::Method] = echo_service::METHODS;
    const DESCRIPTORS: &'static [u8] = FILE_DESCRIPTOR_SET;

    fn dispatch(&self, mut call: rt::Call) -> impl Future<Output = rt::Reply> + Send + 'static {
        let servicer = self.0.servicer();
        async move {
            match call.rpc() {
                "Echo" => {
                    call.mapped(AskMapper, SaidMapper)
                        .unary(|ctx, request| servicer.echo(ctx, request))
                        .await
                }
                "Count" => {
                    call.mapped(HowManyMapper, SaidMapper)
                        .server_stream(|ctx, request| servicer.count(ctx, request))
                        .await
                }
                "Collect" => {
                    call.mapped(AskMapper, CollectedMapper)
                        .client_stream(|ctx, requests| servicer.collect(ctx, requests))
                        .await
                }
                "Chat" => {
                    call.mapped(AskMapper, SaidMapper)
                        .bidi(|ctx, requests| servicer.chat(ctx, requests))
                        .await
                }
                // Messages on both sides: their types follow from the servicer's signature.
                "Ping" => {
                    call.mapped(rt::plain(), rt::plain())
                        .unary(|ctx, request| servicer.ping(ctx, request))
                        .await
                }
                _ => call.unimplemented(),
            }
        }
    }
}

/// What the generator writes for the client.
#[derive(Clone, Debug)]
pub(crate) struct WordsClient<T = rt::Channel> {
    caller: rt::Caller<T>,
}

impl<T: rt::Transport> WordsClient<T> {
    pub(crate) fn new(transport: T) -> Self {
        Self {
            caller: rt::Caller::new(transport, echo_service::METHODS),
        }
    }

    pub(crate) fn with(&self, options: rt::CallOptions) -> Self {
        Self {
            caller: self.caller.with(options),
        }
    }

    pub(crate) async fn echo(&self, ctx: &rt::Context, request: Ask) -> Outcome<Said> {
        self.caller
            .mapped(AskMapper, SaidMapper)
            .unary(ctx, &echo_service::ECHO, request)
            .await
    }

    /// A message to an entity.
    pub(crate) async fn echo_message(
        &self,
        ctx: &rt::Context,
        request: EchoRequest,
    ) -> Outcome<Said> {
        self.caller
            .mapped(rt::plain(), SaidMapper)
            .unary(ctx, &echo_service::ECHO, request)
            .await
    }

    pub(crate) async fn count(
        &self,
        ctx: &rt::Context,
        request: HowMany,
    ) -> Outcome<Replies<Said, DomainError>> {
        self.caller
            .mapped(HowManyMapper, SaidMapper)
            .server_stream(ctx, &echo_service::COUNT, request)
            .await
    }

    pub(crate) async fn collect(
        &self,
        ctx: &rt::Context,
        requests: impl Stream<Item = Ask> + Send + 'static,
    ) -> Outcome<Collected> {
        self.caller
            .mapped(AskMapper, CollectedMapper)
            .client_stream(ctx, &echo_service::COLLECT, requests)
            .await
    }

    pub(crate) async fn chat(
        &self,
        ctx: &rt::Context,
        requests: impl Stream<Item = Ask> + Send + 'static,
    ) -> Outcome<Replies<Said, DomainError>> {
        self.caller
            .mapped(AskMapper, SaidMapper)
            .bidi(ctx, &echo_service::CHAT, requests)
            .await
    }
}

/// A server of words, on a port of its own.
pub(crate) async fn words() -> Running {
    words_with(|server| server).await
}

pub(crate) async fn words_with(settings: impl FnOnce(Server) -> Server) -> Running {
    let server = Server::new().add_servicer(WordsServer(rt::Dispatcher::new(Words)));
    Running::of(settings(server)).await
}

/// A server of words, without sockets.
pub(crate) fn words_in_process() -> TowerService<WordsServer> {
    let server = WordsServer(rt::Dispatcher::new(Words));
    TowerService::new(server, Interceptors::none()).unwrap()
}

impl Running {
    /// A client of words.
    pub(crate) async fn words(&self) -> WordsClient {
        WordsClient::new(rt::Channel::connect(self.target()).await.unwrap())
    }
}
