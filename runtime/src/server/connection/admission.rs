//! [`Admission`]: how many connections there may be, in total and of one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::context::Peer;

/// Counts connections. The counts of peers are bounded by the count of all.
#[derive(Debug)]
pub(in crate::server) struct Admission {
    max: usize,
    max_per_peer: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Only those that have some. Peers without an address are not counted one by one.
    of_peers: HashMap<IpAddr, usize>,
}

/// A connection that is counted, until this is dropped.
#[derive(Debug)]
pub(in crate::server) struct Admitted {
    admission: Arc<Admission>,
    peer: Option<IpAddr>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Full {
    /// There are as many as there may be.
    All,
    /// The peer has as many as it may have.
    OfPeer,
}

impl Admission {
    pub(in crate::server) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_peer,
            open: Mutex::default(),
        })
    }

    pub(in crate::server) fn admit(self: &Arc<Self>, peer: &Peer) -> Result<Admitted, Full> {
        let peer = peer.ip();
        let mut open = self.open();
        if open.all >= self.max {
            return Err(Full::All);
        }
        if let Some(peer) = peer {
            let count = open.of_peers.entry(peer).or_default();
            if *count >= self.max_per_peer {
                // An entry that was just made has none, and nobody would remove it.
                if *count == 0 {
                    open.of_peers.remove(&peer);
                }
                return Err(Full::OfPeer);
            }
            *count += 1;
        }
        open.all += 1;
        drop(open);
        Ok(Admitted {
            admission: Arc::clone(self),
            peer,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.all -= 1;
        let Some(peer) = self.peer else { return };
        if let Some(count) = open.of_peers.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                open.of_peers.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::Tcp(([10, 0, 0, last], 4000).into())
    }

    #[test]
    fn who_leaves_makes_room() {
        let admission = Admission::new(2, 2);
        let first = admission.admit(&peer(1)).unwrap();
        let second = admission.admit(&peer(2)).unwrap();
        assert_eq!(admission.admit(&peer(3)).unwrap_err(), Full::All);
        drop(first);
        let third = admission.admit(&peer(3)).unwrap();
        drop((second, third));
        let open = admission.open();
        assert_eq!((open.all, open.of_peers.len()), (0, 0));
    }

    #[test]
    fn one_peer_does_not_take_all_places() {
        let admission = Admission::new(10, 2);
        let taken = [(); 2].map(|()| admission.admit(&peer(1)).unwrap());
        assert_eq!(admission.admit(&peer(1)).unwrap_err(), Full::OfPeer);
        admission.admit(&peer(2)).unwrap();
        drop(taken);
        admission.admit(&peer(1)).unwrap();
    }

    #[test]
    fn a_limit_of_none_leaves_nothing_behind() {
        let admission = Admission::new(10, 0);
        assert_eq!(admission.admit(&peer(1)).unwrap_err(), Full::OfPeer);
        assert!(admission.open().of_peers.is_empty());
    }
}
