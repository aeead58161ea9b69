//! A server with all five interceptors on, for peers of other libraries, and what the interceptors say.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use apibase::{
    Admin, Auth, AuthBuilder, Context, DomainError, ErrorPolicy, Interceptors, Metrics, Principal,
    Server, Streamed,
};
use apibase_tests::guarded::guarded::Thing;
use apibase_tests::guarded::guarded::api::{VaultServiceServer, VaultServicer};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde_json::json;

use crate::common::Running;
use crate::logged::{Lines, logged};
use crate::spans::{Spans, recorded};
use crate::tokens::{AUDIENCE, Clock, ISSUER, Issuer, Signer, claims_with};

/// A trace that has begun elsewhere, and the span there that calls are made in.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const SPAN: &str = "00f067aa0ba902b7";

/// Whom the tokens are of.
pub(crate) const SUBJECT: &str = "alice";

/// A server of the vault, and what its interceptors say.
pub(crate) struct Five {
    pub(crate) server: Running,
    pub(crate) metrics: Metrics,
    pub(crate) lines: Lines,
    pub(crate) spans: Spans,
    signer: Signer,
    _provider: SdkTracerProvider,
}

impl Five {
    /// Its keys are those that an issuer publishes, by RS256; `settings` says more of who is let in.
    pub(crate) async fn start(settings: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let signer = Signer::rs256("1");
        let auth = Auth::jwt()
            .keys_from(Issuer::new(&[&signer]))
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .clock(Clock::default().read());
        let metrics = Metrics::new();
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        let (tracing, spans, provider) = recorded(sampler);
        let (logging, lines) = logged();
        // In another order than they stand in.
        let chain = Interceptors::standard()
            .with_auth(settings(auth).build().unwrap())
            .with_logging(logging)
            .with_tracing(tracing)
            .with_metrics(&metrics)
            .with_errors(ErrorPolicy::default());
        let server = Server::new()
            .admin(Admin::new().port(0))
            .interceptors(chain)
            .add_servicer(VaultServiceServer::new(Vault));
        Self {
            server: Running::of(server).await,
            metrics,
            lines,
            spans,
            signer,
            _provider: provider,
        }
    }

    /// A token that the server takes, with these scopes.
    pub(crate) fn token(&self, scopes: &str) -> String {
        let claims = claims_with("scope", json!(scopes));
        self.signer.token(&claims)
    }

    /// The same, signed by somebody else.
    pub(crate) fn forged(&self) -> String {
        let forger = Signer::other_rs256(self.signer.kid);
        forger.token(&claims_with("scope", json!("")))
    }
}

/// Says what is known of the call: its subject, its trace and its correlation id.
#[derive(Debug)]
struct Vault;

fn known(ctx: &Context) -> Thing {
    let subject = ctx.principal().and_then(Principal::subject);
    let known = [subject, ctx.trace_id(), ctx.correlation_id()];
    Thing {
        name: known.map(|known| known.unwrap_or("-")).join(" "),
    }
}

impl VaultServicer for Vault {
    async fn look(&self, ctx: &Context, _: Thing) -> Result<Thing, DomainError> {
        Ok(known(ctx))
    }

    async fn take(&self, ctx: &Context, _: Thing) -> Result<Thing, DomainError> {
        Ok(known(ctx))
    }

    async fn knock(
        &self,
        ctx: &Context,
        _: Thing,
    ) -> Result<Streamed<Thing, DomainError>, DomainError> {
        Ok(Streamed::from_iter([Ok(known(ctx)), Ok(known(ctx))]))
    }
}
