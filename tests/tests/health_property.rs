//! Property 6 of the specification: health against a model of it, in virtual time.
//!
//! A failure prints the case, shrunk, and the seed that repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::{Code, Context, DomainError, Health, Interceptors, Replies, TowerService};
use apibase_tests::protos::grpc::health::v1::api::HealthClient;
use apibase_tests::protos::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest,
    health_check_response::ServingStatus as Wire,
};
use futures_util::FutureExt as _;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

const CASES: u32 = 256;

/// A service that says what the server says.
const FOLLOWS: &str = "shop.Items";
/// One with a state of its own.
const OWN: &str = "jobs";

/// How one check ends, if it has the time to.
#[derive(Clone, Copy, Debug)]
enum End {
    Pass,
    Fail,
    Panic,
    PanicAtOnce,
}

/// The checks of a dependency, over and over: how each ends, and after how many milliseconds.
type Script = Arc<[(End, u64)]>;

fn nth(script: &Script, index: usize) -> (End, u64) {
    *script.get(index % script.len()).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Run,
    DropRun,
    AddDependency(Script),
    Hold(bool),
    SetOwn(bool),
    ClearOwn,
    Drain,
    ShutDown,
    Nothing,
}

#[derive(Clone, Debug)]
struct Case {
    interval: u64,
    timeout: u64,
    dependencies: Vec<Script>,
    /// What happens, after how many milliseconds each.
    steps: Vec<(u64, Step)>,
}

fn script() -> impl Strategy<Value = Script> {
    let end = prop_oneof![
        6 => Just(End::Pass),
        1 => Just(End::Fail),
        1 => Just(End::Panic),
        1 => Just(End::PanicAtOnce),
    ];
    // Never as long as the timeout, where either could be first: 4n and 4n + 2.
    let after = prop_oneof![2 => Just(0), 3 => 1..=4_u64, 1 => 5..=20_u64].prop_map(|n| n * 4);
    vec((end, after), 1..6).prop_map(Arc::from)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Run),
        1 => Just(Step::DropRun),
        2 => script().prop_map(Step::AddDependency),
        2 => any::<bool>().prop_map(Step::Hold),
        2 => any::<bool>().prop_map(Step::SetOwn),
        1 => Just(Step::ClearOwn),
        1 => Just(Step::Drain),
        1 => Just(Step::ShutDown),
        12 => Just(Step::Nothing),
    ]
}

prop_compose! {
    fn case()(
        interval in 1..=10_u64,
        timeout in 0..=6_u64,
        dependencies in vec(script(), 0..4),
        steps in vec((0..60_u64, step()), 1..40),
    ) -> Case {
        Case { interval: interval * 4, timeout: timeout * 4 + 2, dependencies, steps }
    }
}

/// What health should say: the rules, without tasks and timers.
struct Model {
    interval: u64,
    timeout: u64,
    now: u64,
    dependencies: Vec<Dependency>,
    runs: bool,
    held: bool,
    own: Option<bool>,
    drains: bool,
    over: bool,
}

struct Dependency {
    script: Script,
    made: usize,
    next_start: u64,
    /// When the check that is being made began, and whether and when it will have passed.
    making: Option<(u64, bool, u64)>,
    passed: Option<bool>,
}

impl Model {
    fn checks(&self) -> bool {
        self.runs && !self.drains
    }

    fn add(&mut self, script: &Script) {
        self.dependencies.push(Dependency {
            script: Arc::clone(script),
            made: 0,
            next_start: self.now,
            making: None,
            passed: None,
        });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Run if !self.runs => {
                self.runs = true;
                for dependency in &mut self.dependencies {
                    dependency.made = 0;
                    dependency.next_start = self.now;
                }
            }
            Step::DropRun => {
                self.runs = false;
                for dependency in &mut self.dependencies {
                    dependency.making = None;
                    dependency.passed = None;
                }
            }
            Step::AddDependency(script) => self.add(script),
            Step::Hold(held) => self.held = *held,
            Step::SetOwn(_) | Step::ClearOwn if self.drains => {}
            Step::SetOwn(serving) => self.own = Some(*serving),
            Step::ClearOwn => self.own = None,
            Step::Drain => self.drains = true,
            Step::ShutDown => (self.drains, self.over) = (true, true),
            Step::Run | Step::Nothing => {}
        }
    }

    /// Lets time pass, up to and with what happens in its last millisecond.
    fn pass(&mut self, millis: u64) {
        let until = self.now + millis;
        loop {
            if self.checks() {
                let (now, interval, timeout) = (self.now, self.interval, self.timeout);
                for dependency in &mut self.dependencies {
                    dependency.tick(now, interval, timeout);
                }
            }
            if self.now == until {
                return;
            }
            self.now += 1;
        }
    }

    fn overall(&self) -> Wire {
        let healthy = self.dependencies.iter().all(|d| d.passed == Some(true));
        wire(self.checks() && !self.held && healthy)
    }

    fn own(&self) -> Option<Wire> {
        Some(wire(self.own? && !self.drains))
    }
}

impl Dependency {
    fn tick(&mut self, now: u64, interval: u64, timeout: u64) {
        loop {
            if let Some((began, passes, ends)) = self.making {
                if ends > now {
                    return;
                }
                self.passed = Some(passes);
                self.making = None;
                self.next_start = now.max(began + interval);
            }
            if self.next_start > now {
                return;
            }
            let (end, after) = nth(&self.script, self.made);
            self.made += 1;
            let after = match end {
                End::PanicAtOnce => 0,
                _ => after,
            };
            let passes = matches!(end, End::Pass) && after < timeout;
            self.making = Some((now, passes, now + after.min(timeout)));
        }
    }
}

fn wire(serving: bool) -> Wire {
    if serving {
        Wire::Serving
    } else {
        Wire::NotServing
    }
}

/// The real thing, under the same steps.
struct Real {
    health: Health,
    client: HealthClient<TowerService<Health>>,
    run: Option<JoinHandle<()>>,
    /// How many checks each dependency has made since it runs.
    made: Vec<Arc<AtomicUsize>>,
    watches: Vec<Watch>,
}

struct Watch {
    service: &'static str,
    replies: Replies<HealthCheckResponse, DomainError>,
    told: Option<Wire>,
    end: Option<Code>,
}

impl Real {
    async fn new(case: &Case) -> Self {
        let health = Health::new()
            .interval(Duration::from_millis(case.interval))
            .timeout(Duration::from_millis(case.timeout));
        health.register(FOLLOWS);
        let service = TowerService::new(health.clone(), Interceptors::none()).unwrap();
        let client = HealthClient::new(service);
        let mut watches = Vec::new();
        for service in ["", FOLLOWS, OWN] {
            let replies = client.watch(&Context::background(), of(service)).await;
            watches.push(Watch {
                service,
                replies: replies.unwrap(),
                told: None,
                end: None,
            });
        }
        let mut real = Self {
            health,
            client,
            run: None,
            made: Vec::new(),
            watches,
        };
        for script in &case.dependencies {
            real.add(script);
        }
        real
    }

    fn add(&mut self, script: &Script) {
        let made = Arc::new(AtomicUsize::new(0));
        self.made.push(Arc::clone(&made));
        let (script, at_once) = (Arc::clone(script), Arc::<AtomicUsize>::default());
        self.health = self.health.clone().dependency("one of them", move || {
            let (end, after) = nth(&script, made.fetch_add(1, Ordering::Relaxed));
            let alone = Alone::new(&at_once);
            if let End::PanicAtOnce = end {
                // Not `panic!`, which would say so.
                resume_unwind(Box::new("at once"));
            }
            async move {
                let _alone = alone;
                sleep(Duration::from_millis(after)).await;
                match end {
                    End::Pass => Ok(()),
                    End::Fail => Err("it is down"),
                    End::Panic | End::PanicAtOnce => resume_unwind(Box::new("later")),
                }
            }
        });
    }

    fn step(&mut self, step: &Step) {
        let status = |serving| match serving {
            true => apibase::ServingStatus::Serving,
            false => apibase::ServingStatus::NotServing,
        };
        match step {
            Step::Run if self.run.is_none() => {
                self.made
                    .iter()
                    .for_each(|made| made.store(0, Ordering::Relaxed));
                self.run = Some(tokio::spawn(self.health.run()));
            }
            Step::DropRun => {
                if let Some(run) = self.run.take() {
                    run.abort();
                }
            }
            Step::AddDependency(script) => self.add(script),
            Step::Hold(held) => self.health.set("", status(!held)),
            Step::SetOwn(serving) => self.health.set(OWN, status(*serving)),
            Step::ClearOwn => self.health.clear(OWN),
            Step::Drain => self.health.drain(),
            Step::ShutDown => self.health.shut_down(),
            Step::Run | Step::Nothing => {}
        }
    }

    /// Lets time pass, and then all that is due at this moment happen.
    async fn pass(&self, millis: u64) {
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
        for _ in 0..100 {
            yield_now().await;
        }
    }

    async fn agrees(&mut self, model: &Model) {
        let ctx = Context::background();
        let (overall, own) = (model.overall(), model.own());
        for (service, expected) in [
            ("", Some(overall)),
            (FOLLOWS, Some(overall)),
            (OWN, own),
            (Health::LIVENESS, Some(wire(!model.drains))),
        ] {
            let checked = match self.client.check(&ctx, of(service)).await {
                Ok(reply) => Some(reply.status()),
                Err(error) if error.code() == Code::NotFound => None,
                Err(error) => panic!("{error:?}"),
            };
            assert_eq!(checked, expected, "{service:?} at {}", model.now);
        }
        let list = self.client.list(&ctx, HealthListRequest {}).await.unwrap();
        let listed = |name| list.statuses.get(name).map(HealthCheckResponse::status);
        assert_eq!((listed(""), listed(OWN)), (Some(overall), own));
        for watch in &mut self.watches {
            watch.read();
            let expected = match watch.service {
                OWN => own.unwrap_or(Wire::ServiceUnknown),
                _ => overall,
            };
            assert_eq!(watch.told, Some(expected), "{:?}", watch.service);
            assert_eq!(watch.end, model.over.then_some(Code::Unavailable));
        }
    }
}

impl Watch {
    /// Reads what is there.
    fn read(&mut self) {
        while self.end.is_none() {
            match self.replies.message().now_or_never() {
                None => return,
                Some(Ok(Some(reply))) => {
                    let status = Some(reply.status());
                    assert_ne!(self.told, status, "said twice");
                    self.told = status;
                }
                Some(Ok(None)) => panic!("a watch ended well"),
                Some(Err(error)) => self.end = Some(error.code()),
            }
        }
    }
}

/// A check that is being made: there is no other of its dependency.
struct Alone(Arc<AtomicUsize>);

impl Alone {
    fn new(at_once: &Arc<AtomicUsize>) -> Self {
        let others = at_once.fetch_add(1, Ordering::Relaxed);
        let alone = Self(Arc::clone(at_once));
        assert_eq!(others, 0, "two checks of one dependency at once");
        alone
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn agrees(case: Case) {
    let mut model = Model {
        interval: case.interval,
        timeout: case.timeout,
        now: 0,
        dependencies: Vec::new(),
        runs: false,
        held: false,
        own: None,
        drains: false,
        over: false,
    };
    for script in &case.dependencies {
        model.add(script);
    }
    let mut real = Real::new(&case).await;
    for (millis, step) in &case.steps {
        real.pass(*millis).await;
        model.pass(*millis);
        real.agrees(&model).await;
        real.step(step);
        model.step(step);
        real.pass(0).await;
        model.pass(0);
        real.agrees(&model).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    })]

    #[test]
    fn property_06_health_is_serving_only_when_all_dependencies_are(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(agrees(case));
    }
}
