//! Who may call which method: as the proto says, as the server does, and what a servicer hears of who
//! calls.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;
mod tokens;

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use apibase::testing::InProcess;
use apibase::{
    Answer, Auth, AuthBuilder, CallOptions, ClientFactory, Code, Context, DomainError,
    InterceptedCall, Interceptor, Interceptors, Method, Next, Principal, RateLimit, Refusal,
    Server, Status, Streamed, TowerService,
};
use apibase_tests::guarded::guarded::Thing;
use apibase_tests::guarded::guarded::api::{
    VaultServiceClient, VaultServiceServer, VaultServicer, vault_service,
};
use common::{EchoServiceServer, Running, Scripted, Seen, ask, frame, post_to, recorder, reply};
use logged::logged;
use serde::Deserialize;
use serde_json::json;
use tokens::{AUDIENCE, Clock, ISSUER, NOW, Signer, bearer, call, claims, claims_with};

const SECRET: &[u8] = b"a secret of a test, which is long enough";
const LOOK: &str = "/guarded.VaultService/Look";
const TAKE: &str = "/guarded.VaultService/Take";
const KNOCK: &str = "/guarded.VaultService/Knock";

/// Says who has looked.
#[derive(Clone, Copy, Debug)]
struct Vault;

impl VaultServicer for Vault {
    async fn look(&self, ctx: &Context, _: Thing) -> Result<Thing, DomainError> {
        let principal = ctx.principal().and_then(Principal::subject);
        Ok(Thing {
            name: principal.unwrap_or_default().to_owned(),
        })
    }

    async fn take(&self, _: &Context, thing: Thing) -> Result<Thing, DomainError> {
        Ok(thing)
    }

    async fn knock(
        &self,
        ctx: &Context,
        _: Thing,
    ) -> Result<Streamed<Thing, DomainError>, DomainError> {
        assert!(ctx.principal().is_none());
        Ok(Streamed::from_iter([]))
    }
}

fn auth() -> AuthBuilder {
    let auth = Auth::jwt().hs256(SECRET).issuer(ISSUER).audience(AUDIENCE);
    auth.clock(Clock::default().read())
}

fn chain(auth: AuthBuilder) -> Interceptors {
    Interceptors::none().with_auth(auth.build().unwrap())
}

fn vault(chain: Interceptors) -> TowerService<VaultServiceServer<Vault>> {
    VaultServiceServer::new(Vault).into_service(chain).unwrap()
}

fn token(scope: &str) -> Vec<u8> {
    let claims = claims_with("scope", json!(scope));
    bearer(&Signer::hs256("1", SECRET).token(&claims))
}

#[tokio::test]
async fn the_line_of_a_call_that_is_refused_says_why() {
    let (logging, lines) = logged();
    let auth = auth().build().unwrap();
    let service = vault(Interceptors::none().with_logging(logging).with_auth(auth));
    let expired = claims_with("exp", json!(NOW - 60));
    let expired = bearer(&Signer::hs256("1", SECRET).token(&expired));
    for (path, values, reason) in [
        (LOOK, vec![], "TOKEN_MISSING"),
        (LOOK, vec![expired], "TOKEN_EXPIRED"),
        (TAKE, vec![token("")], "SCOPE_MISSING"),
    ] {
        call(&service, path, &values).await;
        let line = &lines.take(1).await[0];
        assert_eq!(line["refusal"], reason, "{line}");
    }
}

#[test]
fn a_generated_constant_says_who_may_call() {
    let look = vault_service::LOOK;
    assert!(look.needs_token() && !look.is_public() && look.required_scopes().is_empty());
    let take = vault_service::TAKE;
    assert!(take.needs_token() && !take.is_public());
    assert_eq!(take.required_scopes(), ["vault.read", "vault.take"]);
    let knock = vault_service::KNOCK;
    assert!(knock.is_public() && !knock.needs_token());
    let unsaid = Method::unary("/a.B/C");
    assert!(!unsaid.is_public() && !unsaid.needs_token());
}

#[tokio::test]
async fn a_method_takes_what_its_proto_asks_for() {
    let (observer, mut recording) = recorder();
    let service = vault(chain(auth()).with_observer(observer));
    for (path, values, code) in [
        (LOOK, vec![], Code::Unauthenticated),
        (LOOK, vec![token("")], Code::Ok),
        (TAKE, vec![], Code::Unauthenticated),
        (TAKE, vec![token("")], Code::PermissionDenied),
        (TAKE, vec![token("vault.take")], Code::PermissionDenied),
        (
            TAKE,
            vec![token("vault.read vault.taken")],
            Code::PermissionDenied,
        ),
        (TAKE, vec![token("x vault.take  vault.read")], Code::Ok),
        (KNOCK, vec![], Code::Ok),
        // Nobody looks at it.
        (KNOCK, vec![b"Basic YTpi".to_vec()], Code::Ok),
    ] {
        let status = call(&service, path, &values).await;
        assert_eq!(status.code(), code, "{path}: {status:?}");
        if code == Code::PermissionDenied {
            let asks = "a token with these scopes is required: vault.read, vault.take";
            assert_eq!(status.message(), asks);
            let refused = Seen::Refused(TAKE.to_owned(), Refusal::ScopeMissing, code);
            assert!(recording.rest().contains(&refused));
        }
    }
}

#[tokio::test]
async fn scopes_may_be_a_list_or_go_by_their_other_name() {
    let service = vault(chain(auth()));
    let of = |name, value| bearer(&Signer::hs256("1", SECRET).token(&claims_with(name, value)));
    let scopes = json!(["vault.read", "vault.take"]);
    assert_eq!(
        call(&service, TAKE, &[of("scope", scopes.clone())])
            .await
            .code(),
        Code::Ok
    );
    assert_eq!(
        call(&service, TAKE, &[of("scp", scopes)]).await.code(),
        Code::Ok
    );
    for odd in [
        json!(7),
        json!(["vault.read", "vault.take", 7]),
        json!({ "vault.read": 1 }),
    ] {
        let status = call(&service, TAKE, &[of("scope", odd)]).await;
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_service_that_asks_for_tokens_is_not_served_without_auth() {
    let says = "`guarded.VaultService` can't be served: `/guarded.VaultService/Look` asks for a token in \
                its proto, and nothing here asks callers for one: add `Interceptors::with_auth` (apibase's \
                feature `auth`), or say `Interceptors::guarded_elsewhere` where something else does";
    let mounted = VaultServiceServer::new(Vault).into_service(Interceptors::none());
    assert_eq!(mounted.unwrap_err().to_string(), says);
    let server = Server::new()
        .port(0)
        .add_servicer(VaultServiceServer::new(Vault));
    let refused = server.bind().await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("asks for a token in its proto"),
        "{refused}"
    );
    // An observer asks nobody.
    let chain = Interceptors::none().with_observer(recorder().0);
    assert!(InProcess::behind(chain, VaultServiceServer::new(Vault)).is_err());
    // Whoever says so is believed.
    let service = vault(Interceptors::none().guarded_elsewhere());
    assert_eq!(call(&service, LOOK, &[]).await.code(), Code::Ok);
    // A client of it needs no auth around it.
    let chain = Interceptors::none().with_auth(auth().build().unwrap());
    let served = InProcess::behind(chain, VaultServiceServer::new(Vault)).unwrap();
    let client = VaultServiceClient::new(served);
    let value = String::from_utf8(token("")).unwrap();
    let client = client.with(CallOptions::new().metadata("authorization", &value));
    let looked = client.look(&Context::background(), Thing::default()).await;
    assert_eq!(looked.unwrap().name, "alice");
}

#[tokio::test]
async fn what_is_excluded_needs_no_token_and_nothing_else_does() {
    let echo = |auth: AuthBuilder| {
        let server = EchoServiceServer::new(Scripted::new());
        server.into_service(chain(auth)).unwrap()
    };
    let one = echo(auth().exclude("/echo.EchoService/Echo"));
    assert_eq!(
        call(&one, "/echo.EchoService/Echo", &[]).await.code(),
        Code::Ok
    );
    assert_eq!(
        call(&one, "/echo.EchoService/Ping", &[]).await.code(),
        Code::Unauthenticated
    );
    // What a query says is no part of it.
    let with_query = call(&one, "/echo.EchoService/Ping?/echo.EchoService/Echo", &[]).await;
    assert_eq!(with_query.code(), Code::Unauthenticated);
    let all = echo(auth().exclude("/echo.EchoService/*"));
    assert_eq!(
        call(&all, "/echo.EchoService/Ping", &[]).await.code(),
        Code::Ok
    );
    for other in [
        "/echo.Echo/*",
        "/echo.EchoServices/*",
        "/echo.EchoService/Ech",
        "/Echo/*",
    ] {
        let service = echo(auth().exclude(other));
        let status = call(&service, "/echo.EchoService/Echo", &[]).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{other}");
    }
    // What the proto guards can't be opened from here.
    let opened = chain(auth().exclude("/guarded.VaultService/*"));
    let refused = VaultServiceServer::new(Vault)
        .into_service(opened)
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("is excluded from authentication"),
        "{refused}"
    );
}

#[tokio::test]
async fn health_needs_no_token_and_reflection_and_unknown_methods_do() {
    let chain = chain(auth());
    let running = Running::with(Scripted::new(), |server| server.interceptors(chain));
    let running = running.await;
    let mut raw = running.raw().await;
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    for (path, without, with) in [
        ("/grpc.health.v1.Health/Check", Code::Ok, Code::Ok),
        ("/echo.EchoService/Echo", Code::Unauthenticated, Code::Ok),
        (reflection, Code::Unauthenticated, Code::Ok),
        (
            "/echo.EchoService/Other",
            Code::Unauthenticated,
            Code::Unimplemented,
        ),
        (
            "/other.Service/Echo",
            Code::Unauthenticated,
            Code::Unimplemented,
        ),
        (
            "/%65cho.EchoService/Echo",
            Code::Unauthenticated,
            Code::Unimplemented,
        ),
    ] {
        let answer = raw.call(post_to(path), [frame(&ask(""))]).await;
        assert_eq!(answer.code(), without, "{path}");
        let value = http::HeaderValue::from_bytes(&token("")).unwrap();
        let head = post_to(path).header("authorization", value);
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.code(), with, "{path}");
    }
}

#[tokio::test]
async fn a_mounted_service_hides_its_methods_from_who_has_no_token() {
    let (observer, mut recording) = recorder();
    let service = vault(chain(auth()).with_observer(observer));
    for path in [
        "/guarded.VaultService/Other",
        "/guarded.VaultService/",
        "/guarded.VaultService/Look/",
        "/guarded.VaultService/%4cook",
        "/other.Service/Look",
        "/",
    ] {
        let status = call(&service, path, &[]).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{path}: {status:?}");
        let status = call(&service, path, &[token("")]).await;
        assert_eq!(status.code(), Code::Unimplemented, "{path}: {status:?}");
        let refused = Seen::Refused(path.to_owned(), Refusal::UnknownMethod, Code::Unimplemented);
        assert!(recording.rest().contains(&refused), "{path}");
    }
    // Where nobody is asked, as before.
    let open = EchoServiceServer::new(Scripted::new());
    let open = open.into_service(Interceptors::none()).unwrap();
    let status = call(&open, "/echo.EchoService/Other", &[]).await;
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("/echo.EchoService/Other"));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Claims {
    sub: String,
    tenant: Tenant,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Tenant {
    id: u32,
}

#[tokio::test]
async fn a_servicer_knows_who_calls() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        let principal = ctx.principal().unwrap();
        assert_eq!(principal.subject(), Some("alice"));
        assert_eq!(principal.issuer(), Some(ISSUER));
        assert_eq!(principal.scopes().collect::<Vec<_>>(), ["a", "b"]);
        assert!(principal.has_scope("a") && !principal.has_scope("c"));
        assert_eq!(
            principal.expires_at(),
            UNIX_EPOCH + Duration::from_secs(NOW + 3600)
        );
        let claims: Claims = principal.claims().unwrap();
        let tenant = Tenant { id: 7 };
        assert_eq!(
            claims,
            Claims {
                sub: "alice".to_owned(),
                tenant
            }
        );
        assert!(principal.claims::<Vec<u8>>().is_err());
        assert_eq!(
            format!("{principal:?}"),
            "Principal { subject: Some(\"alice\"), .. }"
        );
        // For what it has spawned, too.
        assert!(ctx.detach().principal().is_some());
        Ok(reply(1, ""))
    });
    let service = EchoServiceServer::new(scripted)
        .into_service(chain(auth()))
        .unwrap();
    let mut claims = claims_with("scope", json!("b a b"));
    claims["tenant"] = json!({ "id": 7 });
    let value = bearer(&Signer::hs256("1", SECRET).token(&claims));
    // Once verified, and once remembered.
    for _ in 0..2 {
        let status = call(
            &service,
            "/echo.EchoService/Echo",
            std::slice::from_ref(&value),
        )
        .await;
        assert_eq!(status.code(), Code::Ok, "{status:?}");
    }
}

#[tokio::test]
async fn a_rate_can_be_of_each_principal() {
    let service = vault(chain(auth()).with_rate_limit_by_principal());
    let of = |subject: &str, number: u32| {
        let mut claims = claims_with("sub", json!(subject));
        claims["scope"] = json!("vault.read vault.take");
        claims["jti"] = json!(number);
        bearer(&Signer::hs256("1", SECRET).token(&claims))
    };
    for subject in ["alice", "bob"] {
        // Another token doesn't make another caller.
        for (number, code) in [(1, Code::Ok), (2, Code::Ok), (3, Code::ResourceExhausted)] {
            let status = call(&service, TAKE, &[of(subject, number)]).await;
            assert_eq!(status.code(), code, "{subject} {number}: {status:?}");
        }
    }
}

#[tokio::test]
async fn who_has_no_principal_has_the_rate_of_its_address() {
    let chain = chain(auth().exclude("/echo.EchoService/Echo")).with_rate_limit_by_principal();
    let hourly = RateLimit::new(2, Duration::from_secs(3600));
    let running = Running::with(Scripted::new(), |server| {
        let server = server.rate_limit_of("/echo.EchoService/Echo", hourly);
        let server = server.rate_limit_of("/echo.EchoService/Ping", hourly);
        server.interceptors(chain)
    });
    let running = running.await;
    let mut raw = running.raw().await;
    let nameless = bearer(&Signer::hs256("1", SECRET).token(&claims_with("sub", json!(null))));
    let exhausted = Code::ResourceExhausted;
    for (path, value, codes) in [
        // Nobody looks at a token there, so none makes another caller.
        (
            "/echo.EchoService/Echo",
            None,
            [Code::Ok, Code::Ok, exhausted],
        ),
        ("/echo.EchoService/Echo", Some(token("")), [exhausted; 3]),
        (
            "/echo.EchoService/Ping",
            Some(nameless),
            [Code::Ok, Code::Ok, exhausted],
        ),
        (
            "/echo.EchoService/Ping",
            Some(token("")),
            [Code::Ok, Code::Ok, exhausted],
        ),
        // Who isn't let in uses up nothing of anybody's.
        ("/echo.EchoService/Ping", None, [Code::Unauthenticated; 3]),
    ] {
        for code in codes {
            let mut head = post_to(path);
            if let Some(value) = &value {
                head = head.header(
                    "authorization",
                    http::HeaderValue::from_bytes(value).unwrap(),
                );
            }
            let answer = raw.call(head, [frame(&ask(""))]).await;
            assert_eq!(answer.code(), code, "{path} {value:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_has_its_token_by_other_means() {
    let seen = Arc::new(Mutex::new(0));
    let told = Arc::clone(&seen);
    let scripted = Scripted::new().on_echo(move |_, _| {
        *told.lock().unwrap() += 1;
        async { Ok(reply(1, "")) }
    });
    // It says so in the log, and does nothing.
    let clients = ClientFactory::new().interceptors(chain(auth()));
    let served = InProcess::new(EchoServiceServer::new(scripted));
    let client = common::EchoServiceClient::new(clients.over("echo", served));
    client.echo(&Context::background(), ask("")).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_stream_is_asked_once_when_it_begins() {
    let clock = Clock::default();
    let auth = auth().clock(clock.read());
    let turned = clock.clone();
    let scripted = Scripted::new().on_count(move |_, _| {
        turned.advance(Duration::from_secs(7200));
        async { Ok(Streamed::from_iter([Ok(reply(1, "")), Ok(reply(2, ""))])) }
    });
    let service = EchoServiceServer::new(scripted)
        .into_service(chain(auth))
        .unwrap();
    let value = bearer(&Signer::hs256("1", SECRET).token(&claims()));
    let path = "/echo.EchoService/Count";
    let status = call(&service, path, std::slice::from_ref(&value)).await;
    assert_eq!(status.code(), Code::Ok, "{status:?}");
    assert_eq!(
        call(&service, path, &[value]).await.code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn another_guard_can_say_who_calls() {
    struct Own;
    impl Interceptor for Own {
        async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
            let principal = Principal::from_claims(r#"{"sub":"carol","scope":"a"}"#).unwrap();
            assert!(principal.has_scope("a"));
            next.run(call.with_extension(principal)).await
        }
    }
    let chain = Interceptors::none().guarded_elsewhere().with(Own);
    let served = InProcess::behind(chain, VaultServiceServer::new(Vault)).unwrap();
    let client = VaultServiceClient::new(served);
    let looked = client.look(&Context::background(), Thing::default()).await;
    assert_eq!(looked.unwrap().name, "carol");
    for odd in [
        "",
        "[]",
        r#"{"sub":1}"#,
        r#"{"exp":"1"}"#,
        r#"{"sub":"a","sub":"b"}"#,
    ] {
        assert!(Principal::from_claims(odd).is_err(), "{odd}");
    }
}

#[tokio::test]
async fn of_two_guards_both_have_to_let_a_caller_in() {
    let other = || {
        let other = Auth::jwt().hs256(b"the secret of somebody else altogether");
        other.clock(Clock::default().read()).build().unwrap()
    };
    for chain in [
        Interceptors::none(),
        Interceptors::standard().with_logging(logged().0),
    ] {
        let own = auth().build().unwrap();
        let alone = vault(chain.clone().with_auth(own.clone()));
        assert_eq!(call(&alone, LOOK, &[token("")]).await.code(), Code::Ok);
        let first = vault(chain.clone().with_auth(own.clone()).with_auth(other()));
        let second = vault(chain.with_auth(other()).with_auth(own));
        for service in [first, second] {
            let status = call(&service, LOOK, &[token("")]).await;
            assert_eq!(status.code(), Code::Unauthenticated);
        }
    }
}

/// Notes who calls, before the servicer does.
struct Sees(Arc<Mutex<Vec<Option<String>>>>);

impl Interceptor for Sees {
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        let principal = call.context().principal();
        let subject = principal.and_then(Principal::subject);
        self.0.lock().unwrap().push(subject.map(ToOwned::to_owned));
        next.run(call).await
    }
}

#[tokio::test]
async fn what_comes_after_auth_knows_who_calls_and_what_comes_before_changes_no_answer() {
    let (before, after) = (Arc::default(), Arc::default());
    let alone = call(&vault(chain(auth())), LOOK, &[]).await;
    let chain = Interceptors::none()
        .with(Sees(Arc::clone(&before)))
        .with_auth(auth().build().unwrap())
        .with(Sees(Arc::clone(&after)));
    let service = vault(chain);
    let refused = call(&service, LOOK, &[]).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(
        (refused.message(), refused.details()),
        (alone.message(), alone.details())
    );
    assert_eq!(call(&service, LOOK, &[token("")]).await.code(), Code::Ok);
    assert_eq!(*before.lock().unwrap(), [None, None]);
    assert_eq!(*after.lock().unwrap(), [Some("alice".to_owned())]);
}
