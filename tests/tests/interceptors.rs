//! What stands around calls: in which order, what it can do, and how it hears of the end. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Answer, CallEnd, CallError, CallOptions, ClientFactory, Code, Context, DomainError,
    FailureKind, InterceptedCall, Interceptor, Interceptors, Next, Side, Status, Streamed,
};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask, count, failure, reply};
use futures_util::StreamExt;
use proptest::prelude::*;
use tokio::time::{Instant, sleep, timeout};

/// What interceptors have done, in its order.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What one of a chain does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Passes,
    /// It waits first.
    Waits,
    /// It refuses the call.
    Refuses,
    /// It has another code for errors.
    Maps(Code),
}

struct Step {
    name: usize,
    does: Does,
    journal: Journal,
}

impl Interceptor for Step {
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        self.journal.write(format!("{} in", self.name));
        match self.does {
            Does::Refuses => return Err(Status::permission_denied("not you")),
            Does::Waits => sleep(Duration::from_millis(5)).await,
            Does::Passes | Does::Maps(_) => {}
        }
        let mut answer = next.run(call).await;
        if let (Err(status), Does::Maps(code)) = (&mut answer, self.does) {
            *status = Status::new(code, "mapped");
        }
        let code = answer.as_ref().err().map(Status::code);
        self.journal.write(format!("{} out {code:?}", self.name));
        answer
    }

    fn ended(&self, end: &CallEnd<'_>) {
        self.journal
            .write(format!("{} ended {:?}", self.name, end.code));
    }
}

/// What is to be seen of a chain whose servicer ends with this error, and how the call ends.
fn expected(steps: &[Does], fails: Option<Code>) -> (Vec<String>, Option<Code>) {
    let refusal = steps.iter().position(|step| *step == Does::Refuses);
    let entered = refusal.map_or(steps.len(), |at| at + 1);
    let mut lines: Vec<_> = (0..entered).map(|name| format!("{name} in")).collect();
    let mut code = refusal.map_or(fails, |_| Some(Code::PermissionDenied));
    for (name, does) in steps.iter().take(entered).enumerate().rev() {
        match does {
            Does::Refuses => continue,
            Does::Maps(other) => code = code.map(|_| *other),
            Does::Passes | Does::Waits => {}
        }
        lines.push(format!("{name} out {code:?}"));
    }
    let end = code.unwrap_or(Code::Ok);
    lines.extend(
        (0..entered)
            .rev()
            .map(|name| format!("{name} ended {end:?}")),
    );
    (lines, code)
}

fn chain(steps: &[Does], journal: &Journal) -> Interceptors {
    let numbered = steps.iter().enumerate();
    numbered.fold(Interceptors::none(), |chain, (name, does)| {
        chain.with(Step {
            name,
            does: *does,
            journal: journal.clone(),
        })
    })
}

fn servicer(fails: Option<Code>) -> EchoServiceServer<Scripted> {
    EchoServiceServer::new(Scripted::new().on_echo(move |_, _| async move {
        match fails {
            None => Ok(reply(7, "")),
            Some(code) => Err(DomainError::from(Status::new(code, "it fails"))),
        }
    }))
}

fn in_virtual_time<R>(run: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run)
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => Just(Does::Passes),
        2 => Just(Does::Waits),
        1 => Just(Does::Refuses),
        1 => Just(Does::Maps(Code::Aborted)),
        1 => Just(Does::Maps(Code::OutOfRange)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn property_05_interceptors_run_in_their_order_and_each_has_the_result_of_the_next(
        steps in prop::collection::vec(does(), 0..8),
        fails in prop_oneof![Just(None), Just(Some(Code::NotFound)), Just(Some(Code::Aborted))],
        at_client in any::<bool>(),
    ) {
        let journal = Journal::default();
        let interceptors = chain(&steps, &journal);
        let code = in_virtual_time(async {
            let (server, clients) = match at_client {
                true => (Interceptors::none(), ClientFactory::new().interceptors(interceptors)),
                false => (interceptors, ClientFactory::new()),
            };
            let served = InProcess::behind(server, servicer(fails)).unwrap();
            let client = EchoServiceClient::new(clients.max_retries(0).over("echo", served));
            let outcome = client.echo(&Context::background(), ask("")).await;
            outcome.as_ref().err().map(CallError::code)
        });
        let (lines, expected) = expected(&steps, fails);
        prop_assert_eq!(journal.take(), lines);
        prop_assert_eq!(code, expected);
    }
}

/// An interceptor of a function.
struct By<F>(F);

impl<F, Fut> Interceptor for By<F>
where
    F: Fn(InterceptedCall) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<InterceptedCall, Status>> + Send,
{
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        let call = (self.0)(call).await?;
        next.run(call).await
    }
}

struct Tenant(&'static str);

#[tokio::test(start_paused = true)]
async fn a_servicer_sees_what_interceptors_have_put_into_its_context() {
    let tenants = By(|call: InterceptedCall| async {
        assert_eq!((call.side(), call.method().name()), (Side::Server, "Echo"));
        Ok(call.with_extension(Tenant("t-1")))
    });
    let scripted = Scripted::new().on_echo(|ctx, _| {
        let tenant = ctx
            .extension::<Tenant>()
            .map_or("", |tenant| tenant.0)
            .to_owned();
        async move { Ok(reply(1, tenant)) }
    });
    let chain = Interceptors::none().with(tenants);
    let served = InProcess::behind(chain, EchoServiceServer::new(scripted)).unwrap();
    let client = EchoServiceClient::new(served);
    let answer = client.echo(&Context::background(), ask("")).await.unwrap();
    assert_eq!(answer.payload, b"t-1"[..]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_runs_over_interceptors_too() {
    let journal = Journal::default();
    let hung = By(|_| async { std::future::pending().await });
    let chain = chain(&[Does::Passes], &journal).with(hung);
    let served = InProcess::behind(chain, servicer(None)).unwrap();
    let client = EchoServiceClient::new(served).with(CallOptions::new().no_deadline());
    // The server's own: nobody else keeps the time.
    let (ctx, started) = (Context::background(), Instant::now());
    let second = CallOptions::new().deadline(Duration::from_secs(1));
    let late = client.with(second).echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    sleep(Duration::from_secs(1)).await;
    let lines = journal.take();
    assert!(
        matches!(&lines[..], [first, last] if first == "0 in" && last.starts_with("0 ended ")),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_interceptor_is_the_calls_internal() {
    let journal = Journal::default();
    let panics = By(|_| async { panic!("hunter2") });
    let chain = chain(&[Does::Passes], &journal).with(panics);
    let client = EchoServiceClient::new(InProcess::behind(chain, servicer(None)).unwrap());
    for _ in 0..2 {
        let failed = failure(client.echo(&Context::background(), ask("")).await);
        assert_eq!(failed.status().code(), Code::Internal);
        assert!(!failed.to_string().contains("hunter2"), "{failed}");
    }
    assert_eq!(
        journal.take(),
        ["0 in", "0 ended Internal", "0 in", "0 ended Internal"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_internal_error_of_an_interceptor_is_redacted() {
    let says = By(|_| async { Err(Status::internal("the password is hunter2")) });
    let chain = Interceptors::none().with(says);
    let client = EchoServiceClient::new(InProcess::behind(chain, servicer(None)).unwrap());
    let failed = failure(client.echo(&Context::background(), ask("")).await);
    assert_eq!(failed.status().code(), Code::Internal);
    assert!(!failed.to_string().contains("hunter2"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn an_interceptor_that_stops_waiting_drops_the_servicer() {
    struct Impatient;
    impl Interceptor for Impatient {
        async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
            let answer = timeout(Duration::from_millis(10), next.run(call)).await;
            answer.unwrap_or_else(|_| Err(Status::aborted("too slow")))
        }
    }
    struct Dropped(Arc<Mutex<bool>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let dropped = Arc::new(Mutex::new(false));
    let told = Arc::clone(&dropped);
    let scripted = Scripted::new().on_echo(move |_, _| {
        let told = Dropped(Arc::clone(&told));
        async move {
            std::future::pending::<()>().await;
            drop(told);
            Ok(reply(1, ""))
        }
    });
    let chain = Interceptors::none().with(Impatient);
    let served = InProcess::behind(chain, EchoServiceServer::new(scripted)).unwrap();
    let client = EchoServiceClient::new(served);
    let outcome = client.echo(&Context::background(), ask("")).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Aborted);
    assert!(*dropped.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_last_trailer_has_gone_or_when_it_is_dropped() {
    let journal = Journal::default();
    let scripted = Scripted::new().on_count(|_, _| async {
        Ok(Streamed::from_iter([
            Ok(reply(1, "")),
            Err(DomainError::not_found("no second")),
        ]))
    });
    let chain = chain(&[Does::Passes], &journal);
    let served = InProcess::behind(chain, EchoServiceServer::new(scripted)).unwrap();
    let client = EchoServiceClient::new(served);
    let ctx = Context::background();
    let replies = client.count(&ctx, count(2)).await.unwrap();
    let replies: Vec<_> = replies.collect().await;
    assert!(replies.last().unwrap().is_err());
    assert_eq!(journal.take(), ["0 in", "0 out None", "0 ended NotFound"]);

    // One that never ends by itself.
    let endless = Scripted::new().on_count(|_, _| async {
        let first = futures_util::stream::iter([Ok(reply(1, ""))]);
        Ok(Streamed::new(first.chain(futures_util::stream::pending())))
    });
    let chain = self::chain(&[Does::Passes], &journal);
    let served = InProcess::behind(chain, EchoServiceServer::new(endless)).unwrap();
    let client = EchoServiceClient::new(served);
    let replies = client.count(&ctx, count(2)).await.unwrap();
    drop(replies);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(journal.take(), ["0 in", "0 out None", "0 ended Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn a_clients_interceptor_sees_a_call_once_and_what_it_sets_goes_with_each_attempt() {
    let journal = Journal::default();
    let sets = By(|mut call: InterceptedCall| async move {
        assert_eq!(call.side(), Side::Client);
        assert_eq!(call.metadata().get("x-own").unwrap(), "1");
        let outgoing = call.outgoing_mut().unwrap();
        outgoing.insert("x-tenant", "t-1".parse().unwrap());
        Ok(call)
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let of = |key: &str| {
            ctx.metadata()
                .get(key)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let mut told = told.lock().unwrap();
        told.push([of("x-tenant"), of("x-own")]);
        let is_first = told.len() == 1;
        async move {
            match is_first {
                true => Err(DomainError::from(Status::unavailable("once more"))),
                false => Ok(reply(2, "")),
            }
        }
    });
    let chain = chain(&[Does::Passes], &journal).with(sets);
    let served = InProcess::new(EchoServiceServer::new(scripted));
    let clients = ClientFactory::new().interceptors(chain);
    let client = EchoServiceClient::new(clients.over("echo", served));
    let own = CallOptions::new().metadata("x-own", "1");
    let retried = apibase::RetryPolicy::up_to(2);
    let client = client.with(own.retry(retried));
    let answer = client.echo(&Context::background(), ask("")).await.unwrap();
    assert_eq!(answer.number, 2);
    assert_eq!(*seen.lock().unwrap(), [["t-1", "1"], ["t-1", "1"]]);
    assert_eq!(journal.take(), ["0 in", "0 out None", "0 ended Ok"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_interceptors_leave_alone_keeps_what_is_known_of_it() {
    let journal = Journal::default();
    let faults = Faults::new(InProcess::new(servicer(None)));
    faults.always(Fault::no_connection());
    let clients = ClientFactory::new().interceptors(chain(&[Does::Passes], &journal));
    let client = EchoServiceClient::new(clients.max_retries(0).over("echo", faults));
    let failed = failure(client.echo(&Context::background(), ask("")).await);
    assert_eq!(failed.kind(), FailureKind::Transport);
    assert!(failed.is_not_processed());
    assert_eq!(failed.trace().records().len(), 1);
}
