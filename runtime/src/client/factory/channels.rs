//! [`Channels`]: the channels of a factory that are still used.

use std::sync::{Mutex, PoisonError};

use crate::client::channel::{Channel, WeakChannel};
use crate::client::target::{ConnectError, Target};
#[cfg(feature = "admin")]
use crate::client::view::ClientView;

/// The channels of a factory that are still used. It holds none of them open, and forgets those that are
/// closed with the next one that is opened: there are never more than were open at once, and one.
#[derive(Default)]
pub(super) struct Channels(Mutex<Vec<(Target, WeakChannel)>>);

impl Channels {
    /// The one to this target, or what `open` makes.
    pub(super) fn get_or_open(
        &self,
        target: &Target,
        open: impl FnOnce() -> Result<Channel, ConnectError>,
    ) -> Result<Channel, ConnectError> {
        // Held while one is opened, which waits for nothing, so that two callers get the same one.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(other, _)| other == target);
        if let Some(channel) = found.and_then(|(_, channel)| channel.upgrade()) {
            return Ok(channel);
        }
        let channel = open()?;
        known.retain(|(_, channel)| channel.is_open());
        known.push((target.clone(), channel.downgrade()));
        Ok(channel)
    }

    /// Those that are open now.
    #[cfg(feature = "admin")]
    pub(super) fn views(&self) -> Vec<ClientView> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = known.iter().filter_map(|(_, channel)| channel.upgrade());
        open.map(|channel| ClientView::of(&channel)).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
