//! A server's [`Admin`]: what it shows of the server, and the port that it has.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::address::Address;
use super::connection::Shared;
use super::error::ServerError;
use super::listen::{BoundServer, Stopping};
use super::settings::Server;
use crate::Admin;
use crate::admin::{AdminPort, Board, Desk, Facts, Gauge, Program, Rate, StageName, Tally};
use crate::settings::{EffectiveSettings, SettingOrigin};

/// What is known of a server's admin before it listens.
pub(super) struct Planned {
    admin: Admin,
    settings: EffectiveSettings,
    tally: Option<Arc<Tally>>,
    /// Where its port is to be, if it has one.
    port: Option<SocketAddr>,
}

impl Server {
    /// Has this [`Admin`]: a port with a status page, answers for probes, and metrics. Default: one without
    /// clients where `GRPC__SERVER__ADMIN_PORT` is set, else none.
    ///
    /// What it says of its port, host and names goes before the settings. Where nobody says a port, there
    /// is none, and [`ServerHandle::status`](crate::ServerHandle::status) has what it would show.
    #[must_use]
    pub fn admin(mut self, admin: Admin) -> Self {
        let settings = &mut self.settings;
        if let Some(port) = admin.port {
            settings.admin_port.set(Some(port));
        }
        if let Some(host) = admin.host {
            settings.admin_host.set(host);
        }
        if !admin.names.is_empty() {
            settings.admin_names.set(Some(admin.names.clone()));
        }
        self.admin = Some(admin);
        self
    }

    /// Before routes are made: where there is an admin, it hears of what is refused.
    pub(super) fn plan_admin(&mut self) -> Planned {
        let host = *self.settings.admin_host.get();
        let port = *self.settings.admin_port.get();
        let is_wanted = port.is_some() || self.admin.is_some();
        if port.is_none() && self.settings.admin_host.origin() != SettingOrigin::Default {
            tracing::warn!("there is no admin port: ADMIN_HOST is set, and ADMIN_PORT is not");
        }
        let mut admin = self.admin.take().unwrap_or_default();
        admin.names = self.settings.admin_names.get().clone().unwrap_or_default();
        #[cfg(feature = "prometheus")]
        if admin.metrics.is_none() {
            admin.metrics = self.chain.metrics();
        }
        let tally = is_wanted.then(|| Arc::new(Tally::new()));
        if let Some(tally) = &tally {
            let chain = std::mem::take(&mut self.chain);
            self.chain = chain.with_observer(Arc::clone(tally) as _);
        }
        Planned {
            admin,
            settings: self.describe(),
            tally,
            port: port.map(|port| SocketAddr::new(host, port)),
        }
    }
}

impl Planned {
    /// What there is to see of the server.
    pub(super) fn board(
        &mut self,
        address: &Address,
        shared: &Shared,
        stopping: &Stopping,
    ) -> Arc<Board> {
        let places = Arc::clone(&shared.places);
        let mut gauges = vec![Gauge {
            method: None,
            max: places.max(),
            used: Box::new(move || places.taken()),
        }];
        let mut rates = Vec::new();
        for route in shared.routes.values() {
            let method = route.method;
            if let Some(places) = route.limits.places().map(Arc::clone) {
                gauges.push(Gauge {
                    method: Some(method),
                    max: places.max(),
                    used: Box::new(move || places.taken()),
                });
            }
            if let Some(limiter) = route.limits.rate().map(Arc::clone) {
                rates.push(Rate {
                    method,
                    limit: limiter.limit(),
                    callers: Box::new(move || limiter.callers()),
                });
            }
        }
        gauges.sort_by_key(|gauge| gauge.method.map(crate::Method::path));
        rates.sort_by_key(|rate| rate.method.path());
        let connections = shared.limits.connections;
        Arc::new(Board::new(Facts {
            program: self.admin.program.take().unwrap_or_else(Program::of_file),
            address: address.clone(),
            in_flight: Arc::clone(&shared.in_flight),
            health: stopping.health.clone(),
            gauges,
            rates,
            max_connections: (connections < usize::MAX).then_some(connections),
            tally: self.tally.clone(),
            settings: self.settings.clone(),
            clients: std::mem::take(&mut self.admin.clients),
            grace: stopping.grace,
        }))
    }

    /// Listens, where there is a port to listen at.
    pub(super) async fn listen(self, board: &Arc<Board>) -> Result<Option<AdminPort>, ServerError> {
        let Some(address) = self.port else {
            return Ok(None);
        };
        let desk = Desk {
            board: Arc::clone(board),
            names: self.admin.names,
            #[cfg(feature = "prometheus")]
            metrics: self.admin.metrics,
        };
        match AdminPort::bind(address, desk).await {
            Ok(port) => Ok(Some(port)),
            Err(error) => Err(ServerError::admin(Address::Tcp(address), error)),
        }
    }
}

/// The admin port of a server that runs. It ends when this is dropped.
pub(super) struct Watch(Option<AbortOnDropHandle<()>>);

impl Watch {
    /// The server serves from now on.
    pub(super) fn begin(port: Option<AdminPort>, board: &Board) -> Self {
        board.enter(StageName::Serving);
        Self(port.map(|port| {
            tracing::info!(addr = %port.address(), "the admin port is open");
            AbortOnDropHandle::new(tokio::spawn(port.run()))
        }))
    }

    /// Closes the port: when this is over, somebody else can have it.
    pub(super) async fn end(self) {
        if let Some(running) = self.0 {
            running.abort();
            let _ = running.await;
        }
    }
}

impl BoundServer {
    /// The address of its admin port, the real one where 0 was asked for; `None` where it has none.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminPort::address)
    }
}
