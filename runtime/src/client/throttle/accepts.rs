//! [`Accepts`]: how many requests there were in the last two minutes, and how many of them the target
//! accepted.

use super::sync::{AtomicU64, Ordering};

/// How long a part of the window is, in seconds.
pub(crate) const PART: u64 = 10;

/// In how many parts the window moves on.
const PARTS: u64 = 12;

/// The requests of the last two minutes, counted in a ring of ten seconds each: what is older is
/// forgotten, part by part.
///
/// A part is one word, so that requests and those accepted are always of the same part, and a part
/// begins anew with the first request that it counts. Nobody waits for anybody.
#[derive(Debug)]
pub(crate) struct Accepts {
    parts: [AtomicU64; PARTS as usize],
}

/// How many requests there were, and how many of them the target accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u32,
    pub(crate) accepts: u32,
}

/// What one part of the window has counted.
#[derive(Clone, Copy)]
struct Part {
    /// Which part, counted from the beginning of time; the same number comes again after 121 days.
    tick: u64,
    counts: Counts,
}

impl Accepts {
    pub(crate) fn new() -> Self {
        Self {
            parts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// A request of the part `tick` that the target has accepted, or not.
    pub(crate) fn record(&self, tick: u64, accepted: bool) {
        let at = usize::try_from(tick % PARTS).unwrap_or_default();
        let Some(part) = self.parts.get(at) else {
            return;
        };
        // The counts are all that is shared, so no order with other memory is needed.
        let mut now = part.load(Ordering::Relaxed);
        while let Some(next) = Part::unpack(now).with(tick, accepted) {
            let next = next.pack();
            match part.compare_exchange_weak(now, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// What there was until the part `tick`, with it.
    pub(crate) fn counts(&self, tick: u64) -> Counts {
        self.parts
            .iter()
            .map(|part| Part::unpack(part.load(Ordering::Relaxed)))
            .filter(|part| part.is_within(tick))
            .fold(Counts::default(), |sum, part| Counts {
                requests: sum.requests + part.counts.requests,
                accepts: sum.accepts + part.counts.accepts,
            })
    }
}

impl Counts {
    /// How likely the next request is to be refused here, from 0 to 1, where `multiplier` times as many
    /// may be sent as are accepted.
    pub(crate) fn chance_of_refusal(self, multiplier: f64) -> f64 {
        let (requests, accepts) = (f64::from(self.requests), f64::from(self.accepts));
        ((requests - multiplier * accepts) / (requests + 1.0)).max(0.0)
    }
}

impl Part {
    const COUNT_BITS: u32 = 22;
    const COUNT_MASK: u64 = (1 << Self::COUNT_BITS) - 1;
    const TICK_SHIFT: u32 = 2 * Self::COUNT_BITS;
    const TICK_MASK: u64 = u64::MAX >> Self::TICK_SHIFT;

    /// With one request more, of the part `tick`; None where there is nothing to count.
    fn with(self, tick: u64, accepted: bool) -> Option<Self> {
        let counts = match self.tick.wrapping_sub(tick) & Self::TICK_MASK {
            // It was never begun.
            _ if self.counts.requests == 0 => Counts::default(),
            // 400,000 requests in a second are full, and those that are counted stand for the others.
            0 if u64::from(self.counts.requests) == Self::COUNT_MASK => return None,
            0 => self.counts,
            // Who read the clock a lap ago must not bring back a part that is over.
            1..=PARTS => return None,
            _ => Counts::default(),
        };
        Some(Self {
            tick: tick & Self::TICK_MASK,
            counts: Counts {
                requests: counts.requests + 1,
                accepts: counts.accepts + u32::from(accepted),
            },
        })
    }

    /// Whether it is one of the last parts. Another thread's clock may have been read a moment later:
    /// the part that comes next counts, too.
    fn is_within(self, tick: u64) -> bool {
        tick.wrapping_add(1).wrapping_sub(self.tick) & Self::TICK_MASK <= PARTS
    }

    fn pack(self) -> u64 {
        let (requests, accepts) = (self.counts.requests, self.counts.accepts);
        self.tick << Self::TICK_SHIFT | u64::from(requests) << Self::COUNT_BITS | u64::from(accepts)
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "they are masked to 22 bits"
    )]
    fn unpack(packed: u64) -> Self {
        Self {
            tick: packed >> Self::TICK_SHIFT,
            counts: Counts {
                requests: (packed >> Self::COUNT_BITS & Self::COUNT_MASK) as u32,
                accepts: (packed & Self::COUNT_MASK) as u32,
            },
        }
    }
}
