//! Servers of a [`Scripted`]: on a port of the loopback, or in the process.

use std::net::{Ipv4Addr, SocketAddr};

use apibase::{ClientFactory, Interceptors, Over, Server, TowerService};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{EchoServiceClient, EchoServiceServer, RawClient, Scripted, soon};

/// A server that runs, on a port of its own.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    /// Where it has an admin port.
    pub(crate) admin: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<()>,
}

/// A client whose calls never leave the process: there are no sockets, so time can be virtual.
pub(crate) type InProcess = EchoServiceClient<Over<TowerService<EchoServiceServer<Scripted>>>>;

pub(crate) fn in_process(scripted: Scripted) -> InProcess {
    let server = EchoServiceServer::new(scripted);
    let service = server.into_service(Interceptors::none()).unwrap();
    EchoServiceClient::new(once().over("in process", service))
}

/// Makes clients that send each call once, whatever became of those before it: what most tests make fail
/// is to be seen as it is.
pub(crate) fn once() -> ClientFactory {
    ClientFactory::new().max_retries(0).no_circuit_breaker()
}

impl Running {
    /// Serves `scripted` with the defaults.
    pub(crate) async fn start(scripted: Scripted) -> Self {
        Self::with(scripted, |server| server).await
    }

    /// Serves `scripted` with what `settings` sets.
    pub(crate) async fn with(scripted: Scripted, settings: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::new().add_servicer(EchoServiceServer::new(scripted));
        Self::of(settings(server)).await
    }

    /// Serves `server` on a free port.
    pub(crate) async fn of(server: Server) -> Self {
        Self::on(server, 0).await
    }

    /// Serves `server` on this port.
    pub(crate) async fn on(server: Server, port: u16) -> Self {
        let bound = server.host(Ipv4Addr::LOCALHOST).port(port).bind().await;
        let bound = bound.unwrap();
        let (addr, admin) = (bound.local_addr(), bound.admin_addr());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(bound.serve_until(async move {
            if stopped.await.is_err() {
                // Nobody can stop it any more: it runs to the end of the test.
                std::future::pending::<()>().await;
            }
        }));
        Self {
            addr,
            admin,
            stop,
            serving,
        }
    }

    pub(crate) fn target(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A client with a connection of its own.
    pub(crate) async fn client(&self) -> EchoServiceClient {
        let channel = soon(once().connect(self.target())).await;
        EchoServiceClient::new(channel.unwrap())
    }

    /// A raw peer with a connection of its own.
    pub(crate) async fn raw(&self) -> RawClient {
        RawClient::connect(self.addr).await
    }

    /// Tells it to stop; what it gives back ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.serving
    }
}
