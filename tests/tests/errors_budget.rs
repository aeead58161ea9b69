//! Whatever the sizes of its parts, an error fits into trailers and says what it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod oversized;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use apibase::{Code, DomainError, ErrorPolicy, Status};
use common::{
    BadRequest, FieldViolation, ParcelError, RequestInfo, RetryInfo, any, error_info, rich,
};
use oversized::{Failing, Peer, foreign, reason};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// The sizes of all parts of a failure.
#[derive(Clone, Debug)]
struct Sizes {
    kind: u8,
    text: &'static str,
    message: usize,
    violations: usize,
    violation: usize,
    metadata: usize,
    causes: usize,
    raw: [usize; 4],
    own: Vec<usize>,
    details: bool,
}

prop_compose! {
    /// Small ones, those about as large as what there is room for, and large ones.
    fn size()(size in prop_oneof![0..200_usize, 500..9000_usize, Just(30_000)]) -> usize {
        size
    }
}

prop_compose! {
    fn sizes()(
        kind in 0_u8..4,
        text in prop::sample::select(&["a", "-", "%", "\u{e4}", "\u{1f4e6}"][..]),
        message in size(),
        violations in prop_oneof![0..4_usize, 0..2000_usize],
        violation in 0..60_usize,
        metadata in size(),
        causes in size(),
        raw in prop::array::uniform4(size()),
        own in prop::collection::vec(size(), 0..4),
        details: bool,
    ) -> Sizes {
        Sizes { kind, text, message, violations, violation, metadata, causes, raw, own, details }
    }
}

impl Sizes {
    fn text(&self, size: usize) -> String {
        self.text.repeat(size / self.text.len())
    }

    fn failing(&self) -> Failing {
        let own = self.own.iter().enumerate();
        Failing {
            error: self.error(),
            trailers: own
                .map(|(index, size)| (format!("x-own-{index}"), "a".repeat(*size)))
                .collect(),
        }
    }

    fn error(&self) -> ParcelError {
        let text = |size| self.text(size);
        match self.kind {
            0 => ParcelError::TooHeavy {
                weight: text(self.message),
                limit: text(self.metadata),
            },
            1 => ParcelError::VanBroken {
                plate: text(self.metadata),
            },
            2 => {
                let mut error = DomainError::rate_limit(text(self.message));
                for _ in 0..self.violations {
                    error = error.with_violation(text(self.violation), "wrong");
                }
                let error = error.with_retry_delay(Duration::from_secs(1));
                error.with_source(text(self.causes)).into()
            }
            _ => self.raw().into(),
        }
    }

    fn raw(&self) -> Status {
        let [metadata, others, violations, call] = self.raw;
        let violation = FieldViolation {
            field: self.text(self.violation),
            description: String::new(),
        };
        let request = RequestInfo {
            request_id: self.text(call),
            serving_data: String::new(),
        };
        let details = vec![
            foreign(others),
            any(&error_info(
                "d.example.com",
                "A_REASON",
                &[("key", &self.text(metadata))],
            )),
            any(&BadRequest {
                field_violations: vec![violation; violations % 500],
            }),
            any(&RetryInfo::default()),
            any(&request),
            foreign(others / 2),
        ];
        let mut raw = rich(Code::DataLoss, &self.text(self.message), details);
        let value = "a".repeat(self.metadata).parse().unwrap();
        raw.metadata_mut().insert("x-raw", value);
        raw
    }

    fn expected(&self) -> (Code, String, String) {
        let (code, domain, reason) = match self.kind {
            0 => (Code::FailedPrecondition, "parcels.example.com", "TOO_HEAVY"),
            1 => (Code::Internal, "parcels.example.com", "VAN_BROKEN"),
            2 => (Code::ResourceExhausted, "apibase", "RATE_LIMIT"),
            _ => (Code::DataLoss, "d.example.com", "A_REASON"),
        };
        (code, domain.to_owned(), reason.to_owned())
    }
}

/// 256 cases of both answers, at servers that show details and that don't.
#[test]
fn whatever_its_sizes_an_error_fits_and_says_what_it_is() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (plain, shown) = runtime.block_on(async {
        let policy = ErrorPolicy::new();
        (
            Peer::start(policy.clone()).await,
            Peer::start(policy.with_details()).await,
        )
    });
    let peers = Mutex::new([plain, shown]);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    });
    let outcome = runner.run(&sizes(), |sizes| {
        let mut peers = peers.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = &mut peers[usize::from(sizes.details)];
        for wire in runtime.block_on(peer.fail(sizes.failing())) {
            prop_assert_eq!(reason(&wire), sizes.expected());
            if sizes.kind == 2 {
                prop_assert_eq!(wire.pushback.as_deref(), Some("1000"));
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
