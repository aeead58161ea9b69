//! [`ErrorPolicy`]: what a server changes about the errors that leave it.

#[cfg(feature = "server")]
use super::table::{ERROR_STATUS_TABLE, ErrorTable};
use super::table::{ErrorRow, http};
use crate::Code;

/// What a server changes about the errors that leave it: codes, what is redacted, and whether callers
/// see what is.
///
/// An error that leaves as INTERNAL or UNKNOWN is redacted, whatever codes are set: its caller is told a
/// fixed text with an id, and the log has the rest under this id.
///
/// ```
/// use apibase::{Code, DOMAIN, ErrorPolicy, Interceptors};
///
/// // A conflict is a version race here, so callers may try again with what they read anew.
/// let policy = ErrorPolicy::new().with_code(DOMAIN, "CONFLICT", Code::Aborted);
/// let chain = Interceptors::none().with_errors(policy);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ErrorPolicy {
    overrides: Vec<Override>,
    shows_details: bool,
    keeps_raw_statuses: bool,
}

#[derive(Clone, Debug)]
struct Override {
    domain: String,
    reason: String,
    change: Change,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Code(Code),
    Redacted,
}

impl ErrorPolicy {
    /// Nothing is changed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The error of this domain and reason leaves with `code`, and over HTTP with that of the code.
    /// Clients decode it as before: domain and reason stay.
    ///
    /// A server does not start with a policy for an error that none of its services has.
    #[must_use]
    pub fn with_code(self, domain: &str, reason: &str, code: Code) -> Self {
        self.with(domain, reason, Change::Code(code))
    }

    /// The error of this domain and reason is redacted.
    ///
    /// A server does not start with a policy for an error that none of its services has.
    #[must_use]
    pub fn with_redacted(self, domain: &str, reason: &str) -> Self {
        self.with(domain, reason, Change::Redacted)
    }

    /// Callers see errors that are redacted otherwise, with all causes (`google.rpc.DebugInfo`), but for
    /// what a panic says. For development: it can be anything, secrets too. Default: they don't.
    #[must_use]
    pub fn with_details(mut self) -> Self {
        self.shows_details = true;
        self
    }

    /// A raw status ([`DomainError::Status`](crate::DomainError::Status)) leaves as its servicer made it,
    /// INTERNAL and UNKNOWN too: for a server that passes on what another one answered. Default: these
    /// two are redacted like any other error.
    #[must_use]
    pub fn with_raw_statuses(mut self) -> Self {
        self.keeps_raw_statuses = true;
        self
    }

    fn with(mut self, domain: &str, reason: &str, change: Change) -> Self {
        self.overrides.push(Override {
            domain: domain.to_owned(),
            reason: reason.to_owned(),
            change,
        });
        self
    }

    pub(crate) fn shows_details(&self) -> bool {
        self.shows_details
    }

    pub(super) fn keeps_raw_statuses(&self) -> bool {
        self.keeps_raw_statuses
    }

    /// The row of an error as it leaves.
    pub(super) fn apply(&self, domain: &str, mut row: ErrorRow) -> ErrorRow {
        for change in &self.overrides {
            if change.domain == domain && change.reason == row.reason {
                match change.change {
                    Change::Code(code) => {
                        row.code = code;
                        row.http = http(code);
                    }
                    Change::Redacted => row.redacted = true,
                }
            }
        }
        row
    }

    /// The first error that is changed and that is in none of `tables`, as `domain/REASON`.
    #[cfg(feature = "server")]
    pub(crate) fn unknown(&self, tables: &[&ErrorTable]) -> Option<String> {
        let is_known = |change: &&Override| {
            let mut tables = tables.iter().copied().chain([&ERROR_STATUS_TABLE]);
            tables
                .any(|table| table.domain() == change.domain && table.row(&change.reason).is_some())
        };
        let unknown = self.overrides.iter().find(|change| !is_known(change))?;
        Some(format!("{}/{}", unknown.domain, unknown.reason))
    }
}
