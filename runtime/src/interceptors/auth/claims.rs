//! [`Rules`]: which claims let a caller in (RFC 7519, section 4.1).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::keys::Key;
use super::object::Object;
use super::principal::{Known, Principal};
use crate::Refusal;

/// The last second of the year 9999. What expires later was written in milliseconds, most likely.
const LATEST: u64 = 253_402_300_799;

/// Which claims let a caller in.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// One of them; anybody where there are none.
    pub(super) issuers: Vec<String>,
    /// One of them; anybody where there are none.
    pub(super) audiences: Vec<String>,
    pub(super) leeway: Duration,
}

impl Rules {
    /// Who the caller is, if claims that `key` has signed let it in.
    pub(super) fn check(&self, claims: Vec<u8>, key: &Key, now: Now) -> Result<Principal, Refusal> {
        let malformed = Refusal::TokenMalformed;
        let json = String::from_utf8(claims).map_err(|_| malformed)?;
        let object = Object::read(json.as_bytes()).ok_or(malformed)?;
        let expires = object.get("exp").and_then(seconds).ok_or(malformed)?;
        if self.has_expired(expires, now) {
            return Err(Refusal::TokenExpired);
        }
        let begins = match object.get("nbf") {
            Some(begins) => seconds(begins).ok_or(malformed)?,
            None => 0,
        };
        if !self.has_begun(begins, now) {
            return Err(Refusal::TokenNotYetValid);
        }
        let issuer = object.text("iss").map_err(|_| malformed)?;
        if !self.is_theirs(key, issuer) {
            return Err(Refusal::TokenIssuer);
        }
        let audiences = object.texts("aud").map_err(|_| malformed)?;
        let is_meant = |audience: &&str| self.audiences.iter().any(|known| known == audience);
        if !self.audiences.is_empty() && !audiences.iter().any(is_meant) {
            return Err(Refusal::TokenAudience);
        }
        Ok(Principal::new(Known {
            subject: object
                .text("sub")
                .map_err(|_| malformed)?
                .map(ToOwned::to_owned),
            issuer: issuer.map(ToOwned::to_owned),
            scopes: scopes(&object),
            begins,
            expires,
            json,
        }))
    }

    /// Whether `key` is for tokens of this issuer.
    fn is_theirs(&self, key: &Key, issuer: Option<&str>) -> bool {
        match key.issuer() {
            Some(own) => issuer == Some(own),
            None if self.issuers.is_empty() => true,
            None => issuer.is_some_and(|issuer| self.issuers.iter().any(|named| named == issuer)),
        }
    }

    /// Whether who was let in before would be let in now: clocks are set back, too.
    pub(super) fn is_alive(&self, principal: &Principal, now: Now) -> bool {
        let (begins, expires) = principal.lifetime();
        self.has_begun(begins, now) && !self.has_expired(expires, now)
    }

    /// How long it will be let in.
    pub(super) fn left(&self, principal: &Principal, now: Now) -> Duration {
        let (_, expires) = principal.lifetime();
        let end = expires.saturating_add(self.leeway.as_secs());
        Duration::from_secs(end.saturating_sub(now.0))
    }

    fn has_begun(&self, begins: u64, now: Now) -> bool {
        begins <= now.0.saturating_add(self.leeway.as_secs())
    }

    fn has_expired(&self, expires: u64, now: Now) -> bool {
        now.0 >= expires.saturating_add(self.leeway.as_secs())
    }
}

/// The time, in whole seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Now(pub(super) u64);

impl From<SystemTime> for Now {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH);
        // A clock before 1970 isn't set: by it, nothing would ever have expired.
        Self(since.map_or(u64::MAX, |since| since.as_secs()))
    }
}

/// A `NumericDate`: a number of seconds, which may have a fraction. A text is none, and neither is what no
/// calendar has.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = match value.as_u64() {
        Some(seconds) => seconds,
        None => {
            let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0)?;
            // What is too large for the type is its largest value.
            seconds as u64
        }
    };
    (seconds <= LATEST).then_some(seconds)
}

/// Who the caller is by claims that somebody else has verified; none if they are no claims.
pub(super) fn trusted(json: String) -> Option<Principal> {
    let object = Object::read(json.as_bytes())?;
    let expires = match object.get("exp") {
        Some(expires) => seconds(expires)?,
        None => LATEST,
    };
    let text = |name| Some(object.text(name).ok()?.map(ToOwned::to_owned));
    Some(Principal::new(Known {
        subject: text("sub")?,
        issuer: text("iss")?,
        scopes: scopes(&object),
        begins: 0,
        expires,
        json,
    }))
}

/// What a caller may do: `scope`, a text with blanks between them (RFC 9068), or `scp`, as some issuers
/// have it. Either may be a list. What is neither gives nothing.
fn scopes(claims: &Object) -> Vec<Box<str>> {
    let of = |name| claims.texts(name).unwrap_or_default();
    let texts = of("scope").into_iter().chain(of("scp"));
    let mut scopes: Vec<_> = texts
        .flat_map(|text| text.split(' '))
        .filter(|scope| !scope.is_empty())
        .map(Into::into)
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
