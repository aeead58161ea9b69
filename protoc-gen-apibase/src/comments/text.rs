//! What the lines of a Markdown text are: pure functions on strings.

use std::ops::Range;

/// A run of backticks longer than any in `text`, at least three.
pub(super) fn fence_for(text: &str) -> String {
    let longest = text
        .split(|char| char != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

/// Whether a link leads out to the web, and so can't be meant as the name of an item.
pub(super) fn is_web(dest: &str) -> bool {
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| dest.starts_with(scheme))
}

/// The language to write on a fence: the author's when it is one plain word that rustdoc doesn't
/// take for Rust, `text` otherwise.
pub(super) fn language(info: &str) -> &str {
    let word = info
        .split([' ', ',', '\t'])
        .find(|word| !word.is_empty())
        .unwrap_or("text");
    match word.to_ascii_lowercase().as_str() {
        "c++" => return "cpp",
        "c#" => return "csharp",
        _ => {}
    }
    // rustdoc refuses other characters on a fence.
    let is_plain = word.starts_with(|char: char| char.is_ascii_alphanumeric())
        && word
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
    if !is_plain || is_rust(word) {
        return "text";
    }
    word
}

/// Whether rustdoc compiles a block with this word on its fence, or warns that it may be meant.
fn is_rust(word: &str) -> bool {
    let word: String = word
        .chars()
        .filter(|char| !matches!(char, '_' | '-'))
        .map(|char| char.to_ascii_lowercase())
        .collect();
    let is_error_code = word
        .strip_prefix('e')
        .is_some_and(|code| code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit()));
    is_error_code
        || word.starts_with("rust")
        || word.starts_with("edition")
        || word.starts_with("ignore")
        || matches!(
            word.as_str(),
            "norun"
                | "shouldpanic"
                | "compilefail"
                | "testharness"
                | "standalonecrate"
                | "standalone"
                | "custom"
        )
}

/// The line that holds the byte `at`, without its line end.
pub(super) fn line_at(source: &str, at: usize) -> Range<usize> {
    let before = source.get(..at).unwrap_or_default();
    let after = source.get(at..).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = after
        .find('\n')
        .map_or(source.len(), |newline| at + newline);
    start..end
}

/// What the lines below one that starts with `prefix` start with: a list's marker is for its
/// first line, a quote's for every one.
pub(super) fn continued(prefix: &str) -> String {
    prefix
        .chars()
        .map(|char| if char == '>' { '>' } else { ' ' })
        .collect()
}

/// `line` without the first `width` characters, as far as they are a container's.
pub(super) fn without_prefix(line: &str, width: usize) -> &str {
    let prefix = line
        .bytes()
        .take(width)
        .take_while(|byte| matches!(byte, b' ' | b'>'))
        .count();
    line.get(prefix..).unwrap_or_default()
}

/// Where the next URL with a host starts.
pub(super) fn find_url(text: &str) -> Option<usize> {
    text.match_indices("http").map(|(at, _)| at).find(|at| {
        let rest = text.get(*at..).unwrap_or_default();
        let host = rest
            .strip_prefix("https://")
            .or_else(|| rest.strip_prefix("http://"));
        host.is_some_and(|host| host.starts_with(|char: char| char.is_ascii_alphanumeric()))
    })
}

/// The URL that `text` starts with, without the punctuation of the sentence around it.
pub(super) fn url_at(text: &str) -> &str {
    let ends = |char: char| char.is_whitespace() || "<>`\"|\\".contains(char);
    let mut url = text.split(ends).next().unwrap_or_default();
    while let Some(last) = url.chars().next_back() {
        let unpaired = |open: char| url.matches(last).count() > url.matches(open).count();
        let is_outside = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            ')' => unpaired('('),
            ']' => unpaired('['),
            '}' => unpaired('{'),
            _ => false,
        };
        if !is_outside {
            break;
        }
        url = url.get(..url.len() - last.len_utf8()).unwrap_or_default();
    }
    url
}
