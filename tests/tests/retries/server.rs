//! A server that does in each attempt of a call what its script says, and remembers what went otherwise.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::Code;
use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::common::{ask, frame, grpc_head, reply};

/// What a server does, step by step, in one attempt.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads a request with this payload.
    Request(Vec<u8>),
    /// Reads that no other request will come.
    End,
    /// Sends the head of the answer.
    Head,
    /// Sends the reply of this number, after the head.
    Reply(u64),
    /// Has this among the trailers, as `grpc-retry-pushback-ms`.
    Pushback(&'static str),
    /// Ends the call: without a head before, by the head alone.
    Status(Code),
    /// Resets the stream.
    Reset(Reason),
    /// Does nothing until the client has given the attempt up.
    Silence,
    /// Closes the connection when the request has come, as one that it has not looked at. The only step
    /// of an attempt.
    Goodbye,
}

/// One attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What `grpc-previous-rpc-attempts` has to be; absent if 0.
    pub(crate) previous: u32,
    pub(crate) steps: Vec<Step>,
}

/// What the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) begun: usize,
    pub(crate) ended: usize,
    /// What was not as the script has it.
    pub(crate) wrong: Vec<String>,
}

pub(crate) struct ScriptedServer {
    pub(crate) addr: SocketAddr,
    script: Arc<Script>,
}

struct Script {
    attempts: Mutex<VecDeque<Attempt>>,
    seen: Mutex<Seen>,
}

impl ScriptedServer {
    pub(crate) async fn start(attempts: impl IntoIterator<Item = Attempt>) -> Self {
        let script = Arc::new(Script {
            attempts: Mutex::new(attempts.into_iter().collect()),
            seen: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(Arc::clone(&serving).connection(stream));
            }
        });
        Self { addr, script }
    }

    /// How many attempts there were until now.
    pub(crate) fn begun(&self) -> usize {
        self.script.seen.lock().unwrap().begun
    }

    /// What it has seen when all of its script is done, or some time after something went otherwise.
    pub(crate) async fn seen(&self, attempts: usize) -> Seen {
        for _ in 0..200 {
            let is_over = {
                let seen = self.script.seen.lock().unwrap();
                seen.ended >= attempts || !seen.wrong.is_empty()
            };
            if is_over {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        std::mem::take(&mut *self.script.seen.lock().unwrap())
    }
}

impl Script {
    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let next = self.attempts.lock().unwrap().front().cloned();
        if next.is_some_and(|attempt| matches!(*attempt.steps, [Step::Goodbye])) {
            self.attempts.lock().unwrap().pop_front();
            self.seen.lock().unwrap().begun += 1;
            let said = goodbye(stream).await;
            self.end(said.map_err(|error| format!("no goodbye: {error}")));
            return;
        }
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, response))) = connection.accept().await {
            tokio::spawn(Arc::clone(&self).attempt(request, response));
        }
    }

    async fn attempt(self: Arc<Self>, request: Request<RecvStream>, response: SendResponse<Bytes>) {
        let attempt = self.attempts.lock().unwrap().pop_front();
        self.seen.lock().unwrap().begun += 1;
        let mut peer = Peer::new(request, response);
        let played = match attempt {
            Some(attempt) => peer.play(attempt).await,
            None => Err("an attempt too many".to_owned()),
        };
        if played.is_err() {
            peer.step(Step::Status(Code::DataLoss)).await.ok();
        }
        self.end(played);
    }

    fn end(&self, played: Result<(), String>) {
        let mut seen = self.seen.lock().unwrap();
        seen.ended += 1;
        seen.wrong.extend(played.err());
    }
}

/// The server's end of one attempt.
struct Peer {
    previous: Option<HeaderValue>,
    body: RecvStream,
    read: BytesMut,
    response: SendResponse<Bytes>,
    answer: Option<SendStream<Bytes>>,
    pushback: HeaderMap,
}

impl Peer {
    fn new(request: Request<RecvStream>, response: SendResponse<Bytes>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            previous: head.headers.get("grpc-previous-rpc-attempts").cloned(),
            body,
            read: BytesMut::new(),
            response,
            answer: None,
            pushback: HeaderMap::new(),
        }
    }

    async fn play(&mut self, attempt: Attempt) -> Result<(), String> {
        let previous = (attempt.previous > 0).then(|| attempt.previous.to_string());
        let said = self.previous.as_ref();
        let said = said.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if said != previous {
            return Err(format!(
                "the attempts before are {said:?}, and should be {previous:?}"
            ));
        }
        for step in attempt.steps {
            let shown = format!("{step:?}");
            let shown = shown.get(..60).unwrap_or(&shown).to_owned();
            self.step(step)
                .await
                .map_err(|error| format!("{shown}: {error}"))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Request(payload) => self.request(&frame(&ask(payload))).await,
            Step::End => {
                // Frames without anything in them may come before the end.
                while self.read.is_empty() && self.more().await? {}
                match self.read.is_empty() {
                    true => Ok(()),
                    false => Err("there is another request".to_owned()),
                }
            }
            Step::Head => self.head().map(drop),
            Step::Reply(number) => {
                let data = frame(&reply(number, ""));
                self.head()?.send_data(data, false).map_err(text)
            }
            Step::Pushback(value) => {
                let value = HeaderValue::from_static(value);
                self.pushback.append("grpc-retry-pushback-ms", value);
                Ok(())
            }
            Step::Status(code) => self.status(code),
            Step::Reset(reason) => {
                self.response.send_reset(reason);
                Ok(())
            }
            Step::Silence => {
                let reset = std::future::poll_fn(|cx| self.response.poll_reset(cx));
                reset.await.map(drop).map_err(text)
            }
            Step::Goodbye => Err("it has to be the only step".to_owned()),
        }
    }

    async fn request(&mut self, wanted: &[u8]) -> Result<(), String> {
        while self.read.len() < wanted.len() {
            if !self.more().await? {
                return Err("there is no other request".to_owned());
            }
        }
        match *self.read.split_to(wanted.len()) == *wanted {
            true => Ok(()),
            false => Err("it is another request".to_owned()),
        }
    }

    /// Reads what comes next; false at the end.
    async fn more(&mut self) -> Result<bool, String> {
        let Some(data) = self.body.data().await.transpose().map_err(text)? else {
            return Ok(false);
        };
        self.body
            .flow_control()
            .release_capacity(data.len())
            .map_err(text)?;
        self.read.extend_from_slice(&data);
        Ok(true)
    }

    fn head(&mut self) -> Result<&mut SendStream<Bytes>, String> {
        if self.answer.is_none() {
            let sent = self.response.send_response(grpc_head(), false);
            self.answer = Some(sent.map_err(text)?);
        }
        Ok(self.answer.as_mut().unwrap())
    }

    fn status(&mut self, code: Code) -> Result<(), String> {
        let mut trailers = std::mem::take(&mut self.pushback);
        trailers.insert("grpc-status", HeaderValue::from(code as i32));
        trailers.insert(
            "grpc-message",
            HeaderValue::from_static("as the script says"),
        );
        if let Some(answer) = &mut self.answer {
            return answer.send_trailers(trailers).map_err(text);
        }
        let mut head = grpc_head();
        head.headers_mut().extend(trailers);
        let sent = self.response.send_response(head, true);
        sent.map(drop).map_err(text)
    }
}

/// Waits for a request, says that none was processed, and closes the connection.
async fn goodbye(mut stream: TcpStream) -> std::io::Result<()> {
    const PREFACE: usize = 24;
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const HEADERS: u8 = 1;
    stream.write_all(SETTINGS).await?;
    let mut preface = [0; PREFACE];
    stream.read_exact(&mut preface).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await?;
        if kind == HEADERS {
            break;
        }
    }
    stream.write_all(GOAWAY).await?;
    stream.shutdown().await?;
    let mut rest = Vec::new();
    // A client that is quicker may have reset the connection.
    stream.read_to_end(&mut rest).await.ok();
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn text(error: h2::Error) -> String {
    error.to_string()
}
