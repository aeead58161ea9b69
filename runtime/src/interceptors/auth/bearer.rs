//! The token of a call, out of its metadata.

use http::header::AUTHORIZATION;
use tonic::metadata::MetadataMap;

use crate::Refusal;

/// How long a token may be, in bytes. What is longer is refused before anything looks into it.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// What stands before a token, in any case of its letters (RFC 9110, section 11.1).
const SCHEME: &[u8] = b"bearer";

/// The token that came with a call as `authorization: Bearer …`, whatever bytes it has.
///
/// Two values of `authorization` are refused, whatever they are: what stands in front of this server
/// may have looked at the other one.
pub(super) fn token(metadata: &MetadataMap) -> Result<&[u8], Refusal> {
    let mut values = metadata.as_ref().get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::TokenMissing);
    };
    if values.next().is_some() {
        return Err(Refusal::TokenMalformed);
    }
    let Some((scheme, rest)) = value.as_bytes().split_at_checked(SCHEME.len()) else {
        return Err(Refusal::TokenMalformed);
    };
    if !scheme.eq_ignore_ascii_case(SCHEME) || rest.first() != Some(&b' ') {
        return Err(Refusal::TokenMalformed);
    }
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = rest.get(blanks..).unwrap_or_default();
    if !(1..=MAX_TOKEN).contains(&token.len()) {
        return Err(Refusal::TokenMalformed);
    }
    Ok(token)
}
