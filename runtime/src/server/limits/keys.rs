//! [`Keys`]: what a rate limiter remembers of its callers, within a bound.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use tokio::time::Instant;

use super::key::RateKey;
use crate::Context;
use crate::context::Peer;

/// How many callers a limiter tells apart: about 3 MiB.
pub(super) const MOST: usize = 1 << 16;

/// Below this many, nobody looks for those that can be forgotten, but for the server's own sweep.
const FEW: usize = 1024;

/// How often a full table is looked through.
const PAUSE: Duration = Duration::from_secs(1);

/// Who calls, as far as rate limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) enum Caller {
    /// The hash of what the user's function gave.
    Named(u64),
    V4([u8; 4]),
    /// The first 64 bits: the others are each host's own to choose.
    V6([u16; 4]),
    /// All who come without an address: over Unix sockets, and where a service is mounted.
    Unknown,
}

impl Caller {
    pub(in crate::server) fn of(call: &Context, key: Option<&RateKey>) -> Self {
        if let Some(key) = key.and_then(|key| key.of(call)) {
            return Self::Named(key);
        }
        match call.peer().and_then(Peer::ip) {
            Some(IpAddr::V4(ip)) => Self::V4(ip.octets()),
            Some(IpAddr::V6(ip)) => Self::v6(ip),
            None => Self::Unknown,
        }
    }

    fn v6(ip: Ipv6Addr) -> Self {
        match ip.to_ipv4_mapped() {
            Some(ip) => Self::V4(ip.octets()),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// For each caller, when what it has used up is all back again. Clones are the same.
///
/// There are never more callers in it than `max`. Those whose calls are all back are as good as
/// unknown, and are forgotten: by the server now and then, and before the table gets twice as large.
/// Where all `max` have calls out, newcomers share the place of one until one of those is forgotten.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    table: Arc<Mutex<Table>>,
    is_due: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Table {
    known: HashMap<Caller, Nanos>,
    /// The place of all for whom there is no other.
    rest: Option<Nanos>,
    max: usize,
    /// With so many known, it is time to look for those that can be forgotten.
    due_at: usize,
    swept: Instant,
}

impl Keys {
    pub(super) fn new(max: usize) -> Self {
        let table = Table {
            known: HashMap::new(),
            rest: None,
            max,
            due_at: FEW.min(max),
            swept: Instant::now(),
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            is_due: Arc::default(),
        }
    }

    /// Whether it is time to look for those that can be forgotten; once each time that it is.
    pub(super) fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed) && self.is_due.swap(false, Ordering::Relaxed)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Keys {
    type Key = Caller;

    fn measure_and_replace<T, F, E>(&self, caller: &Caller, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut table = self.table();
        if let Some(known) = table.known.get_mut(caller) {
            let (outcome, next) = decide(Some(*known))?;
            *known = next;
            return Ok(outcome);
        }
        if table.known.len() >= table.max {
            if table.swept.elapsed() >= PAUSE {
                self.is_due.store(true, Ordering::Relaxed);
            }
            let (outcome, next) = decide(table.rest)?;
            table.rest = Some(next);
            return Ok(outcome);
        }
        let (outcome, next) = decide(None)?;
        table.known.insert(*caller, next);
        if table.known.len() >= table.due_at {
            self.is_due.store(true, Ordering::Relaxed);
        }
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<Caller> for Keys {
    fn retain_recent(&self, before: Nanos) {
        let mut table = self.table();
        table.known.retain(|_, back| *back > before);
        let left = table.known.len();
        if table.known.capacity() > (left * 4).max(FEW) {
            table.known.shrink_to(left * 2);
        }
        table.due_at = (left * 2).max(FEW).min(table.max);
        table.swept = Instant::now();
    }

    fn len(&self) -> usize {
        self.table().known.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetadataMap, Method};

    fn caller(ip: &str) -> Caller {
        let peer = Peer::Tcp((ip.parse::<IpAddr>().unwrap(), 1).into());
        const METHOD: &Method = &Method::unary("/t.T/T");
        let call = Context::incoming(METHOD, Some(peer), MetadataMap::new(), None, None);
        Caller::of(&call, None)
    }

    #[test]
    fn hosts_of_one_network_are_one_caller_in_ipv6_and_not_in_ipv4() {
        assert_eq!(caller("2001:db8::1"), caller("2001:db8::ffff:2"));
        assert_ne!(caller("2001:db8::1"), caller("2001:db8:0:1::1"));
        assert_ne!(caller("10.0.0.1"), caller("10.0.0.2"));
        assert_eq!(caller("10.0.0.1"), caller("::ffff:10.0.0.1"));
    }

    #[test]
    fn who_has_no_address_is_one_caller_unless_the_key_says_more() {
        let nobody = Context::background();
        assert_eq!(Caller::of(&nobody, None), Caller::Unknown);
        let keys = ["a", "a", "b"].map(|name| Caller::of(&nobody, Some(&key(Some(name)))));
        assert!(keys.iter().all(|key| matches!(key, Caller::Named(_))));
        assert_eq!(Caller::of(&nobody, Some(&key(None))), Caller::Unknown);
    }

    fn key(name: Option<&'static str>) -> RateKey {
        RateKey::new(move |_| name)
    }
}
