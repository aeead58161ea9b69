//! One pass over a Markdown text: finds what rustdoc or clippy would stumble over, edits it.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::text::{
    continued, fence_for, find_url, is_web, language, line_at, url_at, without_prefix,
};

/// What rustdoc switches on, as far as it changes what is text and what is not.
const AS_RUSTDOC: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

/// Mends what one parse shows. The result may need another pass: an escape can turn a link, a
/// tag or a definition into plain text with brackets of its own.
pub(super) fn pass(source: &str) -> String {
    let parser = Parser::new_ext(source, AS_RUSTDOC);
    let mut mender = Mender::new(source);
    let mut definitions = Vec::new();
    for (_, definition) in parser.reference_definitions().iter() {
        if is_web(&definition.dest) {
            definitions.push(definition.span.clone());
        } else {
            mender.insert(definition.span.start, "\\");
        }
    }
    let mut events = parser.into_offset_iter().peekable();
    while let Some((event, range)) = events.next() {
        let next = events.peek().map_or(range.end, |(_, next)| next.start);
        if matches!(event, Event::Start(Tag::List(_) | Tag::BlockQuote(_))) {
            // `clippy::doc_nested_refdefs`: in there a definition looks like text.
            let nested = definitions.iter().filter(|d| range.contains(&d.start));
            nested.for_each(|definition| mender.insert(definition.start, "\\"));
            definitions.retain(|definition| !range.contains(&definition.start));
        }
        mender.event(&event, range, next);
    }
    mender.finish()
}

struct Mender<'a> {
    source: &'a str,
    edits: Vec<(Range<usize>, String)>,
    containers: Vec<Container>,
    code: Option<Code>,
    /// How many links we are in whose text is theirs, so that a URL in it is no bare one.
    links: usize,
    /// Where the last bare URL ends: nothing inside it is edited.
    url_end: usize,
}

enum Container {
    Quote,
    /// With the width of the marker and the blanks after it.
    Item(usize),
}

/// The code block that we are in.
struct Code {
    fenced: bool,
    /// Where its last line of content ends so far.
    content_end: usize,
}

impl<'a> Mender<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            edits: Vec::new(),
            containers: Vec::new(),
            code: None,
            links: 0,
            url_end: 0,
        }
    }

    /// `next` is where the event after this one starts.
    fn event(&mut self, event: &Event<'_>, range: Range<usize>, next: usize) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => self.start_code(kind, &range),
            Event::End(TagEnd::CodeBlock) => self.end_code(range),
            Event::Text(_) => match &mut self.code {
                Some(code) => code.content_end = range.end,
                None => self.text(range),
            },
            Event::Html(_) | Event::InlineHtml(_) => self.escape(range, &['<']),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                ..
            }) => self.start_link(*link_type, dest_url, &range),
            Event::Start(Tag::Image { dest_url, .. }) if !is_web(dest_url) => {
                // After the exclamation mark.
                self.insert(range.start + 1, "\\");
            }
            Event::End(TagEnd::Link) => self.links = self.links.saturating_sub(1),
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::Start(Tag::FootnoteDefinition(_)) => self.escape_first(range),
            Event::Start(Tag::Item) => {
                // A text that starts with an escape starts behind its backslash.
                let marker = self.slice(range.start..next);
                let width = marker.trim_end_matches('\\').len();
                self.containers.push(Container::Item(width));
            }
            Event::Start(Tag::BlockQuote(_)) => self.containers.push(Container::Quote),
            Event::End(TagEnd::Item | TagEnd::BlockQuote(_)) => {
                self.containers.pop();
            }
            Event::SoftBreak | Event::HardBreak => self.continuation(range.end),
            _ => {}
        }
    }

    fn text(&mut self, range: Range<usize>) {
        if self.links == 0 {
            self.wrap_urls(range.clone());
        }
        self.escape(range, &['[', ']']);
    }

    fn start_link(&mut self, kind: LinkType, dest: &str, range: &Range<usize>) {
        self.links += 1;
        let stays = match kind {
            LinkType::Email => true,
            _ => is_web(dest),
        };
        if !stays {
            self.insert(range.start, "\\");
        } else if matches!(kind, LinkType::Autolink | LinkType::Email) {
            // Its text is its address: no brackets to escape in there.
            self.url_end = self.url_end.max(range.end);
        }
    }

    fn start_code(&mut self, kind: &CodeBlockKind<'_>, range: &Range<usize>) {
        let line = line_at(self.source, range.start);
        self.code = Some(Code {
            fenced: matches!(kind, CodeBlockKind::Fenced(_)),
            content_end: line.end,
        });
        if let CodeBlockKind::Fenced(info) = kind {
            let opening = self.slice(range.start..line.end);
            let fence = opening.chars().next().unwrap_or('`');
            let ticks = opening.len() - opening.trim_start_matches(fence).len();
            let language = language(info);
            if info.trim() != language {
                self.replace(range.start + ticks..line.end, language);
            }
        }
    }

    fn end_code(&mut self, range: Range<usize>) {
        let Some(code) = self.code.take() else {
            return;
        };
        if code.fenced {
            self.close_fence(&range, code.content_end);
        } else {
            self.fence_indented(range);
        }
    }

    /// Closes a fence that only the end of its container closes.
    fn close_fence(&mut self, range: &Range<usize>, content_end: usize) {
        let opening = self.slice(range.start..range.end);
        let fence: String = opening
            .chars()
            .take_while(|char| opening.starts_with(*char))
            .collect();
        let after = self.slice(content_end..range.end);
        if fence.is_empty() || after.contains(fence.as_str()) {
            return;
        }
        let line = line_at(self.source, range.start);
        let prefix = continued(self.slice(line.start..range.start));
        let end = range.start + opening.trim_end().len();
        self.insert(end, &format!("\n{prefix}{fence}"));
    }

    /// Puts a fence around an indented code block, in place of its indentation.
    fn fence_indented(&mut self, range: Range<usize>) {
        let line = line_at(self.source, range.start);
        // The four blanks that make it code go; what is left of them is the container's.
        let prefix = self.slice(line.start..range.start.saturating_sub(4));
        let below = continued(prefix);
        let code = self.slice(range.clone()).trim_end();
        let fence = fence_for(code);
        let mut text = format!("{prefix}{fence}text\n");
        for (index, line) in code.lines().enumerate() {
            let content = match index {
                0 => line,
                _ => without_prefix(line, below.len() + 4),
            };
            text.push_str(format!("{below}{content}").trim_end());
            text.push('\n');
        }
        text.push_str(&below);
        text.push_str(&fence);
        self.replace(line.start..range.start + code.len(), text);
    }

    /// Indents a line that goes on with a paragraph of a list item or a quote, as
    /// `clippy::doc_lazy_continuation` and `clippy::doc_overindented_list_items` want it.
    fn continuation(&mut self, line_start: usize) {
        let line = self.slice(line_at(self.source, line_start));
        let quotes = self
            .containers
            .iter()
            .filter(|container| matches!(container, Container::Quote))
            .count();
        if quotes > 0 {
            let prefix = line.len() - line.trim_start_matches([' ', '>']).len();
            let found = line.chars().take(prefix).filter(|c| *c == '>').count();
            if found < quotes {
                self.replace(line_start..line_start + prefix, "> ".repeat(quotes));
            }
            return;
        }
        let wanted: usize = self
            .containers
            .iter()
            .map(|container| match container {
                Container::Item(width) => *width,
                Container::Quote => 0,
            })
            .sum();
        let found = super::indent(line);
        if wanted > 0 && found != wanted {
            self.replace(line_start..line_start + found, " ".repeat(wanted));
        }
    }

    /// Puts angle brackets around the URLs of a text.
    fn wrap_urls(&mut self, range: Range<usize>) {
        let mut from = range.start.max(self.url_end);
        while let Some(start) = find_url(self.slice(from..range.end)).map(|at| from + at) {
            // A URL may hold what Markdown reads as more than text: underscores, stars.
            let line_end = line_at(self.source, start).end;
            let url = url_at(self.slice(start..line_end));
            let end = start + url.len();
            self.insert(start, "<");
            self.insert(end, ">");
            self.url_end = end;
            from = end;
        }
    }

    /// Escapes each of `chars` in a range, unless it is escaped already or part of a URL.
    fn escape(&mut self, range: Range<usize>, chars: &[char]) {
        let start = range.start;
        for (at, _) in self.slice(range).match_indices(chars) {
            let at = start + at;
            let before = self.slice(0..at);
            let backslashes = before.len() - before.trim_end_matches('\\').len();
            if at >= self.url_end && backslashes.is_multiple_of(2) {
                self.insert(at, "\\");
            }
        }
    }

    /// Escapes the bracket that a range starts with.
    fn escape_first(&mut self, range: Range<usize>) {
        let blanks = self.slice(range.clone());
        let blanks = blanks.len() - blanks.trim_start().len();
        self.insert(range.start + blanks, "\\");
    }

    fn insert(&mut self, at: usize, text: &str) {
        self.edits.push((at..at, text.to_owned()));
    }

    fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.edits.push((range, text.into()));
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.source.get(range).unwrap_or_default()
    }

    /// Applies the edits; of two that overlap the second waits for the next pass.
    fn finish(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut text = String::with_capacity(self.source.len() + 64);
        let mut done = 0;
        for (range, replacement) in &self.edits {
            if range.start >= done {
                text.push_str(self.slice(done..range.start));
                text.push_str(replacement);
                done = range.end;
            }
        }
        text.push_str(self.slice(done..self.source.len()));
        text
    }
}
