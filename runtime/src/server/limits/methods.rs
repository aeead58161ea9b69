//! [`MethodLimits`]: what holds for the calls of one method, and how it is set.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::key::RateKey;
use super::keys::Caller;
use super::places::{Places, Taken};
use super::rate::{Limiter, SWEEP};
use crate::server::accept::Refused;
use crate::server::error::ServerError;
use crate::server::settings::Server;
use crate::settings::nearest;
use crate::{Context, Method, RateLimit};

impl Server {
    /// Takes at most this many calls of the method at this path, `/package.Service/Method`, at once;
    /// one more is answered with `RESOURCE_EXHAUSTED` at once. A call counts until its last trailer.
    /// Default: as many as the server takes.
    ///
    /// A server doesn't start with a limit for a method that none of its services has.
    #[must_use]
    pub fn max_concurrent_rpcs_of(mut self, path: &str, max: usize) -> Self {
        self.by_method.concurrent.insert(path.to_owned(), max);
        self
    }

    /// Takes calls of the method at this path, `/package.Service/Method`, this often of each caller;
    /// one more is answered with `RESOURCE_EXHAUSTED` at once, and told how long to wait. Default: what
    /// the proto says in its `rate_limit`, in place of which this is.
    ///
    /// A caller is an IP address, and in IPv6 a network of 64 bits, unless
    /// [`rate_limit_key`](Self::rate_limit_key) says otherwise. All who come over a Unix socket are one,
    /// and so are all behind one proxy or sidecar: give a key there. A limit tells 65,536 callers apart
    /// who have called lately; newcomers beyond share the place of one.
    ///
    /// A server doesn't start with a limit for a method that none of its services has, or one that
    /// can't be kept: of no calls, or in no time.
    #[must_use]
    pub fn rate_limit_of(mut self, path: &str, limit: RateLimit) -> Self {
        self.by_method.rates.insert(path.to_owned(), limit);
        self
    }

    /// Limits the rates of whoever `key` gives in place of addresses: the same key is the same caller.
    /// Goes before that of the [`Interceptors`](crate::Interceptors::with_rate_limit_key), where it is
    /// explained.
    #[must_use]
    pub fn rate_limit_key<K: Hash>(
        mut self,
        key: impl Fn(&Context) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        self.by_method.key = Some(RateKey::new(key));
        self
    }
}

/// What code sets for methods, by their paths.
#[derive(Debug, Default)]
pub(in crate::server) struct ByMethod {
    concurrent: BTreeMap<String, usize>,
    rates: BTreeMap<String, RateLimit>,
    pub(in crate::server) key: Option<RateKey>,
}

impl ByMethod {
    /// Whether every path is one of `methods`.
    pub(in crate::server) fn check(&self, methods: &[&'static Method]) -> Result<(), ServerError> {
        for path in self.concurrent.keys().chain(self.rates.keys()) {
            if !methods.iter().any(|method| method.path() == path) {
                let near = nearest(path, methods.iter().map(|method| method.path()));
                return Err(ServerError::unknown_method(path, near));
            }
        }
        Ok(())
    }

    /// What holds for `method`.
    pub(in crate::server) fn of(
        &self,
        method: &'static Method,
        key: Option<&RateKey>,
    ) -> Result<MethodLimits, ServerError> {
        let places = self.concurrent.get(method.path());
        let rate = self.rates.get(method.path()).copied();
        let rate = rate.or(method.limited_to()).map(|limit| {
            let limiter = Limiter::new(limit, key.cloned());
            limiter.map_err(|problem| ServerError::rate_limit(method, problem))
        });
        Ok(MethodLimits {
            places: places.map(|max| Places::new(*max)),
            rate: rate.transpose()?.map(Arc::new),
        })
    }
}

/// What holds for the calls of one method.
#[derive(Debug, Default)]
pub(in crate::server) struct MethodLimits {
    places: Option<Arc<Places>>,
    rate: Option<Arc<Limiter>>,
}

/// What bounds the calls of a method beside its own limits.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Around<'a> {
    pub(in crate::server) server: &'a Arc<Places>,
    pub(in crate::server) connection: Option<&'a Arc<Places>>,
}

/// The places of a call, until its body has ended or was dropped.
#[derive(Debug)]
pub(in crate::server) struct Permits {
    _places: [Option<Taken>; 3],
}

impl MethodLimits {
    /// A call's places, or why it has none.
    pub(in crate::server) fn admit(
        &self,
        call: &Context,
        method: &'static Method,
        around: Option<Around<'_>>,
    ) -> Result<Permits, Refused> {
        let server = around.map(|around| around.server);
        let connection = around.and_then(|around| around.connection);
        let take = |places: Option<&Arc<Places>>, whose: &str| match places {
            None => Ok(None),
            Some(places) => match places.take() {
                Some(taken) => Ok(Some(taken)),
                None => Err(Refused::overloaded(method, whose, places.max(), call)),
            },
        };
        let places = [
            take(server, "the server")?,
            take(connection, "the connection")?,
            take(self.places.as_ref(), "the method")?,
        ];
        Ok(Permits { _places: places })
    }

    /// Counts a call that has its places, since what finds none has not used anything up; or says why it
    /// is refused.
    pub(in crate::server) fn count(
        &self,
        call: &Context,
        method: &'static Method,
    ) -> Result<(), Refused> {
        match &self.rate {
            Some(rate) => rate.admit(call, method),
            None => Ok(()),
        }
    }

    /// The places of the method's own, where it has a limit.
    #[cfg(feature = "admin")]
    pub(in crate::server) fn places(&self) -> Option<&Arc<Places>> {
        self.places.as_ref()
    }

    pub(in crate::server) fn rate(&self) -> Option<&Arc<Limiter>> {
        self.rate.as_ref()
    }
}

impl Limiter {
    /// Counts a call, or says why it is refused.
    pub(in crate::server) fn admit(
        &self,
        call: &Context,
        method: &'static Method,
    ) -> Result<(), Refused> {
        self.count(Caller::of(call, self.key()))
            .map_err(|wait| Refused::rate_limited(method, self.limit(), wait, call))
    }
}

/// Forgets the callers whose calls are all back, now and then, for ever.
pub(in crate::server) async fn sweep(limiters: Vec<Arc<Limiter>>) {
    loop {
        sleep(SWEEP).await;
        for limiter in &limiters {
            limiter.sweep();
        }
    }
}

/// How long who finds no place is told to wait: about as long as a call takes, so that there is one
/// then, and give or take a half, so that those who were refused together don't come back together.
pub(in crate::server) fn overload_pause() -> Duration {
    Duration::from_millis(fastrand::u64(50..=150))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interceptors;

    static METHOD: Method = Method::unary("/t.T/T");

    fn limits(places: usize) -> MethodLimits {
        let mut by_method = ByMethod::default();
        by_method.concurrent.insert("/t.T/T".to_owned(), places);
        by_method.of(&METHOD, None).unwrap()
    }

    fn why(refused: Refused) -> String {
        let response = refused.respond(&Interceptors::none());
        let message = response.headers().get("grpc-message").unwrap();
        message.to_str().unwrap().to_owned()
    }

    #[test]
    fn who_is_refused_by_one_limit_holds_no_place_of_another() {
        let call = Context::background();
        let (server, connection) = (Places::new(1), Places::new(1));
        let around = Some(Around {
            server: &server,
            connection: Some(&connection),
        });
        for _ in 0..3 {
            let refused = limits(0).admit(&call, &METHOD, around).unwrap_err();
            assert!(why(refused).contains("method"));
        }
        let taken = connection.take().unwrap();
        let refused = limits(1).admit(&call, &METHOD, around).unwrap_err();
        assert!(why(refused).contains("connection"));
        drop(taken);

        let method = limits(1);
        let permits = method.admit(&call, &METHOD, around).unwrap();
        assert!(server.take().is_none() && connection.take().is_none());
        drop(permits);
        method.admit(&call, &METHOD, around).unwrap();
    }

    #[test]
    fn what_the_server_does_not_limit_has_the_methods_own_limits() {
        let (method, call) = (limits(1), Context::background());
        let permits = method.admit(&call, &METHOD, None).unwrap();
        assert!(method.admit(&call, &METHOD, None).is_err());
        drop(permits);
        method.admit(&call, &METHOD, None).unwrap();
    }
}
