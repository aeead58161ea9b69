//! Channels of a factory over TLS: whom they trust and who they are, by code and by settings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod authority;
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use apibase::{ClientFactory, ClientTls, Context, Credentials, Server, SettingOrigin, Tls};
use authority::{Authority, Issued};
use common::{EchoServiceClient, Running, Scripted, ask, reply, soon};
use rcgen::SanType;

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("apibase-factory-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The path of a file in it that has this text.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server with a certificate of `authority` that answers with the token that came, and whose clients
/// need a certificate of it too if `mutual`.
async fn serving(authority: &Authority, mutual: bool) -> Running {
    let Issued { chain, key } = authority.server();
    let mut tls = Tls::from_pem(chain, key);
    if mutual {
        tls = tls.client_ca_pem(authority.pem());
    }
    let echo = Scripted::new().on_echo(|ctx, _| async move {
        let metadata = ctx.metadata();
        let value = metadata.get("authorization").map(|value| value.to_str());
        Ok(reply(0, value.transpose().unwrap().unwrap_or("none")))
    });
    Running::with(echo, |server: Server| server.tls(tls)).await
}

/// What the server at `localhost` answers.
async fn answer(factory: &ClientFactory, running: &Running) -> Result<Vec<u8>, String> {
    let target = format!("localhost:{}", running.addr.port());
    let channel = soon(factory.connect(target)).await;
    let client = EchoServiceClient::new(channel.map_err(|error| error.to_string())?);
    let answer = soon(client.echo(&Context::background(), ask(""))).await;
    answer
        .map(|reply| reply.payload)
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_bare_target_is_tls_and_a_token_goes_over_it() {
    let authority = Authority::new("CA");
    let running = serving(&authority, false).await;
    let factory = ClientFactory::new()
        .tls(ClientTls::new().ca_pem(authority.pem()))
        .credentials(Credentials::token("hunter2"));
    let answer = answer(&factory, &running).await;
    assert_eq!(answer.unwrap(), b"Bearer hunter2");
}

#[tokio::test]
async fn each_server_of_a_list_shows_a_certificate_of_its_own() {
    let authority = Authority::new("CA");
    let serving = async |name: SanType, number| {
        let Issued { chain, key } = authority.issue(|params| params.subject_alt_names = vec![name]);
        let echo = Scripted::new().on_echo(move |_, _| async move { Ok(reply(number, "")) });
        let tls = Tls::from_pem(chain, key);
        Running::with(echo, |server: Server| server.tls(tls)).await
    };
    let named = SanType::DnsName("localhost".try_into().unwrap());
    let one = serving(named, 1).await;
    let other = serving(SanType::IpAddress([127, 0, 0, 1].into()), 2).await;
    let target = format!("localhost:{},{}", one.addr.port(), other.addr);
    let factory = ClientFactory::new().tls(ClientTls::new().ca_pem(authority.pem()));
    let channel = soon(factory.connect(target)).await.unwrap();
    let client = EchoServiceClient::new(channel);
    let mut seen = BTreeSet::new();
    soon(async {
        while seen.len() < 2 {
            let reply = client.echo(&Context::background(), ask("")).await;
            seen.insert(reply.unwrap().number);
        }
    })
    .await;
}

#[tokio::test]
async fn the_settings_say_whom_a_client_trusts_and_who_it_is() {
    let authority = Authority::new("CA");
    let running = serving(&authority, true).await;
    let folder = Folder::new("mutual");
    let own = authority.server();
    let ca = folder.file("ca.crt", &authority.pem());
    let chain = folder.file("tls.crt", &own.chain);
    let key = folder.file("tls.key", &own.key);
    let trusting = [("GRPC__CLIENT__TLS_CA_FILE", ca.as_str())];
    let known = [
        ("GRPC__CLIENT__TLS_CERT_FILE", chain.as_str()),
        ("GRPC__CLIENT__TLS_KEY_FILE", key.as_str()),
    ];
    let factory = ClientFactory::from_variables(trusting.into_iter().chain(known)).unwrap();
    assert_eq!(answer(&factory, &running).await.unwrap(), b"none");
    // Without a certificate it isn't let in.
    let stranger = ClientFactory::from_variables(trusting).unwrap();
    assert!(answer(&stranger, &running).await.is_err());
    // What code says is in place of all of that.
    let described = factory.tls(ClientTls::new()).describe();
    let setting = described.get("tls_ca_file").unwrap();
    assert_eq!(
        (setting.value(), setting.origin()),
        (None, SettingOrigin::Code)
    );
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_connected_to() {
    let running = serving(&Authority::new("theirs"), false).await;
    let ours = Authority::new("ours");
    let factory = ClientFactory::new().tls(ClientTls::new().ca_pem(ours.pem()));
    let refused = answer(&factory, &running).await.unwrap_err();
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");
}
