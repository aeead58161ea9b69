//! The attempts of calls, one by one: what each is told, when it is made, and what is said of it. Time is
//! virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess, SeenAttempt};
use apibase::{
    CallInfo, CallOptions, Caller, Code, Context, DomainError, HedgingPolicy, Method, Reached,
    RetryPolicy, Status, Verdict,
};
use common::{EchoReply, EchoServiceServer, Outcome, Scripted, ask, failure, reply};
use tokio::time::Instant;

const PATH: &str = "/echo.EchoService/Echo";
const DELAY: Duration = Duration::from_millis(100);

static PLAIN: [Method; 1] = [Method::unary(PATH)];
static IDEMPOTENT: [Method; 1] = [Method::unary(PATH).idempotent()];
static SHORT: [Method; 1] = [Method::unary(PATH)
    .idempotent()
    .retry(RetryPolicy::up_to(3).attempt_timeout(Duration::from_secs(2)))];
static HEDGED: [Method; 1] = [Method::unary(PATH)
    .idempotent()
    .hedging(HedgingPolicy::up_to(3, DELAY).non_fatal(&[Code::Unavailable]))];

/// A method, and what goes wrong on its way.
struct Scene {
    method: &'static Method,
    caller: Caller<Faults<InProcess>>,
    faults: Faults<InProcess>,
}

impl Scene {
    fn of(methods: &'static [Method; 1]) -> Self {
        let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(7, "")) });
        let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
        Self {
            method: &methods[0],
            caller: Caller::new(faults.clone(), methods),
            faults,
        }
    }

    async fn call(&self) -> Outcome<EchoReply> {
        let ctx = Context::background();
        self.caller.unary(&ctx, self.method, ask("")).await
    }

    /// When each attempt began, after the first.
    fn times(&self) -> Vec<Duration> {
        let seen = self.faults.seen();
        let first = seen.first().map(SeenAttempt::at);
        seen.iter().map(|seen| seen.at() - first.unwrap()).collect()
    }

    fn previous(&self) -> Vec<Option<u32>> {
        let seen = self.faults.seen();
        seen.iter().map(SeenAttempt::previous_attempts).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn rule_06_what_no_server_has_processed_is_sent_again_whatever_the_method() {
    for fault in [Fault::no_connection(), Fault::refused(), Fault::go_away()] {
        let scene = Scene::of(&PLAIN);
        scene.faults.next(fault);
        assert_eq!(scene.call().await.unwrap().number, 7);
    }
    // The code is the same, and a server may have acted.
    for fault in [
        Fault::lost(),
        Fault::answer_lost(),
        Fault::code(Code::Unavailable),
    ] {
        let scene = Scene::of(&PLAIN);
        scene.faults.next(fault);
        assert_eq!(scene.call().await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(scene.faults.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_08_each_attempt_says_how_many_counted_before_it() {
    let scene = Scene::of(&IDEMPOTENT);
    scene
        .faults
        .next(Fault::code(Code::Unavailable))
        .next(Fault::refused())
        .next(Fault::lost());
    scene.call().await.unwrap();
    // The one that was refused does not count.
    assert_eq!(scene.previous(), [None, Some(1), Some(1), Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_given_up_for_another() {
    for silence in [Fault::silence(), Fault::silence_after_head()] {
        let scene = Scene::of(&SHORT);
        scene.faults.next(silence);
        scene.call().await.unwrap();
        let [first, second] = scene.times()[..] else {
            panic!("{:?}", scene.times());
        };
        let wait = second - first - Duration::from_secs(2);
        assert!(wait >= Duration::from_millis(800) && wait <= Duration::from_millis(1210));
    }
    let scene = Scene::of(&SHORT);
    scene.faults.always(Fault::silence());
    let failure = failure(scene.call().await);
    assert_eq!(failure.status().code(), Code::DeadlineExceeded);
    assert_eq!(failure.attempts(), 3);
    assert!(failure.status().message().contains("2s"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_trace_says_what_became_of_each_attempt_and_who_said_no() {
    let scene = Scene::of(&IDEMPOTENT);
    scene
        .faults
        .next(Fault::refused())
        .next(Fault::lost())
        .next(Fault::status(Status::unavailable("full")).no_retry());
    let failure = failure(scene.call().await);
    let records: Vec<_> = failure
        .trace()
        .records()
        .iter()
        .map(|record| (record.reached(), record.code(), record.verdict()))
        .collect();
    let [first, (reached, code, Verdict::Again(wait)), last] = records[..] else {
        panic!("{}", failure.trace());
    };
    assert_eq!(first, (Reached::Sent, Code::Unavailable, Verdict::Unseen));
    assert_eq!((reached, code), (Reached::Sent, Code::Unavailable));
    assert!(wait >= Duration::from_millis(800), "{wait:?}");
    assert_eq!((last.1, last.2), (Code::Unavailable, Verdict::ServerSaidNo));
    let shown = failure.trace().to_string();
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(
        shown.contains("full; the server said not to try again"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_succeeds_in_the_end_tells_its_info_what_went_before() {
    let scene = Scene::of(&IDEMPOTENT);
    scene.faults.next(Fault::lost());
    let info = CallInfo::new();
    let caller = scene.caller.with(CallOptions::new().info(&info));
    let ctx = Context::background();
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, scene.method, ask("")).await;
    outcome.unwrap();
    assert_eq!((info.attempts(), info.trace().records().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_hedged_call_takes_the_first_answer_and_drops_the_others() {
    let scene = Scene::of(&HEDGED);
    scene.faults.next(Fault::silence()).next(Fault::silence());
    let started = Instant::now();
    assert_eq!(scene.call().await.unwrap().number, 7);
    assert_eq!(started.elapsed(), 2 * DELAY);
    assert_eq!(scene.times(), [Duration::ZERO, DELAY, 2 * DELAY]);
    assert_eq!(scene.previous(), [None, Some(1), Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_hedged_call_that_is_answered_in_time_is_sent_once() {
    let scene = Scene::of(&HEDGED);
    scene.call().await.unwrap();
    tokio::time::sleep(10 * DELAY).await;
    assert_eq!(scene.faults.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_fatal_brings_the_next_hedge_now_and_a_fatal_one_ends_all() {
    let scene = Scene::of(&HEDGED);
    scene.faults.next(Fault::code(Code::Unavailable));
    scene.call().await.unwrap();
    assert_eq!(scene.times(), [Duration::ZERO; 2]);

    let scene = Scene::of(&HEDGED);
    scene
        .faults
        .next(Fault::silence())
        .next(Fault::error(DomainError::not_found("nothing")));
    let started = Instant::now();
    assert_eq!(scene.call().await.unwrap_err().code(), Code::NotFound);
    assert_eq!((started.elapsed(), scene.times().len()), (DELAY, 2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_no_gets_no_more_hedges_and_those_that_run_may_still_answer() {
    let scene = Scene::of(&HEDGED);
    scene
        .faults
        .next(Fault::none().after(5 * DELAY))
        .next(Fault::code(Code::Unavailable).no_retry());
    assert_eq!(scene.call().await.unwrap().number, 7);
    assert_eq!(scene.times(), [Duration::ZERO, DELAY]);
}

#[tokio::test(start_paused = true)]
async fn a_hedged_call_whose_attempts_all_fail_fails_with_the_last() {
    let scene = Scene::of(&HEDGED);
    scene.faults.always(Fault::code(Code::Unavailable));
    let failure = failure(scene.call().await);
    assert_eq!(
        (failure.status().code(), failure.attempts()),
        (Code::Unavailable, 3)
    );
    assert_eq!(
        failure.trace().records().last().unwrap().verdict(),
        Verdict::Exhausted
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_may_say_how_it_is_sent_again() {
    let scene = Scene::of(&PLAIN);
    scene.faults.next(Fault::code(Code::Aborted));
    let policy = RetryPolicy::up_to(2)
        .initial_backoff(Duration::from_millis(10))
        .codes(&[Code::Aborted]);
    let ctx = Context::background();
    let caller = scene.caller.with(CallOptions::new().retry(policy));
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, scene.method, ask("")).await;
    outcome.unwrap();

    scene.faults.next(Fault::silence());
    let caller = scene
        .caller
        .with(CallOptions::new().hedging(HedgingPolicy::up_to(2, DELAY)));
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, scene.method, ask("")).await;
    outcome.unwrap();
    assert_eq!(scene.faults.seen().len(), 4);
}

/// The attempts that an observer hears of.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<(u32, Code, Option<Verdict>)>>);

impl apibase::Observer for Heard {
    fn observe(&self, event: &apibase::Event<'_>) {
        if let apibase::Event::Attempt {
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

#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_stream_is_heard_of_once_and_counted() {
    static COUNT: [Method; 1] = [Method::server_stream("/echo.EchoService/Count")];
    for (fails, end) in [(false, Code::Ok), (true, Code::NotFound)] {
        let scripted = Scripted::new().on_count(move |_, _| async move {
            Ok(match fails {
                true => common::failing(2, DomainError::not_found("")),
                false => apibase::Streamed::from_iter([Ok(reply(1, ""))]),
            })
        });
        let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
        faults.next(Fault::no_connection());
        let (heard, info) = (std::sync::Arc::new(Heard::default()), CallInfo::new());
        let options = CallOptions::new().info(&info).observer(heard.clone());
        let caller = Caller::new(faults, &COUNT).with(options);
        let ctx = Context::background();
        let replies = caller
            .server_stream(&ctx, &COUNT[0], common::count(1))
            .await;
        let mut replies: apibase::Replies<EchoReply, DomainError> = replies.unwrap();
        while let Ok(Some(_)) = replies.message().await {}
        assert_eq!(info.attempts(), 1, "one was never sent");
        let heard = heard.0.lock().unwrap().clone();
        let [
            (1, Code::Unavailable, Some(Verdict::Again(_))),
            (2, code, verdict),
        ] = heard[..]
        else {
            panic!("{heard:?}");
        };
        assert_eq!((code, verdict.is_some()), (end, fails));
    }
}

#[tokio::test(start_paused = true)]
async fn hedges_are_not_sent_where_too_many_calls_fail() {
    use apibase::RetryThrottle;
    static METHODS: [Method; 2] = [
        Method::unary(PATH)
            .idempotent()
            .hedging(HedgingPolicy::up_to(3, DELAY).non_fatal(&[Code::Unavailable]))
            .retry_throttle(RetryThrottle::new(4.0, 0.1)),
        Method::unary("/echo.EchoService/Ping").idempotent(),
    ];
    let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(7, "")) });
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
    let caller = Caller::new(faults.clone(), &METHODS);
    let call = async || -> Outcome<EchoReply> {
        let ctx = Context::background();
        caller.unary(&ctx, &METHODS[0], ask("")).await
    };
    // Half of the tokens are gone after two failures, so there is no third attempt.
    faults.always(Fault::code(Code::Unavailable));
    assert_eq!(failure(call().await).attempts(), 2);
    // With none in flight, the call ends at once.
    let started = Instant::now();
    assert_eq!(failure(call().await).attempts(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
    // One that is slow stays alone, and counts.
    faults.clear();
    faults.next(Fault::delay(10 * DELAY));
    let before = faults.seen().len();
    assert_eq!(call().await.unwrap().number, 7);
    assert_eq!(faults.seen().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn rule_11_a_hedge_avoids_the_endpoints_of_those_that_run() {
    /// Two endpoints; the first is picked by who hasn't tried it, and hangs.
    #[derive(Clone)]
    struct Two(InProcess);
    impl apibase::Transport for Two {
        type Body = <InProcess as apibase::Transport>::Body;

        async fn send(
            &self,
            request: http::Request<apibase::RequestStream>,
            attempt: &mut apibase::Attempt,
        ) -> Result<http::Response<Self::Body>, apibase::TransportError> {
            let is_second = attempt.has_tried("a:1");
            attempt.set_endpoint(&if is_second { "b:1" } else { "a:1" }.into());
            attempt.set_reached(Reached::Sent);
            match is_second {
                true => self.0.send(request, attempt).await,
                false => std::future::pending().await,
            }
        }
    }
    let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(7, "")) });
    let two = Two(InProcess::new(EchoServiceServer::new(scripted)));
    let info = CallInfo::new();
    let caller = Caller::new(two, &HEDGED).with(CallOptions::new().info(&info));
    let started = Instant::now();
    let ctx = Context::background();
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, &HEDGED[0], ask("")).await;
    assert_eq!(outcome.unwrap().number, 7);
    assert_eq!(started.elapsed(), DELAY, "the first hedge was answered");
    let trace = info.trace();
    let [slow] = trace.records() else {
        panic!("{trace}");
    };
    assert_eq!(
        (slow.endpoint(), slow.verdict()),
        (Some("a:1"), Verdict::Overtaken)
    );
}

#[tokio::test(start_paused = true)]
async fn rule_07_a_hedge_that_no_server_saw_is_sent_again_for_nothing() {
    let scene = Scene::of(&HEDGED);
    scene.faults.next(Fault::refused());
    let started = Instant::now();
    assert_eq!(scene.call().await.unwrap().number, 7);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(scene.previous(), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_not_be_repeated_is_committed_by_a_head() {
    // What a service config says of it: the server has not acted where it says ABORTED.
    static ABORTED: [Method; 1] = [Method::unary(PATH).retry(
        RetryPolicy::up_to(3)
            .initial_backoff(Duration::from_millis(10))
            .codes(&[Code::Aborted]),
    )];
    static LISTED: [Method; 1] = [Method::unary(PATH).retry(
        RetryPolicy::up_to(3)
            .initial_backoff(Duration::from_millis(10))
            .codes(&[Code::Unavailable]),
    )];
    let attempts = async |methods, fault| {
        let scene = Scene::of(methods);
        scene.faults.next(fault);
        let is_ok = scene.call().await.is_ok();
        (is_ok, scene.faults.seen().len())
    };
    assert_eq!(
        attempts(&ABORTED, Fault::code(Code::Aborted)).await,
        (true, 2)
    );
    assert_eq!(attempts(&ABORTED, Fault::lost()).await, (false, 1));
    assert_eq!(attempts(&LISTED, Fault::lost()).await, (true, 2));
    assert_eq!(
        attempts(&LISTED, Fault::reset_after_head()).await,
        (false, 1)
    );
    assert_eq!(
        attempts(&IDEMPOTENT, Fault::reset_after_head()).await,
        (true, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn rule_17_what_is_too_much_for_a_server_feeds_the_throttle() {
    use apibase::RetryThrottle;
    static METHODS: [Method; 1] = [Method::unary(PATH)
        .idempotent()
        .retry_throttle(RetryThrottle::new(4.0, 0.1))];
    let scene = Scene::of(&METHODS);
    let full = || Fault::code(Code::ResourceExhausted);
    scene.faults.next(full()).next(full());
    for _ in 0..2 {
        assert_eq!(
            scene.call().await.unwrap_err().code(),
            Code::ResourceExhausted
        );
    }
    scene.faults.always(Fault::code(Code::Unavailable));
    let throttled = failure(scene.call().await);
    let verdicts: Vec<_> = throttled
        .trace()
        .records()
        .iter()
        .map(apibase::AttemptRecord::verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Throttled]);
}
