//! protox's errors as ours.

use miette::{Diagnostic as Report, LabeledSpan, SourceCode};

use crate::error::Diagnostic;

/// Everything that protox has to say: the error, the ones it found beside it, places and help.
pub(super) fn diagnostics(error: &protox::Error) -> Vec<Diagnostic> {
    let file = error.file();
    let source = error.source_code();
    let mut found = vec![diagnostic(error, file, source)];
    for related in error.related().into_iter().flatten() {
        found.push(diagnostic(related, file, related.source_code().or(source)));
    }
    found
}

/// A position of a source text, which protox doesn't hold beyond 2 GiB.
pub(super) fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn diagnostic(
    error: &dyn Report,
    file: Option<&str>,
    source: Option<&dyn SourceCode>,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(message(error));
    if let Some(file) = file {
        diagnostic = diagnostic.in_file(file);
    }
    let labels: Vec<LabeledSpan> = error.labels().into_iter().flatten().collect();
    // Where there are several, one broke a rule and the others say which.
    let culprit = labels
        .iter()
        .rposition(breaks_the_rule)
        .unwrap_or(labels.len().saturating_sub(1));
    let file = file.unwrap_or("a proto");
    for (index, label) in labels.iter().enumerate() {
        let Some((line, column)) = place(label, source) else {
            continue;
        };
        diagnostic = if index == culprit {
            diagnostic.at(file, line, column)
        } else {
            let text = label.label().unwrap_or("see here");
            diagnostic.note_at(file, line, column, text)
        };
    }
    match error.help().map(|help| help.to_string()) {
        Some(help) => diagnostic.help(help),
        None => help_for_import(diagnostic),
    }
}

fn message(error: &dyn Report) -> String {
    let message = error.to_string();
    match std::error::Error::source(error).map(ToString::to_string) {
        Some(cause) if !message.contains(&cause) => format!("{message}: {cause}"),
        _ => message,
    }
}

fn breaks_the_rule(label: &LabeledSpan) -> bool {
    label
        .label()
        .is_some_and(|text| text.contains("again") || text.contains("found"))
}

fn place(label: &LabeledSpan, source: Option<&dyn SourceCode>) -> Option<(u32, u32)> {
    let contents = source?.read_span(label.inner(), 0, 0).ok()?;
    Some((as_u32(contents.line() + 1), as_u32(contents.column() + 1)))
}

/// protox says that an import is missing, but not what to do.
fn help_for_import(diagnostic: Diagnostic) -> Diagnostic {
    let message = diagnostic.message();
    if message.starts_with("import '") && message.ends_with("not found") {
        return diagnostic.help(
            "add the directory from which it is imported to the include directories, or correct \
             the import",
        );
    }
    diagnostic
}
