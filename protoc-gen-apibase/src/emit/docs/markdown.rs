//! Text of protos as Markdown that stays within its place.

use std::collections::HashMap;

use crate::comments;

/// A comment as blocks of Markdown.
pub(super) fn block(comment: &str) -> String {
    let mut text = String::new();
    let mut in_fence = false;
    for line in comments::rustdoc(comment) {
        in_fence ^= is_fence(&line);
        // The page's own headings end at the third level.
        if !in_fence && line.starts_with('#') {
            text.push_str("###");
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// A comment as the cell of a table: one line, no bars.
pub(super) fn cell(comment: &str) -> String {
    let mut cell = String::new();
    let mut in_fence = false;
    for line in comments::rustdoc(comment) {
        let line = line.trim();
        if is_fence(line) {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            if !line.is_empty() {
                push(&mut cell, &format!("<br>`` {line} ``"));
            }
        } else if line.is_empty() {
            push(&mut cell, "<br><br>");
        } else if let Some(item) = list_item(line) {
            push(&mut cell, &format!("<br>• {item}"));
        } else {
            push(&mut cell, line);
        }
    }
    // Also within code: GitHub splits cells before it looks for code spans.
    cell.replace('|', "\\|")
}

/// Plain text as code in the cell of a table; nothing for nothing.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ").replace('|', "\\|");
    let ticks = text.split(|char| char != '`').map(str::len).max();
    match ticks {
        _ if text.trim().is_empty() => String::new(),
        None | Some(0) => format!("`{text}`"),
        Some(longest) => {
            let fence = "`".repeat(longest + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

/// The anchors that GitHub, GitLab and mdBook give to the headings of a page.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    seen: HashMap<String, usize>,
}

impl Anchors {
    /// The anchor of the next heading; a number sets it apart from an equal one before.
    pub(super) fn next(&mut self, heading: &str) -> String {
        let anchor = heading
            .chars()
            .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'))
            .map(|char| if char == ' ' { '-' } else { char })
            .collect::<String>()
            .to_lowercase();
        let count = self.seen.entry(anchor.clone()).or_default();
        *count += 1;
        match *count {
            1 => anchor,
            count => format!("{anchor}-{}", count - 1),
        }
    }

    /// Counts the headings of a comment, which a page shows as a block.
    pub(super) fn skip_comment(&mut self, comment: &str) {
        let block = block(comment);
        let mut in_fence = false;
        for line in block.lines() {
            in_fence ^= is_fence(line);
            if !in_fence && line.starts_with('#') {
                self.next(line.trim_matches(['#', ' ']));
            }
        }
    }
}

fn push(cell: &mut String, text: &str) {
    let starts_line = text.starts_with("<br>");
    if !cell.is_empty() && !starts_line && !cell.ends_with("<br>") {
        cell.push(' ');
    }
    // A break before a break, or before anything else, is one too many.
    let text = match cell.is_empty() || cell.ends_with("<br>") {
        true => text.trim_start_matches("<br>"),
        false => text,
    };
    cell.push_str(text);
}

fn is_fence(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '>']);
    line.starts_with("```") || line.starts_with("~~~")
}

fn list_item(line: &str) -> Option<&str> {
    ["- ", "* ", "+ "]
        .iter()
        .find_map(|marker| line.strip_prefix(marker))
}
