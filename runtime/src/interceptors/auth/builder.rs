//! [`AuthBuilder`]: which tokens are taken.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Auth;
use super::cache::Cache;
use super::claims::Rules;
use super::exclusion::Exclusion;
use super::fetch::JwksUrl;
use super::keys::{Algorithm, Key};
use super::remote::Remote;
use super::source::{AnySource, KeySource};
use super::verify::{Keys, Verifier};
use crate::clock;

/// The longest leeway. Beyond it, an expiry says little.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

const LEEWAY: Duration = Duration::from_secs(30);

const REFRESH: Duration = Duration::from_secs(300);

/// How many tokens are kept that were found good.
const CACHE: usize = 4096;

/// A place takes some 300 bytes and the claims, which are 6 KiB at most.
const MAX_CACHE: usize = 1 << 20;

/// Which tokens are taken, and of whom. [`build`](Self::build) makes an [`Auth`] of it, and says all that
/// is wrong.
#[must_use = "it is `build` that makes an `Auth` of it"]
pub struct AuthBuilder {
    keys: Vec<Key>,
    sources: Vec<Source>,
    ca: Option<Vec<u8>>,
    in_plaintext: bool,
    ends_streams: bool,
    refresh: Duration,
    rules: Rules,
    exclusions: Vec<Exclusion>,
    cache: usize,
    clock: Clock,
    problems: Vec<String>,
}

/// Tells the time of day.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

enum Source {
    Url(String),
    Other(Box<dyn AnySource>),
}

impl AuthBuilder {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            sources: Vec::new(),
            ca: None,
            in_plaintext: false,
            ends_streams: false,
            refresh: REFRESH,
            rules: Rules {
                leeway: LEEWAY,
                ..Rules::default()
            },
            exclusions: Vec::new(),
            cache: CACHE,
            clock: Arc::new(|| clock::wall(clock::recent())),
            problems: Vec::new(),
        }
    }

    /// Takes tokens that are signed with this secret by HS256. It has 32 bytes at least.
    ///
    /// Whoever can verify them can make them: a public key is better where the issuer is somebody else.
    pub fn hs256(self, secret: impl AsRef<[u8]>) -> Self {
        self.key("HS256", Key::secret(secret.as_ref()))
    }

    /// Takes tokens that are signed by RS256, with the private key to this public one (PEM, 2048 bits at
    /// least).
    pub fn rs256_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.key("RS256", Key::pem(Algorithm::Rs256, pem.as_ref()))
    }

    /// Takes tokens that are signed by ES256, with the private key to this public one (PEM, P-256).
    pub fn es256_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.key("ES256", Key::pem(Algorithm::Es256, pem.as_ref()))
    }

    /// Takes tokens that are signed by `EdDSA`, with the private key to this public one (PEM, Ed25519).
    pub fn eddsa_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.key("EdDSA", Key::pem(Algorithm::EdDsa, pem.as_ref()))
    }

    /// Names the key that was given last: it is for tokens whose `kid` is this. Where there are several
    /// keys, each needs a name. A key that is alone and has no name is for all tokens.
    pub fn kid(mut self, kid: &str) -> Self {
        match self.keys.pop() {
            Some(key) => self.keys.push(key.named(kid)),
            // A key that is wrong has been told already.
            None if !self.problems.is_empty() => {}
            None => self.wrong(format!(
                "the kid `{kid}` stands before any key; give the key first"
            )),
        }
        self
    }

    /// Binds the key that was given last to this issuer (`iss`): it is for tokens of that one alone, and no
    /// other key is. So two issuers can't sign in each other's names (RFC 8725, section 3.8).
    ///
    /// ```
    /// use apibase::{Auth, AuthError};
    ///
    /// # fn auth(secret: &[u8; 32]) -> Result<Auth, AuthError> {
    /// Auth::jwt()
    ///     .hs256(secret)
    ///     .kid("batch")
    ///     .issued_by("https://batch.example.com")
    ///     .jwks_url("http://localhost:8080/keys")
    ///     .issuer("https://id.example.com")
    ///     .audience("items")
    ///     .build()
    /// # }
    /// ```
    pub fn issued_by(mut self, issuer: &str) -> Self {
        match self.keys.pop() {
            Some(key) => self.keys.push(key.issued_by(issuer)),
            // A key that is wrong has been told already.
            None if !self.problems.is_empty() => {}
            None => self.wrong(format!(
                "the issuer `{issuer}` stands before any key that is its own; give the key first"
            )),
        }
        self
    }

    /// Takes tokens that are signed with one of the keys which the issuer publishes at `url` as a JWK set
    /// (RFC 7517): those for RS256, ES256 and `EdDSA` whose `use` and `alg` don't say otherwise.
    ///
    /// They are fetched before the first call, then every [5 minutes](Self::jwks_refresh) while there are
    /// calls, and when a token names a key that isn't there, at most every 30 seconds. While that fails,
    /// those that are there stay. Until some have come, calls wait for them, within their deadlines, or end
    /// with UNAVAILABLE.
    ///
    /// `https://` takes the feature `tls`, and trusts the CAs of the system or [other
    /// ones](Self::jwks_ca_pem). `http://` is for a host that is this machine, unless it is
    /// [allowed](Self::allow_plaintext_jwks). Redirections are not followed.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.sources.push(Source::Url(url.into()));
        self
    }

    /// Takes keys in plaintext from other machines, too. Everybody on the way can put others in their place,
    /// and sign tokens by those: it is for a mesh that encrypts by itself.
    pub fn allow_plaintext_jwks(mut self) -> Self {
        self.in_plaintext = true;
        self
    }

    /// The CAs that are trusted for the JWKS URL, as PEM, in place of the system's. In Kubernetes, that of
    /// the API server is in `/var/run/secrets/kubernetes.io/serviceaccount/ca.crt`.
    #[cfg(feature = "tls")]
    pub fn jwks_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Takes tokens that are signed with one of the keys which `source` gets, as with a [JWKS
    /// URL](Self::jwks_url).
    pub fn keys_from(mut self, source: impl KeySource) -> Self {
        self.sources.push(Source::Other(Box::new(source)));
        self
    }

    /// How old fetched keys get before they are fetched again: from 30 seconds to a day. Default: 5
    /// minutes. A key that its issuer removes is good for as long, and twice as long at most where calls
    /// are rare.
    pub fn jwks_refresh(mut self, refresh: Duration) -> Self {
        if !(Duration::from_secs(30)..=Duration::from_secs(86_400)).contains(&refresh) {
            self.wrong(format!(
                "keys are to be fetched again after {refresh:?}, which is not from 30 seconds to a day"
            ));
        }
        self.refresh = refresh;
        self
    }

    /// Takes only tokens of this issuer (`iss`), or of another one that is named so: each key is taken for
    /// each of them, so they are names of one party. Another party has keys of [its
    /// own](Self::issued_by).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// Takes only tokens for this audience (`aud`), or for another one that is named so. Without any,
    /// tokens are taken that were issued for other services.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// How far the clocks of issuers may be off: tokens are good for as long before `nbf` and after `exp`.
    /// 5 minutes at most. Default: 30 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        if leeway > MAX_LEEWAY {
            self.wrong(format!(
                "the leeway is {leeway:?}, more than {MAX_LEEWAY:?}"
            ));
        }
        self.rules.leeway = leeway;
        self
    }

    /// Ends streams with UNAUTHENTICATED when their tokens expire (and the leeway is over), whatever their
    /// servicers are at. Without this, they run as long as their servicers and deadlines let them. Calls with
    /// one request and one reply always do, and so do those of `detached` methods.
    pub fn end_streams_at_expiry(mut self) -> Self {
        self.ends_streams = true;
        self
    }

    /// Needs no token for a method, `/package.Service/Method`, or for all of a service,
    /// `/package.Service/*`. Only whole names: there are no other patterns.
    ///
    /// What the proto asks a token for can't be excluded. `grpc.health.v1.Health` never needs one.
    pub fn exclude(mut self, path: impl AsRef<str>) -> Self {
        match Exclusion::read(path.as_ref()) {
            Ok(exclusion) => self.exclusions.push(exclusion),
            Err(problem) => self.wrong(problem),
        }
        self
    }

    /// How many tokens that were found good are remembered until they expire, so that they are verified
    /// once: up to 1,048,576; 0 for none. Default: 4096. Of a token, a hash and the claims are kept.
    pub fn cache(mut self, tokens: usize) -> Self {
        if tokens > MAX_CACHE {
            self.wrong(format!(
                "the cache is for {tokens} tokens, more than {MAX_CACHE}"
            ));
        }
        self.cache = tokens;
        self
    }

    /// Takes the time of day from `clock`, in place of the system's.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// An [`Auth`] that takes these tokens.
    ///
    /// # Errors
    ///
    /// All that is wrong: a key that is none, keys that can't be told apart, a URL that can't be asked, a
    /// setting out of its bounds.
    pub fn build(mut self) -> Result<Auth, AuthError> {
        self.check_keys();
        self.check_rules();
        self.check_issuers();
        let source = self.source();
        if !self.problems.is_empty() {
            return Err(AuthError(self.problems));
        }
        let keys = self.keys.into_iter().map(Arc::new).collect();
        let keys = match source {
            Some(source) => Keys::Remote(Arc::new(Remote::new(source, self.refresh, keys))),
            None => Keys::own(keys),
        };
        if self.rules.audiences.is_empty() {
            tracing::warn!(
                "tokens are taken that were issued for other services; `AuthBuilder::audience` says for \
                 whom they have to be"
            );
        }
        Ok(Auth {
            verifier: Arc::new(Verifier::new(
                keys,
                self.rules,
                Cache::new(self.cache),
                self.clock,
            )),
            ends_streams: self.ends_streams,
            exclusions: self.exclusions.into(),
        })
    }

    fn check_keys(&mut self) {
        let is_told = self
            .problems
            .iter()
            .any(|problem| problem.starts_with("a key"));
        if self.keys.is_empty() && self.sources.is_empty() && !is_told {
            self.wrong(
                "there is no key; give one, `rs256_pem` for example, or a `jwks_url`".to_owned(),
            );
        }
        if self.sources.len() > 1 {
            self.wrong(
                "there are several sources of keys, and one is taken: a URL or a `KeySource`"
                    .to_owned(),
            );
        }
        let several = self.keys.len() > 1 || !(self.keys.is_empty() || self.sources.is_empty());
        if several && self.keys.iter().any(|key| key.kid().is_none()) {
            self.wrong(
                "there are several keys, and one has no name; name each by `kid`".to_owned(),
            );
        }
        let mut kids: Vec<_> = self.keys.iter().filter_map(Key::kid).collect();
        kids.sort_unstable();
        let twice = kids.windows(2).find(|pair| pair.first() == pair.last());
        if let Some(kid) = twice.and_then(|pair| pair.first()) {
            let problem = format!("two keys have the kid `{kid}`");
            self.wrong(problem);
        }
    }

    fn check_rules(&mut self) {
        let rules = &self.rules;
        let mut names = rules.issuers.iter().chain(&rules.audiences);
        let mut own = self.keys.iter().filter_map(Key::issuer);
        if names.any(String::is_empty) || own.any(str::is_empty) {
            self.wrong("an issuer or an audience is empty; is a variable not set?".to_owned());
        }
    }

    /// An issuer that has keys of its own has no others.
    fn check_issuers(&mut self) {
        let named = &self.rules.issuers;
        let owners: Vec<_> = self.keys.iter().filter_map(Key::issuer).collect();
        let is_shared = !self.sources.is_empty() || owners.len() < self.keys.len();
        let both = owners
            .iter()
            .find(|owner| named.iter().any(|issuer| issuer == *owner));
        let problem = match (both, owners.first()) {
            (Some(both), _) => format!(
                "the issuer `{both}` has a key of its own, and is named for all keys; remove one of the two"
            ),
            (None, Some(owner)) if is_shared && named.is_empty() => format!(
                "the issuer `{owner}` has a key of its own, and the other keys are for any issuer; name \
                 theirs by `issuer`"
            ),
            _ => return,
        };
        self.wrong(problem);
    }

    fn source(&mut self) -> Option<Box<dyn AnySource>> {
        let ca = self.ca.take();
        match self.sources.pop() {
            Some(Source::Url(url)) => match JwksUrl::new(&url, ca.as_deref(), self.in_plaintext) {
                Ok(url) => return Some(Box::new(url)),
                Err(problem) => self.wrong(problem),
            },
            source => {
                if ca.is_some() {
                    self.wrong("there is a CA for a JWKS URL, and no such URL".to_owned());
                }
                if let Some(Source::Other(source)) = source {
                    return Some(source);
                }
            }
        }
        None
    }

    fn key(mut self, what: &str, key: Result<Key, String>) -> Self {
        match key {
            Ok(key) => self.keys.push(key),
            Err(problem) => self.wrong(format!("a key for {what} can't be used: {problem}")),
        }
        self
    }

    fn wrong(&mut self, problem: String) {
        self.problems.push(problem);
    }
}

impl fmt::Debug for AuthBuilder {
    /// Shows no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder")
            .field("rules", &self.rules)
            .field("exclusions", &self.exclusions)
            .finish_non_exhaustive()
    }
}

/// What is wrong with an [`AuthBuilder`]: all of it, a line each. Its `Debug` is its `Display`: it is what a
/// `main` that returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthError(Vec<String>);

impl AuthError {
    /// Each problem, as a sentence without its full stop.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tokens can't be verified so:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl Error for AuthError {}
