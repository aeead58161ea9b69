//! Tokens, by jsonwebtoken.

use std::sync::Arc;

use bench_harness::token;
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Lets calls in that come with a good token.
#[derive(Clone)]
pub(crate) struct Verifier(Arc<(DecodingKey, Validation)>);

/// Who calls.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

impl Verifier {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = DecodingKey::from_rsa_pem(token::PUBLIC_KEY.as_bytes())?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[token::ISSUER]);
        rules.set_audience(&[token::AUDIENCE]);
        Ok(Self(Arc::new((key, rules))))
    }
}

impl Interceptor for Verifier {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let refused = || Status::unauthenticated("invalid token");
        let token = request.metadata().get("authorization");
        let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let (key, rules) = &*self.0;
        let token = decode::<Claims>(token.ok_or_else(refused)?, key, rules);
        let claims = token.map_err(|_| refused())?.claims;
        if claims.sub.is_empty() || claims.scope.is_empty() {
            return Err(refused());
        }
        request.extensions_mut().insert(claims);
        Ok(request)
    }
}
