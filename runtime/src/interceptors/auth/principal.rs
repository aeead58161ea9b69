//! [`Principal`]: who calls.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use super::claims;
use crate::BoxError;

/// Who calls: what a token says that was found good. Clones are cheap.
///
/// A servicer has it by [`Context::principal`](crate::Context::principal), and finds further claims by
/// [`claims`](Self::claims) as a type of its own.
#[derive(Clone)]
pub struct Principal(Arc<Known>);

/// What is known of a caller.
pub(super) struct Known {
    pub(super) subject: Option<String>,
    pub(super) issuer: Option<String>,
    /// In their order.
    pub(super) scopes: Vec<Box<str>>,
    /// In seconds since 1970; 0 if the claims don't say.
    pub(super) begins: u64,
    /// In seconds since 1970.
    pub(super) expires: u64,
    pub(super) json: String,
}

impl Principal {
    pub(super) fn new(known: Known) -> Self {
        Self(Arc::new(known))
    }

    /// Who calls by these claims, a JSON object, which somebody has verified: for an
    /// [`Interceptor`](crate::Interceptor) of your own that puts it into the context
    /// ([`with_extension`](crate::InterceptedCall::with_extension)), and for tests.
    ///
    /// # Errors
    ///
    /// When they are no claims: no object, or `sub`, `iss` or `exp` of a wrong type.
    pub fn from_claims(json: impl Into<String>) -> Result<Self, BoxError> {
        claims::trusted(json.into()).ok_or_else(|| "that is no JSON object with claims".into())
    }

    /// Whom the token is of (`sub`), as its issuer calls it; `None` if it doesn't say.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Who has issued the token (`iss`); `None` if it doesn't say.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// What the caller may do, in alphabetical order: the claim `scope` (RFC 9068), or `scp`.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(|scope| &**scope)
    }

    /// Whether the caller may do this.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let scopes = &self.0.scopes;
        scopes.binary_search_by(|own| (**own).cmp(scope)).is_ok()
    }

    /// When the token expires (`exp`); calls are taken for the leeway longer. The end of the year 9999
    /// if the claims don't say, which only [`from_claims`](Self::from_claims) takes.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.expires)
    }

    /// All claims, as a type of yours. They are read anew each time.
    ///
    /// ```
    /// use apibase::{BoxError, Principal};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims {
    ///     tenant: String,
    ///     #[serde(default)]
    ///     roles: Vec<String>,
    /// }
    ///
    /// # fn main() -> Result<(), BoxError> {
    /// // A servicer has it by `ctx.principal()`.
    /// let principal = Principal::from_claims(r#"{"sub":"alice","tenant":"a","roles":["buyer"]}"#)?;
    /// let claims: Claims = principal.claims()?;
    /// assert_eq!((&*claims.tenant, claims.roles.len()), ("a", 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When they are not as the type wants them.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        Ok(serde_json::from_str(&self.0.json)?)
    }

    /// When the token begins to be good and when it expires, in seconds since 1970.
    pub(super) fn lifetime(&self) -> (u64, u64) {
        (self.0.begins, self.0.expires)
    }
}

impl fmt::Debug for Principal {
    /// Shows no claim but the subject: others may be nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}
