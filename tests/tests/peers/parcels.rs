//! A servicer of parcels that fails on request, as `tests/interop/errors.py` asks it to.

use std::time::Duration;

use apibase::{Context, DomainError, Inbound, Status, Streamed};
use apibase_tests::errors_calls::errors_calls::Stored;
use apibase_tests::errors_calls::errors_calls::api::{Parcel, ParcelError, ParcelServicer};
use futures_util::StreamExt as _;

/// Text that headers don't take as it is.
pub(crate) const STRANGE: &str = "Päckchen „1“\n100 % 📦";

/// Fails as its requests ask for.
pub(crate) struct Parcels;

impl ParcelServicer for Parcels {
    async fn put(&self, _: &Context, request: Parcel) -> Result<Parcel, ParcelError> {
        check(&request)?;
        Ok(request)
    }

    async fn unpack(
        &self,
        _: &Context,
        request: Parcel,
    ) -> Result<Streamed<Parcel, ParcelError>, ParcelError> {
        let end = check(&request).map(|()| request.clone());
        Ok(Streamed::from_iter([Ok(request.clone()), Ok(request), end]))
    }

    async fn put_all(
        &self,
        _: &Context,
        mut requests: Inbound<Parcel>,
    ) -> Result<Stored, ParcelError> {
        let mut count = 0;
        while let Some(parcel) = requests.message().await? {
            check(&parcel)?;
            count += 1;
        }
        Ok(Stored { count })
    }

    async fn weigh(
        &self,
        _: &Context,
        requests: Inbound<Parcel>,
    ) -> Result<Streamed<Parcel, ParcelError>, ParcelError> {
        Ok(Streamed::new(requests.map(|parcel| {
            let parcel = parcel?;
            check(&parcel).map(|()| parcel)
        })))
    }
}

/// The error that a parcel wants.
fn check(parcel: &Parcel) -> Result<(), ParcelError> {
    let text = str::to_owned;
    Err(match parcel.fails.as_str() {
        "" => return Ok(()),
        "PARCEL_LOST" => ParcelError::ParcelLost { id: text("p-1") },
        "STRANGE" => ParcelError::ParcelLost { id: text(STRANGE) },
        "TOO_HEAVY" => ParcelError::TooHeavy {
            weight: text("90000"),
            limit: text("30000"),
        },
        "VAN_FULL" => ParcelError::VanFull,
        "VAN_BROKEN" => ParcelError::VanBroken {
            plate: text("B-UG 1234"),
        },
        "SEIZED" => ParcelError::Seized {
            officer: text("Krause"),
        },
        "RAW" => Status::aborted("version race").into(),
        "PANIC" => panic!("the password is hunter2"),
        common => domain(common).into(),
    })
}

fn domain(reason: &str) -> DomainError {
    match reason {
        "VALIDATION" => DomainError::validation("not a parcel")
            .with_violation("weight", "is negative")
            .with_violation("id", "is taken"),
        "OVERSIZED" => (0..1000).fold(DomainError::validation("too much"), |error, index| {
            error.with_violation(
                format!("parts[{index}]"),
                "is wrong in a way that takes words to say",
            )
        }),
        "NOT_FOUND" => DomainError::not_found(reason).with_source("cannot open /var/lib/secret"),
        "UNAUTHORIZED" => DomainError::unauthorized(reason),
        "FORBIDDEN" => DomainError::forbidden(reason),
        "CONFLICT" => DomainError::conflict(reason),
        "RATE_LIMIT" => {
            DomainError::rate_limit("slower").with_retry_delay(Duration::from_millis(1500))
        }
        "EXTERNAL_SERVICE" => DomainError::external_service("the depot is away").already_retried(),
        "DATABASE" => {
            DomainError::database("password=hunter2").with_source("cannot open /var/lib/secret")
        }
        "TIMEOUT" => DomainError::timeout(reason),
        other => panic!("no error is called {other}"),
    }
}
