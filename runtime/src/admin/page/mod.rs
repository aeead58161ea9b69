//! [`Page`]: the status page. Plain HTML: no scripts, no styles within it, and all that isn't ours escaped.

mod sections;
mod settings;
mod table;
mod tiles;
mod words;

use std::fmt;
use std::time::Duration;

use self::words::{Escaped, Span, Tone};
use super::board::StageName;
use super::json::time;
use super::status::ServerStatus;

/// The style sheet of the page.
pub(super) const STYLE: &str = include_str!("style.css");

/// How often the page comes again for who asks for that, in seconds.
const REFRESH: u16 = 5;

/// A server's status, for a person to read.
pub(super) struct Page<'a> {
    status: &'a ServerStatus,
    /// After how many seconds it comes again; `None` if it doesn't.
    refresh: Option<u16>,
}

impl<'a> Page<'a> {
    pub(super) fn of(status: &'a ServerStatus, refresh: Option<u16>) -> Self {
        Self { status, refresh }
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, name) = (
            spaced(self.status.word()),
            Escaped(&self.status.program.name),
        );
        f.write_str(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n",
        )?;
        if let Some(seconds) = self.refresh {
            writeln!(f, "<meta http-equiv=\"refresh\" content=\"{seconds}\">")?;
        }
        write!(
            f,
            "<title>{word}: {name}</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n"
        )
    }

    /// The top of the page: whose it is, how it is, and where else to go.
    fn banner(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status;
        let tone = tone(status).as_str();
        writeln!(f, "<header class=\"{tone}\">\n<div class=\"who\">")?;
        write!(f, "<h1>{}", Escaped(&status.program.name))?;
        if let Some(version) = &status.program.version {
            write!(f, " <small>{}</small>", Escaped(version))?;
        }
        let word = spaced(status.word());
        writeln!(f, "</h1>\n<p class=\"state {tone}\">{word}</p>\n</div>")?;
        let now = time(status.now);
        writeln!(
            f,
            "<p class=\"facts\"><span>on <code>{}</code></span> <span>up {}</span> \
             <span>apibase {}</span> <span>as of <time datetime=\"{now}\">{}</time></span></p>",
            Escaped(&status.address),
            Span(status.uptime),
            env!("CARGO_PKG_VERSION"),
            read(&now),
        )?;
        let again = match self.refresh {
            None => format!("<a href=\"?refresh={REFRESH}\">Refresh every {REFRESH} s</a>"),
            Some(seconds) => {
                format!(
                    "<a href=\"?\" aria-current=\"true\">Stop refreshing (every {seconds} s)</a>"
                )
            }
        };
        writeln!(
            f,
            "<nav aria-label=\"Views\"><a href=\"\">Refresh</a> {again} \
             <a href=\"status.json\">JSON</a> <a href=\"metrics\">Metrics</a></nav>\n</header>"
        )
    }

    /// What is wrong, where something is.
    fn problems(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status;
        if status.is_ready() {
            return Ok(());
        }
        let stage = status.stage;
        let tone = tone(status).as_str();
        write!(
            f,
            "<section class=\"problems {tone}\" aria-labelledby=\"problems\">\n<h2 id=\"problems\">"
        )?;
        let since = stage.since.elapsed();
        match stage.name {
            StageName::Serving => {
                f.write_str("Calls should go elsewhere</h2>\n<ul>")?;
                for problem in status.problems() {
                    write!(f, "<li>{}</li>", Escaped(&problem))?;
                }
                return f.write_str("</ul></section>\n");
            }
            StageName::Starting => f.write_str("The server doesn't take calls yet")?,
            StageName::LameDuck => {
                write!(
                    f,
                    "The server will stop: it was told so {} ago",
                    Span(since)
                )?;
            }
            StageName::Draining => match status.grace.saturating_sub(since) {
                Duration::ZERO => f.write_str("The server stops: what runs is cut off")?,
                left => write!(
                    f,
                    "The server stops: what runs is cut off in {}",
                    Span(left)
                )?,
            },
        }
        f.write_str("</h2></section>\n")
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        f.write_str("<body>\n")?;
        self.banner(f)?;
        f.write_str("<main>\n")?;
        self.problems(f)?;
        tiles::write(self.status, f)?;
        sections::write(self.status, f)?;
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

/// How good what the status says in one word is.
fn tone(status: &ServerStatus) -> Tone {
    match status.stage.name {
        StageName::Serving if status.is_ready() => Tone::Good,
        StageName::Serving => Tone::Bad,
        StageName::Starting | StageName::LameDuck | StageName::Draining => Tone::Warn,
    }
}

/// `2026-11-21T21:06:39.042Z` as people read it: `2026-11-21 21:06:39 UTC`.
fn read(time: &str) -> String {
    let seconds = time.split('.').next().unwrap_or(time);
    format!("{} UTC", seconds.replace('T', " "))
}

/// `NOT_SERVING` as people read it.
fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

#[cfg(test)]
mod tests;
