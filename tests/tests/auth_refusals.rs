//! Which tokens are taken, and which aren't: each rule of RFC 7515, 7519 and 8725 by itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking"
)]

mod common;
mod tokens;

use std::sync::LazyLock;
use std::time::Duration;

use apibase::{Auth, Code, Interceptors, Refusal, TowerService};
use common::{EchoServiceServer, Running, Scripted, Seen, ask, frame, post, recorder};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokens::{
    AUDIENCE, Clock, ISSUER, Issuer, NOW, Signer, bearer, call, claims, claims_with, decode, encode,
};
use tokio::runtime::Builder;

const ECHO: &str = "/echo.EchoService/Echo";

/// The secret that is known to issuer and server.
const SECRET: &[u8] = b"a secret of a test, which is long enough";

static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rs256("rsa"));
static EC: LazyLock<Signer> = LazyLock::new(|| Signer::es256("ec"));
static ED: LazyLock<Signer> = LazyLock::new(|| Signer::eddsa("ed"));
static HS: LazyLock<Signer> = LazyLock::new(|| Signer::hs256("hs", SECRET));

/// Published with something in it that forbids to verify by it.
static UNUSABLE: LazyLock<[(Signer, &str, Value); 6]> = LazyLock::new(|| {
    [
        (Signer::es256("enc"), "use", json!("enc")),
        (Signer::es256("384"), "alg", json!("ES384")),
        (Signer::es256("rs"), "alg", json!("RS256")),
        (Signer::es256("ops"), "key_ops", json!(["sign"])),
        (Signer::hs256("oct", SECRET), "use", json!("sig")),
        (Signer::es256("whole"), "d", json!(encode([7; 32]))),
    ]
});

/// Takes tokens of all four algorithms, each of a key of its own.
fn chain() -> Interceptors {
    let issuer = Issuer::new(&[&RSA, &EC, &ED]);
    let mut set = Issuer::set(&[&RSA, &EC, &ED]);
    for (signer, name, value) in &*UNUSABLE {
        let mut jwk = signer.jwk();
        jwk[*name] = value.clone();
        set["keys"].as_array_mut().unwrap().push(jwk);
    }
    issuer.publishes_as_is(set);
    let auth = Auth::jwt()
        .hs256(SECRET)
        .kid("hs")
        .keys_from(issuer)
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .audience("another")
        .clock(Clock::default().read())
        .build();
    Interceptors::none().with_auth(auth.unwrap())
}

fn mounted(chain: Interceptors) -> TowerService<EchoServiceServer<Scripted>> {
    let server = EchoServiceServer::new(Scripted::new());
    server.into_service(chain).unwrap()
}

type Case = (&'static str, Vec<Vec<u8>>, Refusal);

fn of_token(fact: &'static str, token: String, refusal: Refusal) -> Case {
    (fact, vec![bearer(&token)], refusal)
}

/// Each with why it is refused.
fn headers() -> Vec<Case> {
    let header = |name: &str, value: Value| {
        let mut header = RSA.header();
        header[name] = value;
        RSA.token_with(&header, &claims())
    };
    let unsigned = |alg: &str| {
        let header = json!({ "alg": alg, "kid": "rsa" }).to_string();
        format!("{}.{}.", encode(header), encode(claims().to_string()))
    };
    let swapped = Signer::hs256("rsa", RSA.pem().as_bytes());
    let es_by_rsa = EC.token_with(&json!({ "alg": "ES256", "kid": "rsa" }), &claims());
    let no_kid = RSA.token_with(&json!({ "alg": "RS256" }), &claims());
    let mut cases = vec![
        of_token(
            "an unsigned token",
            unsigned("none"),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "one that is None",
            unsigned("None"),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "one that is nOnE",
            unsigned("nOnE"),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "no alg",
            RSA.signed("{\"kid\":\"rsa\"}", &claims().to_string()),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "alg in lower case",
            header("alg", json!("rs256")),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "alg is no text",
            header("alg", json!(["RS256"])),
            Refusal::TokenMalformed,
        ),
        of_token(
            "an algorithm that isn't taken",
            header("alg", json!("RS512")),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "HS256 by the public RSA key",
            swapped.token(&claims()),
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "ES256 by the name of an RSA key",
            es_by_rsa,
            Refusal::TokenAlgorithm,
        ),
        of_token(
            "crit",
            header("crit", json!(["exp"])),
            Refusal::TokenMalformed,
        ),
        of_token(
            "an empty crit",
            header("crit", json!([])),
            Refusal::TokenMalformed,
        ),
        of_token(
            "jku",
            header("jku", json!("https://evil.example")),
            Refusal::TokenMalformed,
        ),
        of_token(
            "x5u",
            header("x5u", json!("https://evil.example")),
            Refusal::TokenMalformed,
        ),
        of_token(
            "a key in the token",
            header("jwk", EC.jwk()),
            Refusal::TokenMalformed,
        ),
        of_token(
            "a token for something else",
            header("typ", json!("logout+jwt")),
            Refusal::TokenMalformed,
        ),
        of_token("no kid among several keys", no_kid, Refusal::TokenKey),
        of_token(
            "an unknown kid",
            header("kid", json!("another")),
            Refusal::TokenKey,
        ),
        of_token(
            "a kid that is no text",
            header("kid", json!(7)),
            Refusal::TokenMalformed,
        ),
        of_token(
            "another key by a known name",
            Signer::other_rs256("rsa").token(&claims()),
            Refusal::TokenSignature,
        ),
        of_token(
            "two names in a header",
            RSA.signed(
                "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
                &claims().to_string(),
            ),
            Refusal::TokenMalformed,
        ),
        of_token(
            "a header that is no object",
            RSA.signed("[]", &claims().to_string()),
            Refusal::TokenMalformed,
        ),
    ];
    for (signer, name, _) in &*UNUSABLE {
        let fact = match *name {
            "alg" => "an alg that the JWK doesn't have",
            "key_ops" => "a JWK that is not for verifying",
            "d" => "a private key that is published",
            _ if signer.kid == "oct" => "a secret that is published",
            _ => "a JWK that is not for signatures",
        };
        cases.push(of_token(fact, signer.token(&claims()), Refusal::TokenKey));
    }
    cases
}

fn claimed() -> Vec<Case> {
    let of =
        |fact, name, value, refusal| of_token(fact, RSA.token(&claims_with(name, value)), refusal);
    let malformed = Refusal::TokenMalformed;
    let raw = |claims: &str| RSA.signed(&RSA.header().to_string(), claims);
    let huge = format!("{{\"iss\":\"{ISSUER}\",\"aud\":\"{AUDIENCE}\",\"exp\":1e300}}");
    vec![
        of("no exp", "exp", Value::Null, malformed),
        of(
            "exp as a text",
            "exp",
            json!((NOW + 60).to_string()),
            malformed,
        ),
        of_token("exp beyond all numbers", raw(&huge), malformed),
        of("exp in milliseconds", "exp", json!(NOW * 1000), malformed),
        of("a negative exp", "exp", json!(-1), malformed),
        of(
            "exp past the leeway",
            "exp",
            json!(NOW - 30),
            Refusal::TokenExpired,
        ),
        of("an exp long ago", "exp", json!(0), Refusal::TokenExpired),
        of(
            "nbf in the future",
            "nbf",
            json!(NOW + 31),
            Refusal::TokenNotYetValid,
        ),
        of("nbf as a text", "nbf", json!("0"), malformed),
        of(
            "another audience",
            "aud",
            json!("shop"),
            Refusal::TokenAudience,
        ),
        of(
            "other audiences",
            "aud",
            json!(["shop", "vaults"]),
            Refusal::TokenAudience,
        ),
        of("no audience", "aud", Value::Null, Refusal::TokenAudience),
        of(
            "an empty list of audiences",
            "aud",
            json!([]),
            Refusal::TokenAudience,
        ),
        of(
            "an audience that is a number",
            "aud",
            json!(["vault", 1]),
            malformed,
        ),
        of(
            "another issuer",
            "iss",
            json!("https://id.example.org"),
            Refusal::TokenIssuer,
        ),
        of("no issuer", "iss", Value::Null, Refusal::TokenIssuer),
        of("an issuer that is a number", "iss", json!(123), malformed),
        of("an issuer in a list", "iss", json!([ISSUER]), malformed),
        of("a subject that is a number", "sub", json!(7), malformed),
        of_token("claims that are no JSON", raw("exp"), malformed),
        of_token(
            "claims and more",
            raw(&format!("{} {{}}", claims())),
            malformed,
        ),
        of_token(
            "two names in claims",
            raw("{\"exp\":1,\"exp\":9000000000}"),
            malformed,
        ),
    ]
}

/// A good token by ES256, with another signature.
fn ec_with(change: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let good = EC.token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    format!("{signed}.{}", encode(change(&decode(signature))))
}

/// A signature by ECDSA as a sequence of two integers (RFC 3279, section 2.2.3).
fn as_der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let first = number.iter().position(|byte| *byte != 0).unwrap();
        let number = &number[first..];
        let sign: &[u8] = if number[0] < 0x80 { &[] } else { &[0] };
        let length = u8::try_from(sign.len() + number.len()).unwrap();
        [&[2, length], sign, number].concat()
    };
    let both = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}

fn forms() -> Vec<Case> {
    let malformed = Refusal::TokenMalformed;
    let good = RSA.token(&claims());
    let [header, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("no token: {good}");
    };
    let long = RSA.token(&claims_with("long", json!("x".repeat(6200))));
    assert!(long.len() > 8192);
    let forged = encode(claims_with("sub", json!("mallory")).to_string());
    // The last letter of 256 bytes has two bits of four that say something.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let other = alphabet
        .chars()
        .nth(alphabet.find(last).unwrap() + 1)
        .unwrap();
    let twice = format!(
        "{header}.{body}.{}{other}",
        &signature[..signature.len() - 1]
    );
    let raw = |fact, value: &[u8], refusal| (fact, vec![value.to_vec()], refusal);
    vec![
        ("no token", vec![], Refusal::TokenMissing),
        of_token("a token of more than 8 KiB", long, malformed),
        of_token("one dot", format!("{header}.{body}"), malformed),
        of_token("three dots", format!("{good}."), malformed),
        of_token(
            "an encrypted token",
            format!("{header}.{body}.{body}.{body}.{signature}"),
            malformed,
        ),
        of_token(
            "padding",
            format!("{header}.{body}.{signature}=="),
            malformed,
        ),
        of_token("another way to write a signature", twice, malformed),
        of_token(
            "the other base64",
            format!("{header}.{body}.{}", "+/".repeat(171)),
            malformed,
        ),
        of_token(
            "claims that others have signed",
            format!("{header}.{forged}.{signature}"),
            Refusal::TokenSignature,
        ),
        of_token(
            "an empty signature",
            format!("{header}.{body}."),
            Refusal::TokenSignature,
        ),
        of_token(
            "a signature with a zero before it",
            format!(
                "{header}.{body}.{}",
                encode([&[0], &decode(signature)[..]].concat())
            ),
            Refusal::TokenSignature,
        ),
        of_token(
            "a signature of zeros",
            ec_with(|_| vec![0; 64]),
            Refusal::TokenSignature,
        ),
        of_token(
            "half of a signature in zeros",
            ec_with(|signature| [&signature[..32], &[0; 32]].concat()),
            Refusal::TokenSignature,
        ),
        of_token(
            "a signature as certificates have it",
            ec_with(as_der),
            Refusal::TokenSignature,
        ),
        raw(
            "bytes that are no ASCII",
            format!("Bearer {good}é").as_bytes(),
            malformed,
        ),
        raw("a tab", format!("Bearer {good}\tx").as_bytes(), malformed),
        ("two values", vec![bearer(&good), bearer(&good)], malformed),
        (
            "an empty value before",
            vec![Vec::new(), bearer(&good)],
            malformed,
        ),
        raw(
            "two tokens in one value",
            format!("Bearer {good}, Bearer {good}").as_bytes(),
            malformed,
        ),
        raw("another scheme", b"Basic YTpi", malformed),
        raw("a scheme alone", b"Bearer", malformed),
        raw(
            "a tab before it",
            format!("Bearer \t{good}").as_bytes(),
            malformed,
        ),
        raw("a scheme and a blank", b"Bearer ", malformed),
        raw("no blank", format!("Bearer{good}").as_bytes(), malformed),
        raw("no scheme", good.as_bytes(), malformed),
    ]
}

#[tokio::test]
async fn each_token_that_is_not_good_is_refused_and_its_caller_hears_no_more() {
    let (observer, mut recording) = recorder();
    let chain = chain().with_observer(observer);
    let running = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = running.raw().await;
    let mut told = Vec::new();
    for (fact, values, refusal) in headers().into_iter().chain(claimed()).chain(forms()) {
        let mut head = post("Echo");
        for value in &values {
            let value = http::HeaderValue::from_bytes(value).unwrap();
            head = head.header("authorization", value);
        }
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.code(), Code::Unauthenticated, "{fact}");
        let mut headers = answer.headers.clone();
        headers.remove("date");
        if refusal != Refusal::TokenMissing {
            told.push((fact, headers));
        }
        let seen = loop {
            if let seen @ Seen::Refused(..) = recording.next().await {
                break seen;
            }
        };
        let expected = Seen::Refused(ECHO.to_owned(), refusal, Code::Unauthenticated);
        assert_eq!(seen, expected, "{fact}");
    }
    for (fact, headers) in &told {
        assert_eq!(headers, &told[0].1, "{fact}");
        assert_eq!(headers["grpc-message"], "invalid%20token");
    }
    assert!(told.len() > 60);
}

#[tokio::test]
async fn who_comes_without_a_token_is_told_what_to_bring() {
    let status = call(&mounted(chain()), ECHO, &[]).await;
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(
        status.message().contains("`authorization: Bearer …`"),
        "{status:?}"
    );
}

#[tokio::test]
async fn each_token_that_is_good_is_taken() {
    let service = mounted(chain());
    let header = |name: &str, value: Value| {
        let mut header = RSA.header();
        header[name] = value;
        bearer(&RSA.token_with(&header, &claims()))
    };
    let of = |name, value| bearer(&RSA.token(&claims_with(name, value)));
    let good = RSA.token(&claims());
    for (fact, value) in [
        ("RS256", bearer(&good)),
        ("ES256", bearer(&EC.token(&claims()))),
        ("EdDSA", bearer(&ED.token(&claims()))),
        ("HS256", bearer(&HS.token(&claims()))),
        (
            "a scheme in lower case",
            format!("bearer {good}").into_bytes(),
        ),
        (
            "a scheme in upper case",
            format!("BEARER {good}").into_bytes(),
        ),
        ("several blanks", format!("Bearer   {good}").into_bytes()),
        ("an access token", header("typ", json!("at+jwt"))),
        ("its media type", header("typ", json!("application/AT+JWT"))),
        (
            "no type",
            bearer(&RSA.token_with(&json!({ "alg": "RS256", "kid": "rsa" }), &claims())),
        ),
        ("a header that is not known", header("x5t", json!("abc"))),
        ("the last second of the leeway", of("exp", json!(NOW - 29))),
        ("an exp with a fraction", of("exp", json!(NOW as f64 + 0.5))),
        ("nbf within the leeway", of("nbf", json!(NOW + 30))),
        (
            "one of several audiences",
            of("aud", json!(["shop", "vault"])),
        ),
        (
            "another audience that is named",
            of("aud", json!("another")),
        ),
        ("no subject", of("sub", Value::Null)),
        ("an iat in the future", of("iat", json!(NOW + 1000))),
    ] {
        let status = call(&service, ECHO, &[value]).await;
        assert_eq!(status.code(), Code::Ok, "{fact}: {status:?}");
    }
}

#[tokio::test]
async fn without_issuer_and_audience_any_are_taken() {
    let auth = Auth::jwt()
        .rs256_pem(RSA.pem())
        .clock(Clock::default().read());
    let service = mounted(Interceptors::none().with_auth(auth.build().unwrap()));
    let tokens = [
        RSA.token(&json!({ "exp": NOW + 1 })),
        RSA.token(&json!({ "exp": NOW + 1, "aud": "shop", "iss": "x" })),
    ];
    for token in tokens {
        assert_eq!(
            call(&service, ECHO, &[bearer(&token)]).await.code(),
            Code::Ok
        );
    }
    let odd = RSA.token(&json!({ "exp": NOW + 1, "iss": 123 }));
    let status = call(&service, ECHO, &[bearer(&odd)]).await;
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn keys_are_read_as_tools_write_them() {
    let none = |builder: apibase::AuthBuilder| {
        let auth = builder.clock(Clock::default().read()).build().unwrap();
        mounted(Interceptors::none().with_auth(auth))
    };
    for (service, signer) in [
        (none(Auth::jwt().rs256_pem(RSA.pem())), &*RSA),
        (none(Auth::jwt().rs256_pem(RSA.pkcs1_pem())), &*RSA),
        (none(Auth::jwt().es256_pem(EC.pem())), &*EC),
        (none(Auth::jwt().eddsa_pem(ED.pem())), &*ED),
    ] {
        let token = bearer(&signer.token(&claims()));
        assert_eq!(call(&service, ECHO, &[token]).await.code(), Code::Ok);
    }
}

/// What is done to a token that would be good.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    /// Another letter at this place.
    Letter(prop::sample::Index, u8),
    /// Some of its end is missing.
    Cut(prop::sample::Index),
    /// Another key has signed it.
    Key,
    /// Of another issuer, or for another audience.
    Claim(&'static str),
}

fn flaw() -> impl Strategy<Value = Flaw> {
    prop_oneof![
        3 => Just(Flaw::None),
        2 => (any::<prop::sample::Index>(), 1..64_u8).prop_map(|(at, by)| Flaw::Letter(at, by)),
        1 => any::<prop::sample::Index>().prop_map(Flaw::Cut),
        1 => Just(Flaw::Key),
        1 => prop_oneof![Just("iss"), Just("aud")].prop_map(Flaw::Claim),
    ]
}

fn spoil(token: &str, flaw: Flaw) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    match flaw {
        Flaw::Letter(at, by) => {
            let mut bytes = token.as_bytes().to_vec();
            let at = at.index(bytes.len());
            let was = alphabet.iter().position(|letter| *letter == bytes[at]);
            bytes[at] = was.map_or(b'A', |was| alphabet[(was + usize::from(by)) % 64]);
            String::from_utf8(bytes).unwrap()
        }
        Flaw::Cut(at) => token[..at.index(token.len())].to_owned(),
        Flaw::None | Flaw::Key | Flaw::Claim(_) => token.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn property_04_valid_tokens_are_taken_and_invalid_or_expired_ones_are_unauthenticated(
        signer in 0..4_usize,
        expires in -90..90_i64,
        leeway in 0..60_u64,
        subject in "[a-z\\PC]{0,12}",
        flaw in flaw(),
        again in any::<bool>(),
    ) {
        let known = [&*RSA, &*EC, &*ED, &*HS][signer];
        let others = [
            Signer::other_rs256("rsa"),
            Signer::es256("ec"),
            Signer::eddsa("ed"),
            Signer::hs256("hs", b"another secret, which is long enough"),
        ];
        let by = if matches!(flaw, Flaw::Key) { &others[signer] } else { known };
        let mut claims = claims_with("exp", json!(NOW.saturating_add_signed(expires)));
        claims["sub"] = json!(subject);
        if let Flaw::Claim(name) = flaw {
            claims[name] = json!("another's");
        }
        let value = bearer(&spoil(&by.token(&claims), flaw));
        let alive = expires + i64::try_from(leeway).unwrap() > 0;
        let expected = match (flaw, alive) {
            (Flaw::None, true) => Code::Ok,
            _ => Code::Unauthenticated,
        };
        let auth = Auth::jwt()
            .hs256(SECRET).kid("hs")
            .rs256_pem(RSA.pem()).kid("rsa")
            .es256_pem(EC.pem()).kid("ec")
            .eddsa_pem(ED.pem()).kid("ed")
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .leeway(Duration::from_secs(leeway))
            .clock(Clock::default().read());
        let service = mounted(Interceptors::none().with_auth(auth.build().unwrap()));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..=usize::from(again) {
            let status = runtime.block_on(call(&service, ECHO, std::slice::from_ref(&value)));
            prop_assert_eq!(status.code(), expected, "{:?}", status);
        }
    }
}
