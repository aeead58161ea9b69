//! What needs no server: the examples of the RFCs, and the cache.

use std::time::UNIX_EPOCH;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::cache::Cache;
use super::claims::{Now, Rules};
use super::exclusion::Exclusion;
use super::jwks;
use super::keys::{Algorithm, Key, KeySet, NoKey};
use super::object::Object;
use super::principal::Principal;
use super::token::Unverified;
use crate::{Method, Refusal};

/// RFC 7515, appendix A.1: HS256, with the secret of its JWK.
const A1: (&str, &str) = (
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
     Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
);

/// RFC 7515, appendix A.3: ES256, with the public half of its JWK.
const A3: (&str, &str) = (
    r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc\
     19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg\
     6NU1Q",
);

/// RFC 7515, appendix A.2: RS256, with the public half of its JWK.
const A2: (&str, &str) = (
    r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#,
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc\
     19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5\
     YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB\
     MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU\
     ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);

/// RFC 8037, appendix A: Ed25519.
const EDDSA: (&str, &str) = (
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQ\
     R6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
);

fn claims_of(key: &Key, token: &str) -> Result<String, Refusal> {
    let token = Unverified::read(token.as_bytes())?;
    token
        .verify(key)
        .map(|json| String::from_utf8(json).unwrap())
}

#[test]
fn the_examples_of_the_rfcs_are_good() {
    let secret = URL_SAFE_NO_PAD.decode(A1.0).unwrap();
    let claims = claims_of(&Key::secret(&secret).unwrap(), A1.1).unwrap();
    assert!(claims.contains("\"exp\":1300819380"), "{claims}");
    for (set, token) in [A2, A3, EDDSA] {
        let keys = jwks::read(set.as_bytes()).unwrap();
        let claims = claims_of(&keys[0], token).unwrap();
        let is_known = claims.contains("\"exp\":1300819380") || claims.contains("Ed25519 signing");
        assert!(is_known, "{claims}");
    }
}

#[test]
fn the_example_of_an_rfc_is_who_it_says() {
    let secret = URL_SAFE_NO_PAD.decode(A1.0).unwrap();
    let claims = claims_of(&Key::secret(&secret).unwrap(), A1.1).unwrap();
    let rules = Rules {
        issuers: vec!["joe".to_owned()],
        ..Rules::default()
    };
    let check = |now| checked(&rules, claims.as_bytes(), Now(now));
    assert_eq!(check(1_300_819_379).unwrap().issuer(), Some("joe"));
    assert_eq!(check(1_300_819_380).unwrap_err(), Refusal::TokenExpired);
}

#[test]
fn a_key_that_is_too_short_is_none() {
    assert!(Key::secret(&[7; 31]).is_err());
    let short = Key::rsa(&[0xff; 128], &[1, 0, 1]);
    assert!(short.is_err_and(|problem| problem.contains("2048 bits")));
    let padded = [&[0; 128][..], &[0xff; 128]].concat();
    assert!(Key::rsa(&padded, &[1, 0, 1]).is_err());
}

#[test]
fn a_point_that_is_not_on_its_curve_is_no_key() {
    assert!(Key::p256(&[7; 32], &[7; 32]).is_err());
    assert!(Key::p256(&[7; 31], &[7; 32]).is_err());
    assert!(Key::ed25519(&[7; 31]).is_err());
}

#[test]
fn a_key_has_the_lengths_of_its_algorithm() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    assert!(Key::p256(&point[..32], &point[32..]).is_ok());
    // The same 64 bytes.
    assert!(Key::p256(&point[..31], &point[31..]).is_err());
    let pair = Ed25519KeyPair::generate().unwrap();
    assert!(Key::ed25519(pair.public_key().as_ref()).is_ok());
    // The same key, in an envelope.
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    assert!(Key::ed25519(der.as_ref()).is_err());
}

#[test]
fn a_curve_is_that_of_the_algorithm() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let inside = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{inside}\n-----END PUBLIC KEY-----\n");
    assert!(Key::pem(Algorithm::Es256, pem.as_bytes()).is_err());
}

#[test]
fn an_exponent_by_which_anybody_signs_is_no_key() {
    let n = [0xff; 256];
    assert!(Key::rsa(&n, &[1, 0, 1]).is_ok());
    for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0]] {
        assert!(Key::rsa(&n, e).is_err(), "{e:?}");
    }
}

#[test]
fn a_clock_that_stands_before_1970_lets_nobody_in() {
    let before = UNIX_EPOCH - std::time::Duration::from_secs(1);
    let checked = checked(
        &Rules::default(),
        b"{\"exp\":4000000000}",
        Now::from(before),
    );
    assert_eq!(checked.err(), Some(Refusal::TokenExpired));
}

#[test]
fn a_key_is_found_by_its_name_and_alone_without() {
    let key = |kid: Option<&str>| {
        let key = Key::secret(&[7; 32]).unwrap();
        std::sync::Arc::new(kid.into_iter().fold(key, Key::named))
    };
    let set = |keys: &[Option<&str>]| KeySet {
        generation: 0,
        keys: keys.iter().map(|kid| key(*kid)).collect(),
    };
    let find = |keys: &[Option<&str>], kid| {
        let found = set(keys).find(kid, Algorithm::Hs256).map(|_| ());
        found.err()
    };
    let never = Some(NoKey::Never(Refusal::TokenKey));
    assert_eq!(find(&[None], None), None);
    assert_eq!(find(&[None], Some("1")), None);
    assert_eq!(find(&[Some("1")], None), None);
    assert_eq!(find(&[Some("1")], Some("1")), None);
    assert_eq!(find(&[Some("1")], Some("2")), Some(NoKey::Unknown));
    assert_eq!(find(&[Some("1"), Some("2")], Some("2")), None);
    assert_eq!(find(&[Some("1"), Some("2")], None), never);
    assert_eq!(find(&[None, None], None), never);
    assert_eq!(find(&[None, None], Some("1")), Some(NoKey::Unknown));
    assert_eq!(find(&[], None), Some(NoKey::Unknown));
    let other = set(&[None]).find(None, Algorithm::Rs256).map(|_| ());
    assert_eq!(other, Err(NoKey::Never(Refusal::TokenAlgorithm)));
}

fn principal(expires: u64) -> Principal {
    let claims = format!("{{\"exp\":{expires}}}");
    checked(&Rules::default(), claims.as_bytes(), Now(0)).unwrap()
}

fn checked(rules: &Rules, claims: &[u8], now: Now) -> Result<Principal, Refusal> {
    let key = Key::secret(&[7; 32]).unwrap();
    rules.check(claims.to_vec(), &key, now)
}

#[test]
fn the_cache_keeps_no_more_than_it_has_places_for() {
    let (cache, rules) = (Cache::new(100), Rules::default());
    let mut kept = 0;
    for token in 0..10_000_u32 {
        let hash = Cache::hash(&token.to_le_bytes());
        cache.put(hash, 0, principal(100), &rules, Now(0));
        kept += usize::from(cache.get(&hash, 0, &rules, Now(0)).is_some());
    }
    assert_eq!((cache.taken(), kept), (100, 10_000));
    let none = Cache::new(0);
    let hash = Cache::hash(b"x");
    none.put(hash, 0, principal(100), &rules, Now(0));
    assert!(none.get(&hash, 0, &rules, Now(0)).is_none());
}

#[test]
fn the_cache_forgets_what_expires_and_what_other_keys_have_verified() {
    let rules = Rules {
        leeway: std::time::Duration::from_secs(5),
        ..Rules::default()
    };
    let cache = Cache::new(4);
    let hash = Cache::hash(b"x");
    cache.put(hash, 1, principal(100), &rules, Now(0));
    let get = |generation, now| cache.get(&hash, generation, &rules, Now(now)).is_some();
    assert!(get(1, 104));
    assert!(!get(1, 105), "it has expired");
    let begins = Cache::hash(b"z");
    let held = checked(&rules, b"{\"exp\":100,\"nbf\":50}", Now(45)).unwrap();
    cache.put(begins, 1, held, &rules, Now(45));
    let get_it = |now| cache.get(&begins, 1, &rules, Now(now)).is_some();
    assert!(get_it(45));
    assert!(
        !get_it(44),
        "the clock was set back, and it is not good yet"
    );
    assert!(!get(2, 0), "the keys are others");
    assert!(cache.get(&Cache::hash(b"y"), 1, &rules, Now(0)).is_none());
}

#[test]
fn what_is_of_no_use_any_more_goes_first() {
    let (cache, rules) = (Cache::new(4), Rules::default());
    let put = |name: &[u8], generation, expires, now| {
        let hash = Cache::hash(name);
        cache.put(hash, generation, principal(expires), &rules, Now(now));
        hash
    };
    let good = [put(b"1", 2, 100, 0), put(b"2", 2, 100, 0)];
    put(b"old", 1, 100, 0);
    put(b"late", 2, 10, 0);
    let new = [put(b"3", 2, 100, 50), put(b"4", 2, 100, 50)];
    for hash in good.iter().chain(&new) {
        assert!(cache.get(hash, 2, &rules, Now(50)).is_some());
    }
}

#[test]
fn a_name_that_stands_twice_is_no_object() {
    assert!(Object::read(b"{\"a\":1,\"b\":{\"c\":1}}").is_some());
    for odd in [
        &b"{\"a\":1,\"a\":1}"[..],
        b"[]",
        b"{",
        b"{}x",
        b"",
        b"\xff",
        b"{\"a\":\"\xff\"}",
    ] {
        assert!(Object::read(odd).is_none());
    }
    // Nested deeper than anybody needs.
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(4000), "]".repeat(4000));
    assert!(Object::read(deep.as_bytes()).is_none());
}

#[test]
fn an_exclusion_covers_whole_names() {
    static METHOD: Method = Method::unary("/a.B/C");
    let covers = |path| Exclusion::read(path).unwrap().covers(&METHOD);
    assert!(covers("/a.B/C") && covers("/a.B/*"));
    assert!(!covers("/a.B/c") && !covers("/a.b/*") && !covers("/B/*") && !covers("/a.B/CC"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_comes_as_a_token_or_as_keys_is_read_without_a_panic(
        token in prop::collection::vec(any::<u8>(), 0..200),
        header in "\\{(\"(alg|kid|typ|crit)\":(\"(ES256|JWT|)\"|[0-9]|\\[\\]|null),?){0,3}\\}",
        claims in "\\{(\"(exp|nbf|aud|scope)\":(-?[0-9]{1,30}(\\.5)?|\"a\"|\\[1\\]|null),?){0,3}\\}",
        key in "\\{\"kty\":\"(EC|OKP|RSA)\"(,\"(crv|n|e|x|y)\":(\"(P-256|Ed25519|[A-Za-z0-9_-]{0,8})\"|1)){0,4}\\}",
    ) {
        let _ = Unverified::read(&token);
        let written = [&*header, &*claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let written = format!("{written}.AA");
        if let Ok(token) = Unverified::read(written.as_bytes()) {
            prop_assert!(token.verify(&Key::secret(&[7; 32]).unwrap()).is_err());
        }
        let _ = checked(&Rules::default(), claims.as_bytes(), Now(1));
        let _ = jwks::read(&token);
        let _ = jwks::read(format!("{{\"keys\":[{key}]}}").as_bytes());
    }
}
