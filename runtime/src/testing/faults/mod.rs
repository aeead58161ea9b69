//! [`Faults`]: a transport on which things go wrong.

mod body;
mod fault;
mod link;
mod plan;
mod seen;
mod taker;

use std::fmt;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Request, Response, header};
use tokio::time::sleep;

pub use self::body::FaultyBody;
pub use self::fault::Fault;
use self::fault::Kind;
use self::plan::{Plan, Ticket, path_of};
pub use self::seen::{Counts, SeenAttempt};
use self::taker::Taker;
use crate::client::{Attempt, Reached, RequestStream, Transport, TransportError, Upstream};
use crate::wire::{headers, status};
use crate::{Method, Status};

/// A [`Transport`] around another one, on which things go wrong: when a test says so, or at random.
///
/// What goes wrong with an attempt is what was said first of these: what is [next](Self::next), of its
/// method or of all; what is so [always](Self::always), of its method and then of all; what the
/// [chances](Self::sometimes) give. A client can't tell it from the real thing; what it sees of each is
/// at [`Fault`].
///
/// Clones share what was said and seen.
///
/// ```
/// # use apibase::Transport;
/// use apibase::testing::{Fault, Faults};
///
/// # fn of<T: Transport>(transport: T) {
/// let faults = Faults::new(transport);
/// faults.next(Fault::refused()).next(Fault::silence());
/// // let items = ItemServiceClient::new(faults.clone()); …
/// assert_eq!(faults.counts().attempts, 0);
/// # }
/// ```
pub struct Faults<T> {
    transport: T,
    plan: Arc<Mutex<Plan>>,
}

impl<T> Faults<T> {
    /// Nothing goes wrong yet.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self::with_seed(transport, 0)
    }

    /// The same, whose chances are drawn with this seed. It is printed, so that a test that failed can
    /// be run again as it was: as far as its calls come in the same order.
    #[must_use]
    pub fn random(transport: T, seed: u64) -> Self {
        eprintln!("faults are drawn with the seed {seed}");
        Self::with_seed(transport, seed)
    }

    fn with_seed(transport: T, seed: u64) -> Self {
        Self {
            transport,
            plan: Arc::new(Mutex::new(Plan::new(seed))),
        }
    }

    /// This goes wrong with the next attempt that nothing else was said of; said again, with the one
    /// after it.
    pub fn next(&self, fault: Fault) -> &Self {
        self.plan().script(None, fault);
        self
    }

    /// The same with the next attempt of `method`.
    pub fn next_of(&self, method: &'static Method, fault: Fault) -> &Self {
        self.plan().script(path_of(Some(method)), fault);
        self
    }

    /// This goes wrong with every attempt from now on, but for those that something is said of with
    /// [`next`](Self::next).
    pub fn always(&self, fault: Fault) -> &Self {
        self.plan().always(None, fault);
        self
    }

    /// The same with every attempt of `method`.
    pub fn always_of(&self, method: &'static Method, fault: Fault) -> &Self {
        self.plan().always(path_of(Some(method)), fault);
        self
    }

    /// This goes wrong with an attempt by this chance, from 0 to 1; the chances of several faults add
    /// up, and what is over 1 together never comes.
    pub fn sometimes(&self, chance: f64, fault: Fault) -> &Self {
        self.plan().chance(None, chance, fault);
        self
    }

    /// The same with an attempt of `method`.
    pub fn sometimes_of(&self, method: &'static Method, chance: f64, fault: Fault) -> &Self {
        self.plan().chance(path_of(Some(method)), chance, fault);
        self
    }

    /// Nothing goes wrong from now on, whatever was said.
    pub fn clear(&self) -> &Self {
        self.plan().clear();
        self
    }

    /// How many attempts there were.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.plan().counts()
    }

    /// The attempts in their order, the last 1,024 of them.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenAttempt> {
        self.plan().seen()
    }

    /// How much of what was said with [`next`](Self::next) has not come yet.
    #[must_use]
    pub fn unused(&self) -> usize {
        self.plan().unused()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is no connection for an attempt, which may wait for one in vain.
    async fn unconnected(&self, attempt: &mut Attempt) -> TransportError {
        attempt.set_reached(Reached::Connecting);
        let event = self.plan().link.fail();
        if attempt.waits_for_ready() {
            pending::<()>().await;
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = TransportError::unavailable("cannot connect to the server", refused);
        error.of_event(event)
    }

    /// The connection of an attempt is lost.
    fn lost(&self, ticket: Ticket) -> TransportError {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        self.gone(ticket, TransportError::broken(reset))
    }

    /// The connection of an attempt is gone, and this is what its calls hear.
    fn gone(&self, ticket: Ticket, error: TransportError) -> TransportError {
        match ticket.connection {
            None => error,
            Some(connection) => {
                self.plan().link.lose(connection);
                error.of_event(connection)
            }
        }
    }
}

impl<T: Transport> Transport for Faults<T> {
    type Body = FaultyBody<T::Body>;

    async fn send(
        &self,
        request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<Self::Body>, TransportError> {
        let next = self.plan().next(request.uri().path(), request.headers());
        let (Fault { delay, kind }, ticket) = next;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let name = kind.name();
        let happens = || self.plan().happened(ticket, name);
        if kind.is_before_answer() {
            happens();
        }
        match kind {
            Kind::None => {
                let answered = self.transport.send(request, attempt).await?;
                Ok(answered.map(FaultyBody::real))
            }
            Kind::After(fault) => {
                let answered = self.transport.send(request, attempt).await?;
                // One that is all in its head stays as it is: nothing comes after that.
                if status::is_in(answered.headers()) {
                    return Ok(answered.map(FaultyBody::real));
                }
                happens();
                let lost = || self.lost(ticket);
                Ok(answered.map(|body| FaultyBody::faulty(body, &fault, lost)))
            }
            Kind::NoConnection => Err(self.unconnected(attempt).await),
            Kind::AnswerLost => {
                let answered = self.transport.send(request, attempt).await;
                // What was answered is dropped before anybody hears of it.
                answered.map(drop)?;
                happens();
                attempt.set_reached(Reached::Sent);
                Err(self.lost(ticket))
            }
            Kind::Refused => {
                Taker::new(request, attempt).take_now().await;
                let reset = h2::Error::from(h2::Reason::REFUSED_STREAM);
                Err(TransportError::broken(reset))
            }
            Kind::GoAway => {
                Taker::new(request, attempt).take_now().await;
                Err(self.gone(ticket, TransportError::goodbye()))
            }
            Kind::Lost => {
                Taker::new(request, attempt).take_now().await;
                Err(self.lost(ticket))
            }
            Kind::Silence => Taker::new(request, attempt).take_for_ever().await,
            Kind::Status(status) => {
                Taker::new(request, attempt).take_now().await;
                attempt.set_reached(Reached::Answered);
                Ok(trailers_only(&status))
            }
        }
    }

    fn upstream(&self) -> Option<&Arc<Upstream>> {
        self.transport.upstream()
    }
}

/// An answer that is all in its head.
fn trailers_only<B>(status: &Status) -> Response<FaultyBody<B>> {
    let mut head = HeaderMap::new();
    status::write(status, &mut head);
    head.insert(header::CONTENT_TYPE, headers::GRPC);
    let mut response = Response::new(FaultyBody::empty());
    *response.headers_mut() = head;
    response
}

impl<T: Clone> Clone for Faults<T> {
    fn clone(&self) -> Self {
        Self {
            transport: self.transport.clone(),
            plan: Arc::clone(&self.plan),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Faults<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("transport", &self.transport)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
