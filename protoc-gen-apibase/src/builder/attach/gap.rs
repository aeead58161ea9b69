//! What stands between two tokens, and which of the two it belongs to.

/// The comments between two tokens, as far as they belong to one.
#[derive(Default)]
pub(super) struct Gap {
    /// Belongs to the token before.
    pub(super) trailing: Option<String>,
    /// Belongs to the token behind.
    pub(super) leading: Option<String>,
    /// What is not yet known to be either, and whether it is lines or a block.
    open: Option<(String, Kind)>,
    /// Whether a comment can still belong to the token before.
    attachable: bool,
    /// How many comments are known to be trailing or nobody's.
    closed: usize,
    /// Whether the next token is on the line on which the first comment ends.
    same_line: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lines,
    Block,
}

impl Gap {
    /// Reads a gap, which has a token before it or not, and behind it this one.
    pub(super) fn of(text: &str, has_previous: bool, next: &str) -> Self {
        let mut gap = Self {
            attachable: has_previous,
            ..Self::default()
        };
        let rest = if has_previous {
            gap.read_same_line(text)
        } else {
            Some(text)
        };
        let Some(rest) = rest else {
            return gap;
        };
        gap.read_lines(rest);
        if matches!(next, "" | "}" | "]" | ")") {
            gap.close();
        }
        // A single comment that ends on the next token's line could be either's.
        if gap.same_line && !next.is_empty() && gap.closed + usize::from(gap.open.is_some()) == 1 {
            return Self::default();
        }
        gap.leading = gap.open.take().map(|(text, _)| text);
        gap
    }

    /// Reads what stands on the previous token's line, where a comment is that token's; gives
    /// what follows, if it can hold comments.
    fn read_same_line<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let rest = skip_blanks(text);
        match comment(rest) {
            Some((comment, after)) => {
                self.same_line = !after.contains('\n');
                self.push(comment);
                self.close();
                Some(after)
            }
            None => rest.strip_prefix('\n'),
        }
    }

    fn read_lines(&mut self, text: &str) {
        let mut rest = text;
        loop {
            rest = skip_blanks(rest);
            if let Some((comment, after)) = comment(rest) {
                // The rest of its line is no blank line.
                rest = skip_blanks(after).strip_prefix('\n').unwrap_or(after);
                self.push(comment);
            } else if let Some(after) = rest.strip_prefix('\n') {
                self.close();
                self.attachable = false;
                rest = after;
            } else {
                return;
            }
        }
    }

    /// Lines that follow lines go on with the same comment.
    fn push(&mut self, (text, kind): (String, Kind)) {
        match &mut self.open {
            Some((open, Kind::Lines)) if kind == Kind::Lines => open.push_str(&text),
            _ => {
                self.close();
                self.open = Some((text, kind));
            }
        }
    }

    /// What was read can't belong to the next token.
    fn close(&mut self) {
        let Some((text, _)) = self.open.take() else {
            return;
        };
        self.closed += 1;
        if self.attachable {
            self.trailing = Some(text);
            self.attachable = false;
        }
    }
}

/// The comment that a text starts with, and what follows, which is a line's end for a line.
pub(super) fn comment(text: &str) -> Option<((String, Kind), &str)> {
    if let Some(rest) = text.strip_prefix("//") {
        let (comment, after) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
        return Some(((format!("{comment}\n"), Kind::Lines), after));
    }
    let (block, after) = text.strip_prefix("/*")?.split_once("*/")?;
    let mut lines = block.split('\n');
    let mut comment = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let line = skip_blanks(line);
        comment.push('\n');
        comment.push_str(line.strip_prefix('*').unwrap_or(line));
    }
    Some(((comment, Kind::Block), after))
}

/// Without the blanks before it, line ends excepted.
pub(super) fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\u{b}', '\u{c}'])
}
