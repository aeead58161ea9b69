//! [`Balance`]: how calls are spread.

/// How a [`Channel`](crate::Channel) spreads calls over the endpoints of its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Balance {
    /// Each in its turn: any n calls one after the other go to n different endpoints.
    #[default]
    RoundRobin,
    /// All to one, and to the next when that is lost.
    PickFirst,
    /// To the one that would answer first, by how long it took of late and how many calls run there
    /// (peak EWMA).
    LeastLoaded,
}
