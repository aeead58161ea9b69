//! When a call is to be cancelled.

use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::connectrpc::conformance::v1::client_compat_request::Cancel;
use crate::connectrpc::conformance::v1::client_compat_request::cancel::CancelTiming;

/// When a call is to be cancelled, if at all. Our clients cancel a call by dropping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    /// Rather than ending the requests.
    BeforeClose,
    /// So long after the requests have ended.
    AfterClose(Duration),
    /// When so many replies have come.
    Replies(usize),
}

impl When {
    pub(crate) fn of(cancel: Option<Cancel>) -> Result<Self, std::num::TryFromIntError> {
        let after =
            |milliseconds: u32| Self::AfterClose(Duration::from_millis(milliseconds.into()));
        Ok(match cancel.map(|cancel| cancel.cancel_timing) {
            None => Self::Never,
            Some(None) => after(0),
            Some(Some(CancelTiming::BeforeCloseSend(()))) => Self::BeforeClose,
            Some(Some(CancelTiming::AfterCloseSendMs(milliseconds))) => after(milliseconds),
            Some(Some(CancelTiming::AfterNumResponses(replies))) => {
                Self::Replies(replies.try_into()?)
            }
        })
    }

    /// Returns when it is time to cancel a call whose requests have just ended, and never otherwise.
    pub(crate) async fn after_close(self) {
        match self {
            Self::AfterClose(time) => sleep(time).await,
            Self::Never | Self::BeforeClose | Self::Replies(_) => pending().await,
        }
    }
}
