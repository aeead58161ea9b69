//! [`Paging`], [`PageTokens`] and [`Page`]: lists in pages (AIP-158).

mod token;

use tonic::metadata::MetadataMap;

use crate::{MapError, Unmappable, ViolationKind};

pub use self::token::PageTokens;

/// The trailer in which a streamed list says where its next page starts.
///
/// [`ResponseMetadata::set_next_page_token`](crate::ResponseMetadata::set_next_page_token) sets it,
/// and [`Replies::next_page_token`](crate::Replies::next_page_token) reads it.
pub const NEXT_PAGE_TOKEN: &str = "x-next-page-token";

/// The token in the trailers of a list; `None` on its last page.
pub(crate) fn next_page_token(trailers: &MetadataMap) -> Option<&str> {
    let token = trailers.get(NEXT_PAGE_TOKEN)?.to_str().ok()?;
    (!token.is_empty()).then_some(token)
}

/// How long the pages of a list are.
///
/// ```
/// use apibase::Paging;
///
/// const PAGING: Paging = Paging::new(10, 1_000);
///
/// assert_eq!(PAGING.size(25).unwrap(), 25);
/// assert_eq!(PAGING.size(0).unwrap(), 10);
/// assert_eq!(PAGING.size(5_000).unwrap(), 1_000);
/// assert_eq!(PAGING.size(-1).unwrap_err().to_string(), "page_size must not be negative");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    default: usize,
    max: usize,
}

impl Paging {
    /// Pages of `default` items where the request doesn't say, and of `max` at most.
    ///
    /// Each is at least 1, and the default at most `max`.
    #[must_use]
    pub const fn new(default: usize, max: usize) -> Self {
        let max = at_least_1(max);
        let default = at_least_1(default);
        Self {
            default: if default > max { max } else { default },
            max,
        }
    }

    /// How many items the page of a request has at most: 0 stands for the default, and what is
    /// more than the most for the most.
    ///
    /// # Errors
    ///
    /// When `page_size` is negative; at `page_size`.
    pub fn size(self, page_size: i32) -> Result<usize, MapError> {
        match usize::try_from(page_size) {
            Ok(0) => Ok(self.default),
            Ok(size) => Ok(size.min(self.max)),
            Err(_) => {
                let negative = MapError::new(ViolationKind::OutOfRange, "must not be negative");
                Err(negative.at("page_size"))
            }
        }
    }
}

const fn at_least_1(size: usize) -> usize {
    if size == 0 { 1 } else { size }
}

/// A page of a list, and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The token of the next page; empty when this is the last.
    pub next_page_token: String,
}

impl<T> Page<T> {
    /// The last page.
    #[must_use]
    pub const fn last(items: Vec<T>) -> Self {
        Self {
            items,
            next_page_token: String::new(),
        }
    }

    /// The first `size` of `items`. If there are more, `token` makes the token of the next page, of
    /// the last item that is kept.
    ///
    /// So a store is asked for one item more than the page has:
    ///
    /// ```
    /// use apibase::Page;
    ///
    /// let page = Page::cut(vec![1, 2, 3], 2, |last| format!("after {last}"));
    /// assert_eq!((page.items, page.next_page_token.as_str()), (vec![1, 2], "after 2"));
    /// assert!(Page::cut(vec![1, 2], 2, |last| format!("after {last}")).is_last());
    /// ```
    #[must_use]
    pub fn cut(mut items: Vec<T>, size: usize, token: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > size;
        items.truncate(size);
        let next_page_token = match items.last() {
            Some(last) if more => token(last),
            _ => String::new(),
        };
        Self {
            items,
            next_page_token,
        }
    }

    /// Whether no page follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.next_page_token.is_empty()
    }

    /// The same page of what `change` makes of each item.
    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_page_token: self.next_page_token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_within_their_limits() {
        let paging = Paging::new(10, 1_000);
        for (asked, size) in [
            (0, 10),
            (1, 1),
            (1_000, 1_000),
            (1_001, 1_000),
            (i32::MAX, 1_000),
        ] {
            assert_eq!(paging.size(asked).unwrap(), size);
        }
    }

    #[test]
    fn a_negative_size_is_refused_with_its_path() {
        for size in [-1, i32::MIN] {
            let error = Paging::new(10, 100).size(size).unwrap_err();
            assert_eq!(error.violations()[0].path(), "page_size");
        }
    }

    #[test]
    fn limits_that_make_no_sense_are_mended() {
        assert_eq!(Paging::new(0, 0).size(5).unwrap(), 1);
        assert_eq!(Paging::new(50, 20).size(0).unwrap(), 20);
    }

    #[test]
    fn the_trailer_of_a_list_has_its_next_page() {
        let context = crate::Context::background();
        let response = context.response();
        assert_eq!(response.trailers(|trailers| trailers.len()), 0);
        response.set_next_page_token("").unwrap();
        assert!(response.trailers(|trailers| next_page_token(trailers).is_none()));
        response.set_next_page_token("AQgH").unwrap();
        let trailers = response.take_trailers();
        assert_eq!(next_page_token(&trailers), Some("AQgH"));
        assert!(response.set_next_page_token("\u{e9}").is_err());
    }

    #[test]
    fn a_page_is_the_last_unless_there_is_more() {
        assert!(Page::<u8>::cut(vec![], 0, |_| String::from("x")).is_last());
        assert!(Page::last(vec![1]).is_last());
        let page = Page::cut(vec![1, 2, 3], 1, i32::to_string).map(|item| item * 10);
        assert_eq!(
            (page.items, page.next_page_token),
            (vec![10], String::from("1"))
        );
    }
}
