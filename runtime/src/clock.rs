//! What time it is, for those who ask for each call.
//!
//! To look at the clock takes as long as to decode a header, and about ten places want to know the time of a
//! call. A connection's task has [`turns`](turn): in one of them, what need not be exact has the time of the
//! last look. What is measured looks again ([`now`]).

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// For so long it is reckoned what the wall clock says: who sets it is heard within a second.
const RECKONED: Duration = Duration::from_secs(1);

/// The last look of a thread.
#[derive(Clone, Copy)]
enum Look {
    /// There is no turn.
    Outside,
    /// There is one, in which nobody has looked.
    #[cfg(feature = "server")]
    Due,
    At(Instant),
}

thread_local! {
    static LOOK: Cell<Look> = const { Cell::new(Look::Outside) };
    /// What both clocks said at the same time.
    static BOTH: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// One turn of a task, until this is dropped. What waits in it goes on in another one.
#[cfg(feature = "server")]
#[must_use]
pub(crate) struct Turn(Look);

/// A turn begins.
#[cfg(feature = "server")]
pub(crate) fn turn() -> Turn {
    Turn(LOOK.replace(Look::Due))
}

#[cfg(feature = "server")]
impl Drop for Turn {
    fn drop(&mut self) {
        LOOK.set(self.0);
    }
}

/// Looks at the clock.
pub(crate) fn now() -> Instant {
    let now = Instant::now();
    // A thread that ends has no turn any more, and looks each time.
    let _ = LOOK.try_with(|look| {
        if !matches!(look.get(), Look::Outside) {
            look.set(Look::At(now));
        }
    });
    now
}

/// The time of the last look in this turn; outside of turns, looks.
pub(crate) fn recent() -> Instant {
    match LOOK.try_with(Cell::get) {
        Ok(Look::At(last)) => last,
        _ => now(),
    }
}

/// What the wall clock says at a time that is about now.
pub(crate) fn wall(at: Instant) -> SystemTime {
    if let Ok(Some((known, wall))) = BOTH.try_with(Cell::get)
        && let Some(later) = at.checked_duration_since(known)
        && later < RECKONED
        && let Some(wall) = wall.checked_add(later)
    {
        return wall;
    }
    let wall = SystemTime::now();
    let _ = BOTH.try_with(|known| known.set(Some((Instant::now(), wall))));
    wall
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const STEP: Duration = Duration::from_millis(3);

    #[cfg(feature = "server")]
    #[tokio::test(start_paused = true)]
    async fn in_a_turn_it_is_as_late_as_at_the_last_look() {
        let turn = turn();
        let first = recent();
        advance(STEP).await;
        assert_eq!(recent(), first);
        assert_eq!(now(), first + STEP);
        assert_eq!(recent(), first + STEP);
        drop(turn);
        advance(STEP).await;
        assert_eq!(recent(), first + STEP * 2);
    }

    #[cfg(feature = "server")]
    #[tokio::test(start_paused = true)]
    async fn a_turn_within_another_one_leaves_that_as_it_was() {
        let outer = turn();
        let first = now();
        advance(STEP).await;
        let inner = turn();
        assert_eq!(recent(), first + STEP);
        drop(inner);
        assert_eq!(recent(), first);
        drop(outer);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_is_reckoned_for_a_second_and_then_looked_at() {
        let start = now();
        let wall_at_start = wall(start);
        assert_eq!(wall(start + STEP), wall_at_start + STEP);
        // Time has been moved by hand, which the wall clock knows nothing of.
        advance(Duration::from_secs(3600)).await;
        assert!(wall(now()) < wall_at_start + Duration::from_secs(1800));
    }
}
