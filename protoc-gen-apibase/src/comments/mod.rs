//! Proto comments as rustdoc that compiles and warns about nothing.
//!
//! A proto comment is prose for readers of the proto; rustdoc reads it as Markdown, runs its code
//! blocks as tests, resolves its brackets as Rust items and warns about its tags and URLs. What
//! follows keeps the text and takes the surprises out. It edits the source text at the places
//! that a Markdown parser points at, instead of rendering it anew, so that what needs no change
//! stays as its author wrote it.

mod mend;
#[cfg(test)]
mod tests;
mod text;

/// How often a text is mended until nothing changes. An escape can change how what follows it is
/// read, so one pass is not always enough; every pass only adds escapes, and few texts need three.
const PASSES: usize = 16;

/// The lines of a proto comment as Markdown that is safe in rustdoc.
///
/// - code blocks that rustdoc would compile (no language, Rust, indented) become `text`, and a
///   fence that is left open is closed;
/// - brackets that are no web link are escaped, and so are HTML tags and comments;
/// - bare URLs get angle brackets;
/// - continuation lines of lists and quotes are indented as clippy wants them;
/// - tabs become spaces, control and text-direction characters are removed.
///
/// Code spans and code blocks keep their content. The lines have no line ends and no common
/// indentation; the first and the last one are not blank. Applying it again changes nothing.
#[must_use]
pub(crate) fn rustdoc(comment: &str) -> Vec<String> {
    let mut text = tidy(comment);
    for _ in 0..PASSES {
        let mended = mend::pass(&text);
        if mended == text {
            return text.lines().map(str::to_owned).collect();
        }
        text = mended;
    }
    verbatim(&text)
}

/// One line end, no tabs, no invisible characters, no common indentation, no blank ends.
pub(crate) fn tidy(comment: &str) -> String {
    let comment = comment.replace("\r\n", "\n").replace('\r', "\n");
    let comment = strip_doc_star(&comment);
    let lines: Vec<String> = comment.split('\n').map(clean_line).collect();
    let common = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| indent(line))
        .min()
        .unwrap_or(0);
    let mut lines: Vec<&str> = lines
        .iter()
        .map(|line| line.get(common..).unwrap_or_default())
        .skip_while(|line| line.is_empty())
        .collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    // `/* One` puts the first line one deeper than the others. Four deep would be code.
    if let Some(first) = lines.first_mut()
        && indent(first) < 4
    {
        *first = first.trim_start();
    }
    lines.join("\n")
}

/// `/** One */` reaches us as `* One `: the second star is decoration, not a list.
///
/// A `/**` comment is told from a list by how it ends (with blanks before the `*/`) and by its
/// other lines, which protoc has stripped of their stars but not of the blanks after them.
fn strip_doc_star(comment: &str) -> &str {
    let rest = comment.trim_start_matches('*');
    let is_decorated = rest.len() < comment.len()
        && rest.starts_with([' ', '\n'])
        && rest.ends_with([' ', '\n'])
        && rest
            .lines()
            .skip(1)
            .all(|line| line.is_empty() || line.starts_with(' '));
    if is_decorated { rest } else { comment }
}

/// Expands tabs, drops what can't be seen, trims the end.
fn clean_line(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut column = 0;
    for char in line.chars() {
        if char == '\t' {
            let width = 4 - column % 4;
            clean.extend(std::iter::repeat_n(' ', width));
            column += width;
        } else if !char.is_control() && !changes_direction(char) {
            clean.push(char);
            column += 1;
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// rustc refuses these in comments: they can make code look like what it isn't.
fn changes_direction(char: char) -> bool {
    matches!(char, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The number of leading spaces.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The text as one code block: the way out for what never comes to rest.
fn verbatim(text: &str) -> Vec<String> {
    let fence = text::fence_for(text);
    let mut lines = vec![format!("{fence}text")];
    lines.extend(text.lines().map(str::to_owned));
    lines.push(fence);
    lines
}
