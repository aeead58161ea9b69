//! The messages of `grpc.health.v1`, by hand: the runtime has no generated code.

use std::collections::BTreeMap;

use prost::{Enumeration, Message};

use super::ServingStatus;

/// Asks for the health of one service; empty stands for the whole server.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

/// The health of one service.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct HealthCheckResponse {
    #[prost(enumeration = "WireStatus", tag = "1")]
    pub(super) status: i32,
}

/// Asks for the health of all services.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthListRequest {}

/// The health of all services, by their names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthListResponse {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) statuses: BTreeMap<String, HealthCheckResponse>,
}

/// `HealthCheckResponse.ServingStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(super) enum WireStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    /// Used by `Watch` only.
    ServiceUnknown = 3,
}

impl From<ServingStatus> for WireStatus {
    fn from(status: ServingStatus) -> Self {
        match status {
            ServingStatus::Serving => Self::Serving,
            ServingStatus::NotServing => Self::NotServing,
        }
    }
}

impl From<WireStatus> for HealthCheckResponse {
    fn from(status: WireStatus) -> Self {
        Self {
            status: status.into(),
        }
    }
}
