//! Servers that tell of their health, over a pipe and in virtual time.

use std::sync::{Arc, Mutex};

use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio::io::duplex;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::*;

/// What a server does with a watch that comes.
type Watch = (Request<RecvStream>, SendResponse<Bytes>);

/// How long a server has for its first answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose watches a test answers, and what was told of it.
struct Fixture {
    watches: mpsc::UnboundedReceiver<Watch>,
    told: mpsc::UnboundedReceiver<Serving>,
    server: AbortHandle,
    opened: Arc<Mutex<Vec<Instant>>>,
}

/// The head of an answer.
fn begin(respond: &mut SendResponse<Bytes>) -> SendStream<Bytes> {
    let mut head = Response::new(());
    head.headers_mut().insert(http::header::CONTENT_TYPE, GRPC);
    respond.send_response(head, false).unwrap()
}

impl Fixture {
    async fn new() -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let (watched, watches) = mpsc::unbounded_channel();
        let opened = Arc::new(Mutex::new(Vec::new()));
        let times = Arc::clone(&opened);
        let server = tokio::spawn(async move {
            let mut connection = h2::server::handshake(theirs).await.unwrap();
            while let Some(Ok(watch)) = connection.accept().await {
                times.lock().unwrap().push(Instant::now());
                let _ = watched.send(watch);
            }
        });
        let (sender, connection) = h2::client::handshake(ours).await.unwrap();
        tokio::spawn(connection);
        let (tell, told) = mpsc::unbounded_channel();
        let authority = Authority::from_static("items:50051");
        let service = "examples.ItemService";
        let watch = HealthWatch::new(Scheme::HTTP, authority, service, PATIENCE).unwrap();
        tokio::spawn(watch.run(sender, move |serving| tell.send(serving).unwrap()));
        Self {
            watches,
            told,
            server: server.abort_handle(),
            opened,
        }
    }

    async fn watch(&mut self) -> Watch {
        let watch = timeout(Duration::from_secs(1000), self.watches.recv()).await;
        watch.expect("no watch came").unwrap()
    }

    /// Opens the stream that is being asked for.
    async fn open(&mut self) -> SendStream<Bytes> {
        let (_, mut respond) = self.watch().await;
        begin(&mut respond)
    }

    async fn told(&mut self) -> Serving {
        let told = timeout(Duration::from_secs(1000), self.told.recv()).await;
        told.expect("nothing is told").unwrap()
    }

    async fn silent(&mut self, seconds: u64) {
        let told = timeout(Duration::from_secs(seconds), self.told.recv()).await;
        assert!(told.is_err(), "{told:?}");
    }

    /// The waits between streams, in seconds.
    fn waits(&self) -> Vec<f64> {
        let opened = self.opened.lock().unwrap();
        let waits = opened.windows(2).map(|pair| pair[1] - pair[0]);
        waits.map(|wait| wait.as_secs_f64()).collect()
    }
}

fn say(stream: &mut SendStream<Bytes>, status: i32) {
    let answer = Answer { status }.encode_to_vec();
    let mut frame = vec![0, 0, 0, 0, u8::try_from(answer.len()).unwrap()];
    frame.extend(answer);
    stream.send_data(frame.into(), false).unwrap();
}

fn with_status(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static(code),
    )])
}

fn is_no(serving: &Serving) -> bool {
    matches!(serving, Serving::No(_))
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once_and_only_serving_is() {
    let mut server = Fixture::new().await;
    server.silent(8).await;
    let mut stream = server.open().await;
    server.silent(8).await;
    for (statuses, serving) in [
        (&[1, 1][..], Serving::Yes),
        (&[2, 2], Serving::No("it says NOT_SERVING")),
        (&[1], Serving::Yes),
        (
            &[3],
            Serving::No("it doesn't know the service whose health is watched"),
        ),
        (&[0, 77], Serving::No("it doesn't say that it is SERVING")),
    ] {
        statuses.iter().for_each(|status| say(&mut stream, *status));
        assert_eq!(server.told().await, serving);
        // However long nothing changes.
        server.silent(100_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_the_standards_watch_that_is_called() {
    let mut server = Fixture::new().await;
    let (mut request, _respond) = server.watch().await;
    let uri = "http://items:50051/grpc.health.v1.Health/Watch";
    assert_eq!(
        (request.method(), request.uri().to_string().as_str()),
        (&Method::POST, uri)
    );
    assert_eq!(request.headers()["content-type"], "application/grpc");
    assert_eq!(request.headers()["te"], "trailers");
    let question = request.body_mut().data().await.unwrap().unwrap();
    let question = Question::decode(&question[5..]).unwrap();
    assert_eq!(question.service, "examples.ItemService");
    assert!(request.body().is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn a_server_without_the_health_service_is_healthy_and_not_asked_again() {
    for is_http in [false, true] {
        let mut server = Fixture::new().await;
        let (_, mut respond) = server.watch().await;
        let mut response = Response::new(());
        match is_http {
            true => *response.status_mut() = StatusCode::NOT_FOUND,
            false => *response.headers_mut() = with_status("12"),
        }
        respond.send_response(response, true).unwrap();
        assert_eq!(server.told().await, Serving::Yes);
        server.silent(1000).await;
        assert_eq!(server.opened.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unimplemented_in_the_trailers_counts_as_well() {
    let mut server = Fixture::new().await;
    let mut stream = server.open().await;
    stream.send_trailers(with_status("12")).unwrap();
    assert_eq!(server.told().await, Serving::Yes);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_held_and_broke_is_not_healthy_and_opened_again_at_once() {
    let mut server = Fixture::new().await;
    for round in 0..5 {
        let mut stream = server.open().await;
        say(&mut stream, 1);
        assert_eq!(server.told().await, Serving::Yes);
        sleep(Duration::from_secs(10)).await;
        match round % 2 {
            0 => stream.send_reset(h2::Reason::INTERNAL_ERROR),
            _ => stream.send_trailers(with_status("14")).unwrap(),
        }
        assert!(is_no(&server.told().await));
    }
    let waits = server.waits();
    assert!(
        waits.iter().all(|wait| (10.0..10.1).contains(wait)),
        "{waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_breaks_at_once_is_opened_again_with_growing_waits() {
    for says_a_word in [false, true] {
        let mut server = Fixture::new().await;
        for _ in 0..12 {
            let mut stream = server.open().await;
            if says_a_word {
                say(&mut stream, 1);
            }
            stream.send_trailers(with_status("14")).unwrap();
        }
        for (at, wait) in server.waits().into_iter().enumerate() {
            let middle = 1.6_f64.powi(i32::try_from(at).unwrap()).min(120.0);
            let range = middle * 0.8..=middle * 1.2 + 0.002;
            assert!(range.contains(&wait), "wait {at} is {wait}");
        }
    }
}

/// As one whose health service hangs does, before the head of its answer or after it.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_not_healthy_and_asked_again_with_growing_waits() {
    for sends_head in [false, true] {
        let mut server = Fixture::new().await;
        for round in 0..8 {
            let (_, mut respond) = server.watch().await;
            let asked = Instant::now();
            let reset = if sends_head {
                let mut stream = begin(&mut respond);
                std::future::poll_fn(|cx| stream.poll_reset(cx)).await
            } else {
                std::future::poll_fn(|cx| respond.poll_reset(cx)).await
            };
            assert_eq!(reset.unwrap(), h2::Reason::CANCEL);
            assert_eq!(asked.elapsed().as_secs(), PATIENCE.as_secs());
            // That nothing has changed is not told again.
            if round == 0 {
                assert_eq!(server.told().await, Serving::No(SILENT));
            }
        }
        for (at, wait) in server.waits().into_iter().enumerate() {
            let middle = 1.6_f64.powi(i32::try_from(at).unwrap());
            let range = middle * 0.8..=middle * 1.2 + 0.1;
            let wait = wait - PATIENCE.as_secs_f64();
            assert!(range.contains(&wait), "wait {at} is {wait}");
        }
        let mut stream = server.open().await;
        say(&mut stream, 1);
        assert_eq!(server.told().await, Serving::Yes);
        server.silent(100_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_breaks_the_stream() {
    let mut server = Fixture::new().await;
    for frame in [&[0, 0, 0, 0, 1, 0xff][..], &[0, 0xff, 0xff, 0xff, 0xff]] {
        let mut stream = server.open().await;
        say(&mut stream, 1);
        assert_eq!(server.told().await, Serving::Yes);
        stream.send_data(Bytes::from_static(frame), false).unwrap();
        assert!(is_no(&server.told().await));
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_connection() {
    let mut server = Fixture::new().await;
    let mut stream = server.open().await;
    say(&mut stream, 1);
    assert_eq!(server.told().await, Serving::Yes);
    server.server.abort();
    assert!(is_no(&server.told().await));
    // It tells that no more calls are taken, if nothing else, and no more after that.
    let rest = timeout(Duration::from_secs(1000), async {
        while server.told.recv().await.is_some() {}
    });
    rest.await.expect("it still watches");
}
