//! [`ClientView`]: what there is of a client now, for who looks at it from outside.

use std::sync::{Arc, Weak};

use super::breaker::BreakerState;
use super::channel::{Channel, WeakChannel};
use super::transport::Transport as _;
use super::upstream::Upstream;

/// Looks at a client, as long as somebody else keeps it.
#[derive(Clone, Debug)]
pub(crate) struct ClientView {
    upstream: Weak<Upstream>,
    /// None where the transport is somebody else's.
    channel: Option<WeakChannel>,
}

/// A client as it is now.
#[derive(Debug)]
pub(crate) struct ClientState {
    /// As in events: `http://items:50051`.
    pub(crate) target: Arc<str>,
    pub(crate) endpoints: Vec<EndpointState>,
    /// Of each method that has one, by its path.
    pub(crate) breakers: Vec<(&'static str, BreakerState)>,
}

/// An endpoint of a client's target as it is now.
#[derive(Debug)]
pub(crate) struct EndpointState {
    /// `10.0.0.7:50051`.
    pub(crate) name: Arc<str>,
    pub(crate) connections: usize,
    /// Whether it is left out for a while, since its calls fail.
    pub(crate) is_ejected: bool,
}

impl ClientView {
    pub(crate) fn of(channel: &Channel) -> Self {
        Self {
            upstream: channel.upstream().map(Arc::downgrade).unwrap_or_default(),
            channel: Some(channel.downgrade()),
        }
    }

    /// Of a client over somebody else's transport.
    pub(super) fn over(upstream: &Arc<Upstream>) -> Self {
        Self {
            upstream: Arc::downgrade(upstream),
            channel: None,
        }
    }

    /// Whether there still is one.
    pub(crate) fn is_open(&self) -> bool {
        self.upstream.strong_count() > 0
    }

    /// What it is like; `None` once nobody has it any more.
    pub(crate) fn state(&self) -> Option<ClientState> {
        let upstream = self.upstream.upgrade()?;
        let channel = self.channel.as_ref().and_then(WeakChannel::upgrade);
        Some(ClientState {
            target: Arc::clone(upstream.target()),
            endpoints: channel.map_or_else(Vec::new, |channel| channel.endpoints()),
            breakers: upstream.breakers(),
        })
    }
}
