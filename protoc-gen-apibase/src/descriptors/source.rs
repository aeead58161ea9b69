//! Where things stand in their files, and the comments beside them.
//!
//! protoc, buf and protox agree on leading comments, and on trailing ones but for line ends and
//! for methods with a body, where protox takes what follows the closing brace and the others
//! what follows the opening one. Those are dropped, so that the three give the same docs. They
//! disagree on detached comments, which are not used. What can't be mended: of a block comment
//! that shares its line with another comment, or stands right before an element on its line, each
//! of the three has its own idea.

use std::collections::HashMap;

use prost_types::FileDescriptorProto;
use prost_types::source_code_info::Location;

use super::rules::elements;
use crate::comments::tidy;

/// Field numbers of `descriptor.proto` that paths are made of.
pub(crate) mod tag {
    pub(crate) const PACKAGE: i32 = 2;
    pub(crate) const FILE_MESSAGE: i32 = 4;
    pub(crate) const FILE_ENUM: i32 = 5;
    pub(crate) const FILE_SERVICE: i32 = 6;
    pub(crate) const MESSAGE_FIELD: i32 = 2;
    pub(crate) const MESSAGE_NESTED: i32 = 3;
    pub(crate) const MESSAGE_ENUM: i32 = 4;
    pub(crate) const MESSAGE_ONEOF: i32 = 8;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const SERVICE_METHOD: i32 = 2;
    pub(super) const METHOD_OUTPUT: i32 = 3;
    /// The name of anything that has one.
    pub(super) const NAME: i32 = 1;
}

/// The source information of one file; empty where the compiler gave none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    places: HashMap<Vec<i32>, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    span: Vec<i32>,
    leading: String,
    trailing: String,
}

impl Source {
    pub(super) fn new(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let mut places = HashMap::new();
        for location in locations {
            // The first of several wins: it is what protoc's own lookups take.
            places
                .entry(location.path.clone())
                .or_insert_with(|| Place::new(location));
        }
        let mut source = Self { places };
        source.drop_trailing_of_bodies(file);
        source
    }

    /// Line and column, both from 1, of the name of what is at `path`, or of the whole.
    pub(crate) fn position(&self, path: &[i32]) -> Option<(u32, u32)> {
        let name = [path, &[tag::NAME]].concat();
        let place = self.places.get(&name).or_else(|| self.places.get(path))?;
        place.start()
    }

    /// Line and column, both from 1, of an option of what is at `path`; of the whole where the
    /// option's own place is not known. `option` is the way to it by numbers, that of the
    /// extension first.
    ///
    /// Of an option written as a whole, `= { … }`, it is the place of the statement: protoc and
    /// protox know no other. buf knows the places of its parts too, which are not taken, so that
    /// an error is the same from all three. (Before such a statement buf leaves out the word
    /// `option`, so that its column is 7 more, which can't be told from here.)
    pub(crate) fn option_position(&self, path: &[i32], option: &[i32]) -> Option<(u32, u32)> {
        let options = elements::options_tag(path).cast_signed();
        let full = [path, &[options], option].concat();
        let shortest = path.len() + 2;
        let mut from_short = (shortest..=full.len()).filter_map(|length| full.get(..length));
        let exact = from_short.find_map(|path| self.places.get(path)?.start());
        // `(rule).retry.max_attempts = 3` is all there is of `(rule).retry`.
        let mut from_long = (shortest..=full.len()).rev();
        exact
            .or_else(|| from_long.find_map(|length| self.first_below(full.get(..length)?)))
            .or_else(|| self.position(path))
    }

    /// The first place of anything below `path`.
    fn first_below(&self, path: &[i32]) -> Option<(u32, u32)> {
        let below = self.places.iter().filter(|(key, _)| key.starts_with(path));
        below.filter_map(|(_, place)| place.start()).min()
    }

    /// The comment of what is at `path`: above it, then behind it; empty for none.
    pub(crate) fn comment(&self, path: &[i32]) -> String {
        match self.places.get(path) {
            None => String::new(),
            Some(place) if place.trailing.is_empty() => place.leading.clone(),
            Some(place) if place.leading.is_empty() => place.trailing.clone(),
            // Each by itself first: the one's indentation says nothing about the other's.
            Some(place) => {
                let (leading, trailing) = (tidy(&place.leading), tidy(&place.trailing));
                format!("{leading}\n\n{trailing}")
            }
        }
    }

    fn drop_trailing_of_bodies(&mut self, file: &FileDescriptorProto) {
        for (s, service) in (0i32..).zip(&file.service) {
            for (m, method) in (0i32..).zip(&service.method) {
                let path = vec![tag::FILE_SERVICE, s, tag::SERVICE_METHOD, m];
                let output = [path.as_slice(), &[tag::METHOD_OUTPUT]].concat();
                let body = method.options.is_some() || !self.ends_right_after(&path, &output);
                if body && let Some(place) = self.places.get_mut(&path) {
                    place.trailing.clear();
                }
            }
        }
    }

    /// Whether a method ends with `);` behind its output type. An empty body, `{}`, leaves no
    /// other trace in protox's descriptors.
    fn ends_right_after(&self, method: &[i32], output: &[i32]) -> bool {
        let end = |path: &[i32]| self.places.get(path).and_then(Place::end);
        match (end(method), end(output)) {
            (Some((line, column)), Some((output_line, output_column))) => {
                line == output_line && column - output_column <= 2
            }
            _ => true,
        }
    }
}

impl Place {
    fn new(location: &Location) -> Self {
        Self {
            span: location.span.clone(),
            leading: undecorated(location.leading_comments()),
            trailing: undecorated(location.trailing_comments()),
        }
    }

    /// Both from 1.
    fn start(&self) -> Option<(u32, u32)> {
        match self.span.as_slice() {
            [line, column, ..] => {
                let line = u32::try_from(*line).ok()?;
                let column = u32::try_from(*column).ok()?;
                Some((line.saturating_add(1), column.saturating_add(1)))
            }
            _ => None,
        }
    }

    fn end(&self) -> Option<(i32, i32)> {
        match self.span.as_slice() {
            [line, _, column] | [_, _, line, column] => Some((*line, *column)),
            _ => None,
        }
    }
}

/// A comment without what only its delimiters left: line ends of Windows, blanks before line
/// ends, the second star of `/**`, the third slash of `///`.
fn undecorated(comment: &str) -> String {
    let comment = comment.replace("\r\n", "\n");
    let comment = comment.strip_prefix('*').unwrap_or(&comment);
    let slashes = !comment.trim().is_empty() && comment.lines().all(|line| line.starts_with('/'));
    let lines: Vec<&str> = comment
        .lines()
        .map(|line| {
            if slashes {
                line.get(1..).unwrap_or_default()
            } else {
                line
            }
        })
        .map(str::trim_end)
        .collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
