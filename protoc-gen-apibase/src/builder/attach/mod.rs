//! Comments where protoc finds them.
//!
//! protox says rightly where declarations are, but takes a block comment behind one of them for
//! the next one's, and drops blank lines inside of blocks. So that all ways in give the same docs,
//! comments are looked up once more in the source, by the rules of protoc's tokenizer
//! (`NextWithComments` and `ConsumeBlockComment` in protobuf's `io/tokenizer.cc`). buf 1.75 has the
//! block comment wrong in protox's way, and nothing can be done about it: plugins see no source.

mod gap;

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::SourceCodeInfo;
use prost_types::source_code_info::Location;

use self::gap::{Gap, comment, skip_blanks};

// Field numbers of `descriptor.proto` that paths are made of.
const FILE_MESSAGE: i32 = 4;
const MESSAGE_FIELD: i32 = 2;

/// Sources by the names of their files.
pub(super) type Sources = BTreeMap<String, String>;

/// The set with the comments of each of its files that `sources` has. Bytes that can't be read
/// stay as they are, since whoever reads them next says so.
pub(super) fn comments(set: Vec<u8>, sources: &Sources) -> Vec<u8> {
    let Ok(mut files) = SetBytes::decode(set.as_slice()) else {
        return set;
    };
    for bytes in &mut files.file {
        let Ok(head) = Head::decode(bytes.as_slice()) else {
            return set;
        };
        let (Some(source), Some(mut info)) = (sources.get(&head.name), head.source_code_info)
        else {
            continue;
        };
        let tokens = Tokens::of(source);
        // Declarations have paths of even length; names and the like are parts of them.
        info.location
            .retain(|location| location.path.len() % 2 == 0);
        for location in &mut info.location {
            tokens.attach(location);
        }
        // Two of these are merged by the rules of the wire, and of two locations of one path the
        // first counts: what stands before the file is what stands.
        let mut attached = Head {
            name: String::new(),
            source_code_info: Some(info),
        }
        .encode_to_vec();
        attached.append(bytes);
        *bytes = attached;
    }
    files.encode_to_vec()
}

/// A `FileDescriptorSet` whose files stay bytes, so that no option is lost.
#[derive(Clone, PartialEq, prost::Message)]
struct SetBytes {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// Of a `FileDescriptorProto` what matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "9")]
    source_code_info: Option<SourceCodeInfo>,
}

/// A source as its tokens; comments are in the gaps between them.
struct Tokens<'a> {
    source: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Where each token starts and ends, in order.
    tokens: Vec<(usize, usize)>,
}

impl<'a> Tokens<'a> {
    fn of(source: &'a str) -> Self {
        let ends = source.match_indices('\n').map(|(at, _)| at + 1);
        let mut tokens = Vec::new();
        let mut at = source.len() - skip_gap(source.trim_start_matches('\u{FEFF}')).len();
        while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
            let end = at + token_length(rest);
            tokens.push((at, end));
            let rest = source.get(end..).unwrap_or_default();
            at = source.len() - skip_gap(rest).len();
        }
        Self {
            source,
            lines: std::iter::once(0).chain(ends).collect(),
            tokens,
        }
    }

    /// Sets the comments of a declaration; leaves them where it can't be found.
    fn attach(&self, location: &mut Location) {
        let (start, end) = match *location.span.as_slice() {
            [line, from, to] => ((line, from), (line, to)),
            [line, from, last, to] => ((line, from), (last, to)),
            _ => return,
        };
        let (Some(start), Some(end)) = (self.offset(start), self.offset(end)) else {
            return;
        };
        let first = self.tokens.binary_search_by_key(&start, |token| token.0);
        let last = self.tokens.binary_search_by_key(&end, |token| token.1);
        let (Ok(first), Ok(last)) = (first, last) else {
            return;
        };
        // What stands behind a declaration with a body stands behind the brace that opens it.
        let Some(opening) = self.opening(first, last) else {
            return;
        };
        // A group is a field and a message; its comments are the message's.
        let path = location.path.as_slice();
        let of_group = matches!(path, [FILE_MESSAGE, .., MESSAGE_FIELD, _]) && opening < last;
        let leading = self.gap(first).leading;
        let trailing = self.gap(opening + 1).trailing;
        location.leading_comments = leading.filter(|_| !of_group);
        location.trailing_comments = trailing.filter(|_| !of_group);
    }

    /// The token that ends the head of a declaration: its semicolon, or the brace of its body.
    fn opening(&self, first: usize, last: usize) -> Option<usize> {
        match self.text(last) {
            ";" => Some(last),
            "}" => {
                let mut depth = 0usize;
                for index in (first..=last).rev() {
                    match self.text(index) {
                        "}" => depth += 1,
                        "{" => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth == 0 {
                        return Some(index);
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// What stands between a token and the one before it.
    fn gap(&self, index: usize) -> Gap {
        let before = index
            .checked_sub(1)
            .and_then(|index| self.tokens.get(index));
        let start = before.map_or(0, |token| token.1);
        let end = self
            .tokens
            .get(index)
            .map_or(self.source.len(), |token| token.0);
        let gap = self.source.get(start..end).unwrap_or_default();
        let gap = gap.trim_start_matches('\u{FEFF}');
        Gap::of(gap, before.is_some(), self.text(index))
    }

    /// A token, or nothing behind the last.
    fn text(&self, index: usize) -> &str {
        let token = self.tokens.get(index);
        token
            .and_then(|(start, end)| self.source.get(*start..*end))
            .unwrap_or_default()
    }

    fn offset(&self, (line, column): (i32, i32)) -> Option<usize> {
        let line = self.lines.get(usize::try_from(line).ok()?)?;
        Some(line + usize::try_from(column).ok()?)
    }
}

fn skip_gap(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = skip_blanks(rest).trim_start_matches('\n');
        match comment(rest) {
            Some((_, after)) => rest = after,
            None if rest.starts_with(char::is_whitespace) => rest = rest.trim_start(),
            None => return rest,
        }
    }
}

/// The length of the token that a text starts with: a word, a string or a sign.
fn token_length(text: &str) -> usize {
    let is_word = |char: char| char.is_alphanumeric() || char == '_' || char == '.';
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => string_length(text, quote),
        Some(first) if is_word(first) => text.find(|char| !is_word(char)).unwrap_or(text.len()),
        Some(first) => first.len_utf8(),
        None => 0,
    }
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return at + char.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
