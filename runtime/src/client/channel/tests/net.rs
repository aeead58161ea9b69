//! [`Net`]: hosts by name, each with what becomes of who connects to it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

use super::links::{Cut, Link};
use super::server::Draw;
pub(super) use super::server::{Answers, Server, Trouble};
use crate::client::channel::{Connecting, Connector, IoStream};

/// A network in memory. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Net(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    hosts: HashMap<String, Host>,
    links: HashMap<String, Link>,
    dials: Vec<(Instant, String)>,
}

/// What becomes of who connects.
#[derive(Clone)]
pub(super) enum Host {
    Refuses,
    /// Connecting never ends.
    Hangs,
    /// Connected to, and says nothing.
    Mute,
    /// Closes at once.
    Closes,
    /// Sends its settings, and closes.
    ClosesSettled,
    Serves(Server),
}

impl Net {
    /// Whoever connects to `name` finds this from now on.
    pub(super) fn put(&self, name: &str, host: Host) {
        let mut state = self.0.lock().unwrap();
        state.hosts.insert(name.to_owned(), host);
    }

    /// A server of this name.
    pub(super) fn serve(&self, name: &str, answers: Answers) -> Server {
        self.serve_at_once(name, answers, None)
    }

    /// The same, of so many calls on a connection at once.
    pub(super) fn serve_at_once(&self, name: &str, answers: Answers, max: Option<u32>) -> Server {
        self.start(name, Server::new(answers, max, None))
    }

    /// The same, of calls with which goes wrong what `draw` says.
    pub(super) fn serve_badly(&self, name: &str, answers: Answers, draw: Draw) -> Server {
        self.start(name, Server::new(answers, None, Some(draw)))
    }

    fn start(&self, name: &str, server: Server) -> Server {
        self.put(name, Host::Serves(server.clone()));
        server
    }

    /// From now on nothing gets across in these directions between clients and `name`, and nobody is
    /// told so.
    pub(super) fn cut(&self, name: &str, cut: Cut) {
        self.link(name).cut(cut);
    }

    /// Whatever is on its way to and from `name` arrives.
    pub(super) fn heal(&self, name: &str) {
        self.link(name).heal();
    }

    fn link(&self, name: &str) -> Link {
        let mut state = self.0.lock().unwrap();
        state.links.entry(name.to_owned()).or_default().clone()
    }

    /// When `name` was connected to, or tried to be.
    pub(super) fn dials(&self, name: &str) -> Vec<Instant> {
        let state = self.0.lock().unwrap();
        let dials = state.dials.iter().filter(|(_, dialled)| dialled == name);
        dials.map(|(at, _)| *at).collect()
    }

    async fn connect(self, name: String) -> io::Result<Box<dyn IoStream>> {
        let host = {
            let mut state = self.0.lock().unwrap();
            state.dials.push((Instant::now(), name.clone()));
            state.hosts.get(&name).cloned()
        };
        let (ours, mut theirs) = self.link(&name).connect().await?;
        match host {
            None | Some(Host::Refuses) => return Err(io::ErrorKind::ConnectionRefused.into()),
            Some(Host::Hangs) => std::future::pending().await,
            Some(Host::Mute) => {
                tokio::spawn(async move {
                    let _theirs = theirs;
                    std::future::pending::<()>().await;
                });
            }
            Some(Host::Closes) => {}
            Some(Host::ClosesSettled) => {
                let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                theirs.write_all(&settings).await.unwrap();
                tokio::spawn(async move {
                    sleep(Duration::from_millis(1)).await;
                    drop(theirs);
                });
            }
            Some(Host::Serves(server)) => {
                tokio::spawn(server.connection(theirs));
            }
        }
        Ok(Box::new(ours))
    }
}

impl Connector for Net {
    fn connect<'a>(&'a self, endpoint: &'a str) -> Connecting<'a> {
        Box::pin(self.clone().connect(endpoint.to_owned()))
    }
}
