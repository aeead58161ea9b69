//! What is said of attempts that ended otherwise than by an answer: to observers, in errors, in a call's
//! info. Time is virtual.

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
    AttemptRecord, CallInfo, CallOptions, Caller, Code, Context, DomainError, Event, HedgingPolicy,
    Method, Observer, Replies, RetryPolicy, Streamed, Verdict,
};
use common::{EchoReply, EchoServiceServer, Outcome, Scripted, ask, count, failure, reply};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);
const POLICY: RetryPolicy = RetryPolicy::up_to(3).initial_backoff(Duration::from_millis(10));

static ECHO: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
    .idempotent()
    .retry(POLICY)];
static HEDGED: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
    .idempotent()
    .hedging(HedgingPolicy::up_to(2, Duration::from_millis(100)))];
static COUNT: [Method; 1] = [Method::server_stream("/echo.EchoService/Count")
    .idempotent()
    .retry(POLICY)];

/// The attempts that an observer hears of.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Told>>>);

/// Its number, and how it ended.
type Told = (u32, Code, Option<Verdict>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Attempt {
            number,
            code,
            verdict,
            ..
        } = *event
        {
            self.0.lock().unwrap().push((number, code, verdict));
        }
    }
}

impl Heard {
    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Scene {
    method: &'static Method,
    caller: Caller<Faults<InProcess>>,
    faults: Faults<InProcess>,
    heard: Heard,
    info: CallInfo,
}

impl Scene {
    fn of(methods: &'static [Method; 1]) -> Self {
        let scripted = Scripted::new()
            .on_echo(|_, _| async { Ok(reply(7, "")) })
            .on_count(|_, _| async {
                Ok(Streamed::from_iter([
                    Ok(reply(1, "")),
                    Err(DomainError::not_found("no second")),
                ]))
            });
        let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
        let (heard, info) = (Heard::default(), CallInfo::new());
        let options = CallOptions::new()
            .info(&info)
            .observer(Arc::new(heard.clone()));
        Self {
            method: &methods[0],
            caller: Caller::new(faults.clone(), methods).with(options),
            faults,
            heard,
            info,
        }
    }

    async fn call(&self, ctx: &Context) -> Outcome<EchoReply> {
        self.caller.unary(ctx, self.method, ask("")).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_the_deadline_cuts_off_is_told_of() {
    let scene = Scene::of(&ECHO);
    scene.faults.next(Fault::lost()).always(Fault::silence());
    let late = failure(
        scene
            .call(&Context::background().with_timeout(SECOND))
            .await,
    );
    assert_eq!(
        (late.status().code(), late.attempts()),
        (Code::DeadlineExceeded, 2)
    );
    let heard = scene.heard.take();
    let [
        (1, Code::Unavailable, Some(Verdict::Again(_))),
        (2, Code::DeadlineExceeded, Some(Verdict::NoTime)),
    ] = heard[..]
    else {
        panic!("{heard:?}");
    };
    let message = late.status().message();
    assert!(
        message.contains("the attempt before: Unavailable"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn attempts_that_nobody_waits_for_any_more_are_told_of() {
    // Its future is dropped.
    let scene = Scene::of(&ECHO);
    scene.faults.always(Fault::silence());
    let ctx = Context::background();
    assert!(timeout(SECOND, scene.call(&ctx)).await.is_err());
    let cut = (1, Code::Cancelled, Some(Verdict::Cancelled));
    assert_eq!(scene.heard.take(), [cut]);
    assert_eq!(scene.info.attempts(), 1);

    // A stream that nobody reads on.
    let scene = Scene::of(&COUNT);
    let replies = scene.caller.server_stream(&ctx, scene.method, count(2));
    let replies: Replies<EchoReply, DomainError> = replies.await.unwrap();
    assert_eq!(scene.heard.take(), []);
    drop(replies);
    assert_eq!(scene.heard.take(), [cut]);

    // Hedges, each of them.
    let scene = Scene::of(&HEDGED);
    scene.faults.always(Fault::silence());
    assert!(timeout(SECOND, scene.call(&ctx)).await.is_err());
    let second = (2, Code::Cancelled, Some(Verdict::Cancelled));
    assert_eq!(scene.heard.take(), [cut, second]);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_another_one_overtakes_is_told_of() {
    let scene = Scene::of(&HEDGED);
    scene.faults.next(Fault::silence());
    scene.call(&Context::background()).await.unwrap();
    let overtaken = (1, Code::Cancelled, Some(Verdict::Overtaken));
    assert_eq!(scene.heard.take(), [overtaken, (2, Code::Ok, None)]);
    assert_eq!(scene.info.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_info_knows_of_the_answer_that_counts_and_of_no_other() {
    let scene = Scene::of(&ECHO);
    let mut full = apibase::Status::unavailable("full");
    full.metadata_mut()
        .insert("x-trailer", "first".parse().unwrap());
    scene.faults.next(Fault::status(full));
    scene.call(&Context::background()).await.unwrap();
    assert!(scene.info.status().is_none(), "{:?}", scene.info);
    assert!(scene.info.trailers().get("x-trailer").is_none());
    assert!(scene.info.headers().get("content-type").is_some());

    // What the first one had is not the second one's, which had nothing.
    scene
        .faults
        .next(Fault::code(Code::Unavailable))
        .always(Fault::lost());
    scene.call(&Context::background()).await.unwrap_err();
    assert!(scene.info.status().is_none(), "{:?}", scene.info);
    assert!(scene.info.headers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_stream_knows_the_attempts_before_it() {
    let scene = Scene::of(&COUNT);
    scene.faults.next(Fault::code(Code::Unavailable));
    scene.faults.next(Fault::reset_after_head());
    let ctx = Context::background();
    let replies = scene
        .caller
        .server_stream(&ctx, scene.method, count(2))
        .await;
    let mut replies: Replies<EchoReply, DomainError> = replies.unwrap();
    let broken = failure(replies.message().await);
    assert_eq!(broken.attempts(), 2);
    assert!(!broken.is_not_processed());
    let verdicts: Vec<_> = broken
        .trace()
        .records()
        .iter()
        .map(AttemptRecord::verdict)
        .collect();
    let [Verdict::Again(_), Verdict::Committed] = verdicts[..] else {
        panic!("{}", broken.trace());
    };
    assert_eq!(scene.info.trace().records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn rule_16_a_stream_whose_time_is_over_names_the_attempt_before() {
    let scene = Scene::of(&COUNT);
    scene
        .faults
        .next(Fault::code(Code::Unavailable))
        .next(Fault::silence_after_head());
    let ctx = Context::background().with_timeout(SECOND);
    let replies = scene
        .caller
        .server_stream(&ctx, scene.method, count(2))
        .await;
    let mut replies: Replies<EchoReply, DomainError> = replies.unwrap();
    let late = failure(replies.message().await);
    assert_eq!(late.status().code(), Code::DeadlineExceeded);
    let message = late.status().message();
    assert!(
        message.contains("the attempt before: Unavailable"),
        "{message}"
    );
}
