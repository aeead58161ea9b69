//! [`Auth`]: who calls, by the token that comes with a call.
//!
//! A token is taken apart ([`token`]), verified with a key ([`keys`]) and its claims are checked
//! ([`claims`]); one that was found good is remembered ([`cache`]). Nothing in it is believed before its
//! signature is. The rules are those of RFC 7515, RFC 7519 and RFC 8725.
//!
//! Of the cryptography, aws-lc-rs is asked without a library for tokens in between: four algorithms are
//! few, each key is parsed once, and no crate elsewhere in a program can put another backend in its place.

mod bearer;
mod builder;
mod cache;
mod claims;
mod exclusion;
mod fetch;
mod jwks;
mod keys;
mod object;
mod principal;
mod remote;
#[cfg(feature = "tls")]
mod secure;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod verify;

use std::fmt;
use std::sync::Arc;

pub use self::builder::{AuthBuilder, AuthError};
use self::exclusion::Exclusion;
pub use self::principal::Principal;
pub use self::source::KeySource;
use self::verify::{Verdict, Verifier};
use super::chain::{Checked, Gate, Place, Standard, Step};
use crate::observe::{Event, Side};
use crate::{BoxError, Code, Context, Kind, Method, Refusal, Status, errors};

/// What is exempt without anybody's saying: whoever probes has no token.
const HEALTH: &str = "grpc.health.v1.Health";

/// Lets calls in that come with a good token, `authorization: Bearer …`, and tells servicers whose it is:
/// [`Context::principal`].
///
/// Every method needs a token but those whose proto says `public`, those that are
/// [excluded](AuthBuilder::exclude), and `grpc.health.v1.Health`. Where the proto asks for scopes, the token
/// has to have all of them, or the call ends with `PERMISSION_DENIED`. Any other fault of a token is
/// UNAUTHENTICATED, "invalid token", and no more is told to the caller: why is an
/// [`Event::Refused`], and a line of the log at `debug`.
///
/// Taken are signed JWTs with an expiry (`exp`), of up to 8 KiB. A stream's caller is asked once, when it
/// begins, and it [may end](AuthBuilder::end_streams_at_expiry) when the token expires. Clones are the same: they share keys, and the tokens that were found good.
///
/// ```no_run
/// use apibase::{Auth, Interceptors};
///
/// # fn main() -> Result<(), apibase::AuthError> {
/// let auth = Auth::jwt()
///     .jwks_url("https://id.example.com/realms/shop/protocol/openid-connect/certs")
///     .issuer("https://id.example.com/realms/shop")
///     .audience("items")
///     .exclude("/examples.ItemService/GetItem")
///     .build()?;
/// let chain = Interceptors::none().with_auth(auth);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Auth {
    verifier: Arc<Verifier>,
    ends_streams: bool,
    exclusions: Arc<[Exclusion]>,
}

impl Auth {
    /// Takes JWTs, as the builder is told. Each has its keys, and should have an issuer and an audience.
    pub fn jwt() -> AuthBuilder {
        AuthBuilder::new()
    }

    /// Whether there are keys: those that were given, or some that were fetched, however long ago. The
    /// first ones are fetched, and waited for, for 10 seconds at most.
    ///
    /// Until there are some, calls end with UNAVAILABLE. With this as a dependency, a server says so
    /// before anybody calls it:
    ///
    /// ```
    /// use apibase::{Auth, Health};
    ///
    /// # fn health(auth: &Auth) -> Health {
    /// let auth = auth.clone();
    /// Health::new().dependency("issuer", move || {
    ///     let auth = auth.clone();
    ///     async move { auth.check_keys().await }
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Why none have come.
    pub async fn check_keys(&self) -> Result<(), BoxError> {
        Ok(self.verifier.check_keys().await?)
    }
}

impl Standard for Auth {
    fn place(&self) -> Place {
        Place::Auth
    }

    fn of(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String> {
        if side == Side::Client {
            return Ok(None);
        }
        let is_excluded = self
            .exclusions
            .iter()
            .any(|excluded| excluded.covers(method));
        if is_excluded && method.needs_token() {
            return Err(
                "asks for a token in its proto, and is excluded from authentication: remove one of the two"
                    .to_owned(),
            );
        }
        if is_excluded || method.is_public() || method.service() == HEALTH {
            return Ok(None);
        }
        self.verifier.prepare();
        Ok(Some(Step::Gate(Box::new(TokenGate {
            verifier: Arc::clone(&self.verifier),
            scopes: method.required_scopes(),
            ends_at_expiry: self.ends_streams
                && method.kind() != Kind::Unary
                && !method.is_detached(),
        }))))
    }

    #[cfg(feature = "client")]
    fn only_for_servers(&self) -> Option<&'static str> {
        Some(
            "have auth, which is for servers: a client's token is set by `ClientFactory::credentials`",
        )
    }

    fn authenticates(&self) -> bool {
        true
    }
}

impl fmt::Debug for Auth {
    /// Shows no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("exclusions", &self.exclusions)
            .finish_non_exhaustive()
    }
}

/// Lets the calls of one method in.
#[derive(Clone)]
struct TokenGate {
    verifier: Arc<Verifier>,
    scopes: &'static [&'static str],
    /// Whether calls end when their tokens expire.
    ends_at_expiry: bool,
}

impl Gate for TokenGate {
    fn check(&self, context: &Context) -> Checked {
        match self.verifier.verify(context.metadata(), false) {
            Verdict::Good(principal) => match self.admit(context, principal) {
                Ok(()) => Checked::Passed,
                Err(status) => Checked::Refused(status),
            },
            Verdict::Refused(refusal) => Checked::Refused(refused(context, refusal, self.scopes)),
            Verdict::Waits => {
                let (gate, context) = (self.clone(), context.clone());
                Checked::Waits(Box::pin(async move {
                    gate.verifier.wait().await;
                    match gate.verifier.verify(context.metadata(), true) {
                        Verdict::Good(principal) => gate.admit(&context, principal),
                        Verdict::Refused(refusal) => Err(refused(&context, refusal, gate.scopes)),
                        // Who has waited has an answer.
                        Verdict::Waits => {
                            Err(refused(&context, Refusal::KeysUnavailable, gate.scopes))
                        }
                    }
                }))
            }
        }
    }
}

impl TokenGate {
    /// Lets a caller in who may do what the method asks for.
    fn admit(&self, context: &Context, principal: Principal) -> Result<(), Status> {
        let may = self.scopes.iter().all(|scope| principal.has_scope(scope));
        if self.ends_at_expiry
            && let Some(end) = self.verifier.end_of(&principal)
        {
            context.trail().set_end(end);
        }
        context.trail().set_principal(principal);
        match may {
            true => Ok(()),
            false => Err(refused(context, Refusal::ScopeMissing, self.scopes)),
        }
    }
}

/// What a caller is told whose token has expired while its call ran.
#[cold]
pub(crate) fn expired(context: &Context) -> Status {
    let (code, refusal) = (Code::Unauthenticated, Refusal::TokenExpired);
    tell(context, refusal, code);
    // It had a good token, so it may know.
    let message = "the token has expired; call again with a new one";
    errors::plain(code, refusal.as_str(), message, context)
}

/// What a caller is told who isn't let in, once the observers have heard why.
#[cold]
fn refused(context: &Context, refusal: Refusal, scopes: &[&str]) -> Status {
    let asks;
    let (code, reason, message) = match refusal {
        Refusal::TokenMissing => (
            Code::Unauthenticated,
            refusal.as_str(),
            "a token is required: `authorization: Bearer …`",
        ),
        Refusal::ScopeMissing => {
            asks = format!(
                "a token with these scopes is required: {}",
                scopes.join(", ")
            );
            (Code::PermissionDenied, refusal.as_str(), &*asks)
        }
        Refusal::KeysUnavailable => (
            Code::Unavailable,
            refusal.as_str(),
            "tokens can't be verified now: the issuer's keys are not to be had",
        ),
        // Whatever it is: who makes up tokens learns nothing.
        _ => (Code::Unauthenticated, "TOKEN_REJECTED", "invalid token"),
    };
    tell(context, refusal, code);
    errors::plain(code, reason, message, context)
}

/// Log and observers hear why a caller isn't let in.
fn tell(context: &Context, refusal: Refusal, code: Code) {
    let path = context.method().map(Method::path).unwrap_or_default();
    tracing::debug!(
        method = path,
        reason = refusal.as_str(),
        "a caller was not let in"
    );
    // For its line in the log.
    context.trail().refuse(refusal);
    if let Some(observers) = context.observers() {
        observers.observe(&Event::Refused {
            path,
            reason: refusal,
            code,
            peer: context.peer(),
            context: Some(context),
            started: true,
        });
    }
}
