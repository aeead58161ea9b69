//! Page tokens: where a list goes on, in a form that callers can only hand back.
//!
//! A token is base64url of: a version, the place of the last item sent, and a checksum over both
//! and the filter. The checksum finds mistakes, a token for another filter or one that was cut off;
//! it isn't a secret. Who makes up a token gets another place in a list that they may read anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::store::Place;

const VERSION: u8 = 1;

/// The token for what comes after `last` in the list that `filter` makes.
#[must_use]
pub fn encode(last: Place, filter: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(last.created_at.to_be_bytes());
    bytes.extend(last.id.into_bytes());
    let sum = checksum(&bytes, filter);
    bytes.extend(sum.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that `token` stands for; `None` when it wasn't made by [`encode`] for this filter.
#[must_use]
pub fn decode(token: &str, filter: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (payload, sum) = bytes.split_last_chunk::<8>()?;
    if u64::from_be_bytes(*sum) != checksum(payload, filter) {
        return None;
    }
    let (version, place) = payload.split_first()?;
    let (created_at, id) = place.split_first_chunk::<8>()?;
    (*version == VERSION).then_some(Place {
        created_at: u64::from_be_bytes(*created_at),
        id: Uuid::from_slice(id).ok()?,
    })
}

/// FNV-1a over the payload and the filter: the same on every machine and in every version.
fn checksum(payload: &[u8], filter: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = payload.iter().chain(filter.trim().as_bytes());
    bytes.fold(BASIS, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_stands_for_its_place(created_at: u64, id: u128, filter: String) {
            let place = Place { created_at, id: Uuid::from_u128(id) };
            prop_assert_eq!(decode(&encode(place, &filter), &filter), Some(place));
        }

        #[test]
        fn a_changed_token_is_refused(created_at: u64, id: u128, at in 0_usize..44, other in "[A-Za-z0-9_-]") {
            let token = encode(Place { created_at, id: Uuid::from_u128(id) }, "");
            let mut changed = token.clone();
            changed.replace_range(at..=at, &other);
            prop_assume!(changed != token);
            prop_assert_eq!(decode(&changed, ""), None);
        }

        #[test]
        fn any_text_is_a_token_or_refused(text: String) {
            let _ = decode(&text, "");
        }
    }

    #[test]
    fn a_token_belongs_to_its_filter() {
        let token = encode(
            Place {
                created_at: 7,
                id: Uuid::nil(),
            },
            "name:lamp",
        );
        assert!(decode(&token, "name:lamp").is_some());
        assert!(decode(&token, " name:lamp ").is_some());
        assert!(decode(&token, "name:desk").is_none());
        assert!(decode(&token, "").is_none());
    }
}
