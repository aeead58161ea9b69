//! [`PageTokens`]: where a list goes on, in a form that callers can only hand back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;

use crate::{MapError, Unmappable, ViolationKind};

/// The first byte of a token; another layout has another one.
const VERSION: u8 = 1;

/// Makes and reads the page tokens of a list: base64url of a version, the cursor (a message that
/// says where the next page starts), and a checksum over both and over what they are bound to.
///
/// A token is bound to its list and to the request, so that one for another filter or order is
/// refused (AIP-158). The page size is no part of it and may change from page to page.
///
/// The checksum finds mistakes: a token of another list, or one that was cut off. It isn't a secret.
/// Who makes up a token gets another place in a list that they may read anyway, so don't put into a
/// cursor what they may not know.
///
/// ```
/// use apibase::PageTokens;
///
/// const ITEMS: PageTokens = PageTokens::new("examples.ItemService/ListItems");
///
/// # fn main() -> Result<(), apibase::MapError> {
/// let tokens = ITEMS.bound_to_text("name:lamp");
/// assert_eq!(tokens.decode::<u64>("")?, None);          // the first page
/// let token = tokens.encode(&41_u64);                    // any message: numbers and texts are ones
/// assert_eq!(tokens.decode::<u64>(&token)?, Some(41));
/// assert!(ITEMS.bound_to_text("name:desk").decode::<u64>(&token).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PageTokens {
    /// The checksum of what tokens are bound to.
    bound: Checksum,
}

impl PageTokens {
    /// The tokens of a list, with a name that no other list of the server has: the method's path.
    #[must_use]
    pub const fn new(list: &str) -> Self {
        Self {
            bound: Checksum::new().with_part(list.as_bytes()),
        }
    }

    /// Those of one request: all of its pages have the same `request`, in which the page size and
    /// the page token are cleared.
    ///
    /// A message with a map has no fixed order, and tokens would be refused at random: bind them to
    /// the text of what counts instead.
    #[must_use]
    pub fn bound_to(self, request: &impl Message) -> Self {
        self.bound_to_bytes(&request.encode_to_vec())
    }

    /// Those of one request, which the text stands for: its filter. More texts can be bound to, one
    /// after the other.
    #[must_use]
    pub const fn bound_to_text(self, text: &str) -> Self {
        self.bound_to_bytes(text.as_bytes())
    }

    const fn bound_to_bytes(self, bytes: &[u8]) -> Self {
        Self {
            bound: self.bound.with_part(bytes),
        }
    }

    /// The token of the page that starts at `cursor`. Never empty.
    ///
    /// In a trailer there is room for about 8 KiB, so a cursor should be small.
    #[must_use]
    pub fn encode(&self, cursor: &impl Message) -> String {
        let mut bytes = Vec::with_capacity(1 + cursor.encoded_len() + size_of::<u64>());
        bytes.push(VERSION);
        bytes.extend(cursor.encode_to_vec());
        let sum = self.bound.with_part(&bytes);
        bytes.extend(sum.0.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that a request's `page_token` stands for; `None` for the first page, when it is
    /// empty.
    ///
    /// # Errors
    ///
    /// When it is no token of this list and this request; at `page_token`.
    pub fn decode<C: Message + Default>(&self, page_token: &str) -> Result<Option<C>, MapError> {
        if page_token.is_empty() {
            return Ok(None);
        }
        match self.cursor(page_token) {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(not_a_token()),
        }
    }

    fn cursor<C: Message + Default>(&self, page_token: &str) -> Option<C> {
        let bytes = URL_SAFE_NO_PAD.decode(page_token).ok()?;
        let (payload, sum) = bytes.split_last_chunk()?;
        if u64::from_be_bytes(*sum) != self.bound.with_part(payload).0 {
            return None;
        }
        let (&VERSION, cursor) = payload.split_first()? else {
            return None;
        };
        C::decode(cursor).ok()
    }
}

#[cold]
fn not_a_token() -> MapError {
    MapError::new(
        ViolationKind::Malformed,
        "is not a token that this list gave out for this request; start at the first page",
    )
    .at("page_token")
}

/// FNV-1a: the same on every machine and in every version.
#[derive(Clone, Copy, Debug)]
struct Checksum(u64);

impl Checksum {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// With the part's length before it, so that `ab` and `c` are not `a` and `bc`.
    const fn with_part(self, part: &[u8]) -> Self {
        self.with((part.len() as u64).to_be_bytes().as_slice())
            .with(part)
    }

    const fn with(self, mut bytes: &[u8]) -> Self {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mut sum = self.0;
        while let Some((first, rest)) = bytes.split_first() {
            sum = (sum ^ *first as u64).wrapping_mul(PRIME);
            bytes = rest;
        }
        Self(sum)
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    const ITEMS: PageTokens = PageTokens::new("items");

    #[test]
    fn a_token_stays_the_same_from_version_to_version() {
        // Clients hold tokens over a deployment.
        assert_eq!(ITEMS.encode(&7_u64), "AQgHE3pebZRKnhM");
    }

    #[test]
    fn no_token_is_the_first_page() {
        assert_eq!(ITEMS.decode::<u64>("").unwrap(), None);
    }

    #[test]
    fn a_token_belongs_to_its_list_and_request() {
        let lamps = ITEMS.bound_to_text("lamp");
        let token = lamps.encode(&7_u64);
        assert_eq!(lamps.decode::<u64>(&token).unwrap(), Some(7));
        let others = [
            ITEMS,
            ITEMS.bound_to_text("desk"),
            ITEMS.bound_to_text(""),
            ITEMS.bound_to_text("la").bound_to_text("mp"),
            lamps.bound_to_text(""),
            PageTokens::new("orders").bound_to_text("lamp"),
            PageTokens::new("item").bound_to_text("slamp"),
        ];
        for other in others {
            let error = other.decode::<u64>(&token).unwrap_err();
            assert_eq!(
                error.to_string(),
                "page_token is not a token that this list gave out for this request; start at the \
                 first page"
            );
        }
    }

    #[test]
    fn a_token_belongs_to_its_request_message() {
        let at = |seconds| ITEMS.bound_to(&Timestamp { seconds, nanos: 0 });
        let token = at(1).encode(&String::from("cursor"));
        assert_eq!(
            at(1).decode::<String>(&token).unwrap().as_deref(),
            Some("cursor")
        );
        assert!(at(2).decode::<String>(&token).is_err());
    }

    #[test]
    fn a_cursor_at_its_default_is_a_token_all_the_same() {
        let token = ITEMS.encode(&0_u64);
        assert!(!token.is_empty());
        assert_eq!(ITEMS.decode::<u64>(&token).unwrap(), Some(0));
    }

    #[test]
    fn a_token_of_another_version_is_refused() {
        let mut bytes = vec![VERSION + 1];
        let sum = ITEMS.bound.with_part(&bytes);
        bytes.extend(sum.0.to_be_bytes());
        let token = URL_SAFE_NO_PAD.encode(bytes);
        assert!(ITEMS.decode::<u64>(&token).is_err());
    }

    #[cfg(feature = "testing")]
    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn a_token_stands_for_its_cursor(seconds: i64, nanos: i32, list: String, filter: String) {
                let tokens = PageTokens::new(&list).bound_to_text(&filter);
                let cursor = Timestamp { seconds, nanos };
                let token = tokens.encode(&cursor);
                prop_assert_eq!(tokens.decode::<Timestamp>(&token).unwrap(), Some(cursor));
                prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
            }

            #[test]
            fn a_changed_token_is_refused(cursor: String, at: prop::sample::Index, other in "[A-Za-z0-9_-]") {
                let token = ITEMS.encode(&cursor);
                let mut changed = token.clone();
                let at = at.index(token.len());
                changed.replace_range(at..=at, &other);
                prop_assume!(changed != token);
                prop_assert!(ITEMS.decode::<String>(&changed).is_err());
            }

            #[test]
            fn a_token_cut_off_is_refused(cursor: String, at: prop::sample::Index) {
                let token = ITEMS.encode(&cursor);
                let start = &token[..at.index(token.len())];
                prop_assert!(start.is_empty() || ITEMS.decode::<String>(start).is_err());
            }

            #[test]
            fn any_text_is_a_token_or_refused(text: String) {
                let _ = ITEMS.decode::<Timestamp>(&text);
            }

            #[test]
            fn any_base64_is_a_token_or_refused(bytes: Vec<u8>) {
                let _ = ITEMS.decode::<Timestamp>(&URL_SAFE_NO_PAD.encode(bytes));
            }
        }
    }
}
