//! Where tokens come from, when, and that nothing shows them.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::*;

const SECRET: &str = "hunter2";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a call over TLS sends, as a text.
async fn sent(credentials: &Credentials) -> Result<String, Failure> {
    let header = credentials.bearer(true).await?.header;
    assert!(header.is_sensitive());
    Ok(header.to_str().unwrap().to_owned())
}

/// The token's number, and how often it was fetched: `token-1`, `token-2`.
#[derive(Clone, Default)]
struct Issuer(Arc<AtomicUsize>);

impl Issuer {
    fn issued(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Each token takes so long to come and is good for so long.
    fn credentials(&self, takes: Duration, lifetime: Duration) -> Credentials {
        let issued = Arc::clone(&self.0);
        Credentials::from_fn(move || {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                sleep(takes).await;
                let token = Token::new(format!("token-{number}"));
                Ok::<_, BoxError>(token.expires_in(lifetime))
            }
        })
    }
}

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("apibase-token-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_token_is_sent_as_a_bearer_token() {
    let credentials = Credentials::token(SECRET);
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer hunter2");
}

#[tokio::test]
async fn a_token_is_not_sent_in_plaintext_unless_that_is_allowed() {
    let credentials = Credentials::token(SECRET);
    let failure = credentials.bearer(false).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Credentials);
    assert_eq!(failure.status().code(), Code::Unauthenticated);
    let said = failure.to_string();
    assert!(
        said.contains("https://") && said.contains("allow_plaintext"),
        "{said}"
    );
    assert!(failure.is_not_processed() && !failure.is_retryable());
    let allowed = credentials.allow_plaintext();
    let bearer = allowed.bearer(false).await.unwrap();
    assert_eq!(bearer.header, "Bearer hunter2");
}

#[tokio::test]
async fn a_token_in_plaintext_is_not_even_fetched() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(Duration::ZERO, seconds(60));
    assert!(credentials.bearer(false).await.is_err());
    assert_eq!(issuer.issued(), 0);
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_fails_the_call_and_is_not_shown() {
    for token in ["", "Bearer hunter2", "hunter2\n", "hunter2\u{e9}"] {
        let fixed = Credentials::token(token);
        let fetched = Credentials::from_fn(move || async move { Ok::<_, BoxError>(token) });
        for credentials in [fixed, fetched] {
            let failure = sent(&credentials).await.unwrap_err();
            assert_eq!(failure.status().code(), Code::Unauthenticated);
            for shown in [failure.to_string(), format!("{failure:?}")] {
                assert!(!shown.contains(SECRET), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn debug_shows_no_token() {
    let file = Scratch::new("debug");
    file.write(SECRET);
    let known = [
        Credentials::token(SECRET),
        Credentials::token_file(&file.0),
        Credentials::from_fn(async || Ok::<_, BoxError>(SECRET)),
    ];
    for credentials in known {
        let bearer = credentials.bearer(true).await.unwrap();
        let token = Token::new(SECRET).expires_in(seconds(1));
        for shown in [
            format!("{credentials:?}"),
            format!("{bearer:?}"),
            format!("{token:?}"),
        ] {
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
    let shown = format!("{:?}", Credentials::token_file("/run/token"));
    assert!(shown.contains("/run/token"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_once_by_many_calls_and_kept() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(seconds(1), seconds(100));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let credentials = credentials.clone();
            tokio::spawn(async move { sent(&credentials).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "Bearer token-1");
    }
    assert_eq!(issuer.issued(), 1);
    sleep(seconds(79)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    assert_eq!(issuer.issued(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_expires_and_no_call_waits_for_that() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(seconds(5), seconds(100));
    sent(&credentials).await.unwrap();
    sleep(seconds(81)).await;
    let now = Instant::now();
    for _ in 0..10 {
        assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    }
    assert_eq!(now.elapsed(), Duration::ZERO);
    sleep(seconds(6)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
    assert_eq!(issuer.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_is_not_sent() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(seconds(5), seconds(100));
    sent(&credentials).await.unwrap();
    sleep(seconds(100)).await;
    let now = Instant::now();
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
    assert_eq!(now.elapsed(), seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_leaves_the_fetch_to_the_others() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(seconds(10), seconds(100));
    for _ in 0..3 {
        assert!(timeout(seconds(3), sent(&credentials)).await.is_err());
    }
    let now = Instant::now();
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    assert_eq!(now.elapsed(), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_is_given_up_and_tried_again() {
    let asked = Issuer::default();
    let count = asked.clone();
    let credentials = Credentials::from_fn(move || {
        let first = count.0.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(SECRET)
        }
    });
    let failure = sent(&credentials).await.unwrap_err();
    assert_eq!(failure.status().code(), Code::Unavailable);
    assert!(failure.to_string().contains("30 seconds"), "{failure}");
    sleep(seconds(1)).await;
    assert!(sent(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_fails_fails_the_calls_with_its_cause_and_rests_for_a_second() {
    let asked = Issuer::default();
    let count = asked.clone();
    let credentials = Credentials::from_fn(move || {
        count.0.fetch_add(1, Ordering::SeqCst);
        async { Err::<String, _>(std::io::Error::other("the issuer is down")) }
    });
    for _ in 0..1000 {
        let failure = sent(&credentials).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Credentials);
        assert_eq!(failure.status().code(), Code::Unavailable);
        assert!(failure.is_retryable());
        assert_eq!(
            failure.to_string(),
            "Unavailable: there is no token for the call: the issuer is down"
        );
        let cause = failure.source().unwrap();
        assert!(cause.downcast_ref::<std::io::Error>().is_some());
        sleep(Duration::from_millis(10)).await;
    }
    assert!((8..=11).contains(&asked.issued()), "{}", asked.issued());
}

/// An error that comes from a status.
#[derive(Debug)]
struct Within(Status);

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the issuer didn't like it")
    }
}

impl Error for Within {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn who_is_denied_a_token_is_unauthenticated() {
    for (code, expected) in [
        (Code::Unauthenticated, Code::Unauthenticated),
        (Code::PermissionDenied, Code::Unauthenticated),
        (Code::Unavailable, Code::Unavailable),
        (Code::Internal, Code::Unavailable),
    ] {
        let status = move || Status::new(code, "no");
        let direct = Credentials::from_fn(move || async move { Err::<String, _>(status()) });
        let within =
            Credentials::from_fn(move || async move { Err::<String, _>(Within(status())) });
        for credentials in [direct, within] {
            let failure = sent(&credentials).await.unwrap_err();
            assert_eq!(failure.status().code(), expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_leaves_the_token_until_it_expires() {
    let asked = Issuer::default();
    let count = asked.clone();
    let credentials = Credentials::from_fn(move || {
        let first = count.0.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            match first {
                true => Ok(Token::new(SECRET).expires_in(seconds(100))),
                false => Err("the issuer is down"),
            }
        }
    });
    sent(&credentials).await.unwrap();
    for _ in 0..9 {
        sleep(seconds(11)).await;
        assert!(sent(&credentials).await.is_ok());
    }
    sleep(seconds(2)).await;
    assert!(sent(&credentials).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_function_that_panics_fails_the_call_and_is_asked_again() {
    let asked = Issuer::default();
    let count = asked.clone();
    let credentials = Credentials::from_fn(move || {
        let first = count.0.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert!(!first, "as the test wants it");
            Ok::<_, BoxError>(SECRET)
        }
    });
    let failure = sent(&credentials).await.unwrap_err();
    assert_eq!(failure.status().code(), Code::Unavailable);
    sleep(seconds(1)).await;
    assert!(sent(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn tokens_that_come_expired_are_no_reason_to_ask_without_end() {
    let issuer = Issuer::default();
    for lifetime in [Duration::ZERO, Duration::from_nanos(1)] {
        let credentials = issuer.credentials(Duration::ZERO, lifetime);
        let _ = sent(&credentials).await;
    }
    assert_eq!(issuer.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_when_it_has_changed_and_no_more_often_than_every_ten_seconds() {
    let file = Scratch::new("changes");
    file.write(" token-1\n");
    let credentials = Credentials::token_file(&file.0);
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    file.write("token-2");
    sleep(seconds(9)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    sleep(seconds(1)).await;
    // This one goes on with what is there, and has the file looked at.
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    settled(&credentials, "Bearer token-2").await;
}

/// The blocking thread that reads a file isn't on the paused clock.
async fn settled(credentials: &Credentials, token: &str) {
    for _ in 0..2000 {
        if sent(credentials).await.unwrap() == token {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
        tokio::task::yield_now().await;
    }
    panic!("the file was not read again");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_idle_waits_for_the_file_to_be_read() {
    let file = Scratch::new("idle");
    file.write("token-1");
    let credentials = Credentials::token_file(&file.0);
    sent(&credentials).await.unwrap();
    file.write("token-2");
    sleep(seconds(3600)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_or_broken_leaves_the_last_good_token() {
    let file = Scratch::new("gone");
    file.write("token-1");
    let credentials = Credentials::token_file(&file.0);
    sent(&credentials).await.unwrap();
    for text in [None, Some(""), Some("not one token"), Some("token-1")] {
        match text {
            Some(text) => file.write(text),
            None => std::fs::remove_file(&file.0).unwrap(),
        }
        sleep(seconds(3600)).await;
        assert_eq!(
            sent(&credentials).await.unwrap(),
            "Bearer token-1",
            "{text:?}"
        );
    }
    file.write("token-2");
    sleep(seconds(3600)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_never_there_is_named_and_found_when_it_comes() {
    let file = Scratch::new("late");
    let credentials = Credentials::token_file(&file.0);
    let failure = sent(&credentials).await.unwrap_err();
    assert_eq!(failure.status().code(), Code::Unavailable);
    let said = failure.to_string();
    assert!(said.contains(file.0.to_str().unwrap()), "{said}");
    file.write(&"x".repeat(100_000));
    sleep(seconds(1)).await;
    let said = sent(&credentials).await.unwrap_err().to_string();
    assert!(said.contains("larger than 64 KiB"), "{said}");
    file.write("token-1");
    sleep(seconds(1)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
}

/// The token that calls have now, refused by a server.
async fn refused(credentials: &Credentials) {
    let number = credentials.bearer(true).await.unwrap().number;
    // By all the calls that were under way.
    for _ in 0..100 {
        credentials.refused(number);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_fetched_anew_once_and_the_next_calls_wait_for_that() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(seconds(1), seconds(3600));
    refused(&credentials).await;
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let credentials = credentials.clone();
            tokio::spawn(async move { sent(&credentials).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "Bearer token-2");
    }
    assert_eq!(issuer.issued(), 2);
    sleep(seconds(60)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_every_token_has_one_fetched_every_ten_seconds() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(Duration::ZERO, seconds(3600));
    for _ in 0..1000 {
        refused(&credentials).await;
        sleep(Duration::from_millis(100)).await;
    }
    assert!((10..=11).contains(&issuer.issued()), "{}", issuer.issued());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_an_earlier_token_says_nothing_of_the_one_after() {
    let issuer = Issuer::default();
    let credentials = issuer.credentials(Duration::ZERO, seconds(100));
    let first = credentials.bearer(true).await.unwrap().number;
    sleep(seconds(100)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
    credentials.refused(first);
    // That of a call with metadata of its own neither.
    credentials.refused(Number::default());
    sleep(seconds(1)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
    assert_eq!(issuer.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_sent_on_while_there_is_no_other() {
    let asked = Issuer::default();
    let count = asked.clone();
    let credentials = Credentials::from_fn(move || {
        let number = count.0.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            match number {
                2 => Err("the issuer is down"),
                number => Ok(Token::new(format!("token-{number}"))),
            }
        }
    });
    refused(&credentials).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    assert_eq!(asked.issued(), 2);
    sleep(seconds(1)).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-3");
}

#[tokio::test(start_paused = true)]
async fn a_file_whose_token_was_refused_is_read_again_at_once() {
    let file = Scratch::new("refused");
    file.write("token-1");
    let credentials = Credentials::token_file(&file.0);
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    file.write("token-2");
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-1");
    refused(&credentials).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
    // One that has not changed is the one that there is.
    sleep(seconds(11)).await;
    refused(&credentials).await;
    assert_eq!(sent(&credentials).await.unwrap(), "Bearer token-2");
}

#[test]
fn a_token_at_hand_is_given_at_once() {
    // No runtime polls this: what is known needs none but the clock.
    let credentials = Credentials::token(SECRET);
    let mut bearer = std::pin::pin!(credentials.bearer(true));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(bearer.as_mut().poll(&mut context).is_ready());
}

/// Asks for the token when it is dropped, without waiting for it.
struct AsksWhenDropped(Credentials, mpsc::Sender<bool>);

impl Drop for AsksWhenDropped {
    fn drop(&mut self) {
        let mut header = std::pin::pin!(self.0.bearer(true));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let asked = header.as_mut().poll(&mut context);
        let _ = self.1.send(matches!(asked, Poll::Ready(Err(_))));
    }
}

/// On a thread of its own: what never comes back must not keep the test from failing.
fn on_a_thread(run: impl FnOnce() + Send + 'static, done: &mpsc::Receiver<bool>) -> Option<bool> {
    std::thread::spawn(run);
    done.recv_timeout(seconds(10)).ok()
}

#[test]
fn a_call_on_a_runtime_that_ends_fails() {
    let credentials = Issuer::default().credentials(Duration::ZERO, seconds(100));
    let (sender, failed) = mpsc::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let asks = AsksWhenDropped(credentials, sender);
        runtime.spawn(async move {
            std::future::pending::<()>().await;
            drop(asks);
        });
        runtime.block_on(tokio::task::yield_now());
        // What is spawned from now on is dropped at once.
        drop(runtime);
    };
    assert_eq!(on_a_thread(run, &failed), Some(true));
}
