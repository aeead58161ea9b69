//! One row of a table: what the server does in each attempt, what the client sends, and what it has to see.

use std::time::Duration;

use apibase::{Caller, Channel, Code, Context, DomainError, Kind, Method, Replies};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::server::{Attempt, ScriptedServer, Step};
use crate::common::{EchoReply, EchoRequest, Outcome, ask, soon};

/// One call, and what should come of it.
pub(crate) struct Case {
    name: &'static str,
    method: &'static Method,
    /// Each after a wait.
    requests: Vec<(Duration, Vec<u8>)>,
    ends: bool,
    attempts: Vec<Attempt>,
    replies: Vec<u64>,
    code: Code,
    at_least: Duration,
    deadline: Duration,
}

impl Case {
    /// A call with these requests, which succeeds unless something else is said.
    pub(crate) fn of(method: &'static Method, name: &'static str, requests: &[&str]) -> Self {
        let request = |text: &&str| (Duration::ZERO, text.as_bytes().to_vec());
        Self {
            name,
            method,
            requests: requests.iter().map(request).collect(),
            ends: true,
            attempts: Vec::new(),
            replies: Vec::new(),
            code: Code::Ok,
            at_least: Duration::ZERO,
            deadline: Duration::from_secs(30),
        }
    }

    /// Another request after this wait.
    pub(crate) fn then_request(mut self, wait: Duration, payload: Vec<u8>) -> Self {
        self.requests.push((wait, payload));
        self
    }

    /// The client doesn't end its requests.
    pub(crate) fn stays_open(mut self) -> Self {
        self.ends = false;
        self
    }

    /// The next attempt, which counts.
    pub(crate) fn attempt<const N: usize>(self, steps: [Step; N]) -> Self {
        let previous = self.attempts.last().map_or(0, |last| last.previous + 1);
        self.push(previous, steps.into())
    }

    /// The next attempt, which follows one that doesn't count.
    pub(crate) fn same_attempt<const N: usize>(self, steps: [Step; N]) -> Self {
        let previous = self.attempts.last().map_or(0, |last| last.previous);
        self.push(previous, steps.into())
    }

    fn push(mut self, previous: u32, steps: Vec<Step>) -> Self {
        self.attempts.push(Attempt { previous, steps });
        self
    }

    /// The client sees these replies.
    pub(crate) fn replies(mut self, numbers: &[u64]) -> Self {
        self.replies = numbers.to_vec();
        self
    }

    /// The call ends so.
    pub(crate) fn ends_with(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// It takes no less than this.
    pub(crate) fn takes(mut self, at_least: Duration) -> Self {
        self.at_least = at_least;
        self
    }

    /// It has this long.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What is not as it should be.
    async fn wrong(self) -> Vec<String> {
        let expected = self.attempts.len();
        let server = ScriptedServer::start(self.attempts).await;
        let target = format!("http://{}", server.addr);
        let channel = soon(Channel::connect(target)).await.unwrap();
        let caller = Caller::new(channel, std::slice::from_ref(self.method));
        let ctx = Context::background().with_timeout(self.deadline);
        let started = Instant::now();
        let requests = requests(self.requests, self.ends);
        let (replies, code) = soon(call(&caller, &ctx, self.method, requests)).await;
        let elapsed = started.elapsed();

        let seen = server.seen(expected).await;
        let mut wrong = seen.wrong;
        if seen.begun != expected {
            wrong.push(format!("{} attempts and not {expected}", seen.begun));
        }
        if (&replies, code) != (&self.replies, self.code) {
            let wanted = (self.replies, self.code);
            wrong.push(format!(
                "the client saw {:?}, not {wanted:?}",
                (replies, code)
            ));
        }
        if elapsed < self.at_least {
            wrong.push(format!("it took {elapsed:?}, not {:?}", self.at_least));
        }
        wrong
    }
}

/// All rows, side by side; says everything that is wrong.
pub(crate) async fn hold<const N: usize>(cases: [Case; N]) {
    let cases = cases
        .into_iter()
        .map(|case| async move { (case.name, case.wrong().await) });
    let cases = futures_util::future::join_all(cases.map(Box::pin)).await;
    let wrong: Vec<_> = cases
        .into_iter()
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn requests(
    requests: Vec<(Duration, Vec<u8>)>,
    ends: bool,
) -> impl Stream<Item = EchoRequest> + Send + 'static {
    let requests = stream::iter(requests).then(|(wait, payload)| async move {
        sleep(wait).await;
        ask(payload)
    });
    match ends {
        true => requests.left_stream(),
        false => requests.chain(stream::pending()).right_stream(),
    }
}

/// The replies that came, and how it ended.
async fn call(
    caller: &Caller<Channel>,
    ctx: &Context,
    method: &'static Method,
    requests: impl Stream<Item = EchoRequest> + Send + 'static,
) -> (Vec<u64>, Code) {
    let only = |mut requests: std::pin::Pin<Box<dyn Stream<Item = EchoRequest> + Send>>| async move {
        requests.next().await.expect("one request")
    };
    let single = |reply: Outcome<EchoReply>| match reply {
        Ok(reply) => (vec![reply.number], Code::Ok),
        Err(error) => (Vec::new(), error.code()),
    };
    match method.kind() {
        Kind::Unary => {
            let request = only(Box::pin(requests)).await;
            single(caller.unary(ctx, method, request).await)
        }
        Kind::ClientStream => single(caller.client_stream(ctx, method, requests).await),
        Kind::ServerStream => {
            let request = only(Box::pin(requests)).await;
            all(caller.server_stream(ctx, method, request).await).await
        }
        Kind::Bidi => all(caller.bidi(ctx, method, requests).await).await,
    }
}

async fn all(replies: Outcome<Replies<EchoReply, DomainError>>) -> (Vec<u64>, Code) {
    let mut replies = match replies {
        Ok(replies) => replies,
        Err(error) => return (Vec::new(), error.code()),
    };
    let mut numbers = Vec::new();
    loop {
        match replies.message().await {
            Ok(Some(reply)) => numbers.push(reply.number),
            Ok(None) => return (numbers, Code::Ok),
            Err(error) => return (numbers, error.code()),
        }
    }
}
