//! What a key that nobody knows was meant to be.

use super::{CONFIG_FILE, OVERRIDE_KEY, PREFIX, Row, SECTIONS, Table};

/// What to say of a variable that nobody knows. `name` is what follows `GRPC__`, in upper case.
pub(super) fn unknown_variable<S: Table>(name: &str) -> String {
    let section = format!("{}__", S::SECTION);
    let (in_section, name) = match name.strip_prefix(&section) {
        Some(name) => (true, name),
        None => (false, name),
    };
    // What is another section's is its own to judge.
    if !in_section
        && let Some((other, rest)) = name.split_once("__")
        && let Some(other) = nearest(other, SECTIONS)
        && other != S::SECTION
    {
        return did_you_mean(&format!("{PREFIX}{other}__{rest}"));
    }
    if let Some(name) = name.strip_prefix(OVERRIDE_KEY)
        && in_section
        && S::ROWS.iter().any(Row::is_overridable)
    {
        return unknown_override::<S>(name);
    }
    let mut spellings = Vec::new();
    let overrides = S::ROWS.iter().filter(|row| row.is_overridable());
    let overrides = overrides.map(|row| format!("{OVERRIDE_KEY}{}", row.key()));
    for key in S::ROWS.iter().map(Row::key).chain(overrides) {
        let meant = format!("{section}{key}");
        if !in_section {
            spellings.push((meant.clone(), meant.clone()));
        }
        spellings.push((key, meant));
    }
    spellings.push((CONFIG_FILE.to_owned(), CONFIG_FILE.to_owned()));
    let near = nearest(
        name,
        spellings.iter().map(|(spelling, _)| spelling.as_str()),
    );
    match near.and_then(|near| spellings.iter().find(|(spelling, _)| spelling == near)) {
        Some((_, meant)) => did_you_mean(&format!("{PREFIX}{meant}")),
        None => {
            let known = S::ROWS.iter().filter(|row| row.is_enforced());
            let known = known.map(|row| format!("{section}{}", row.key()));
            let known = known.chain([CONFIG_FILE.to_owned()]);
            there_are(known.map(|name| format!("{PREFIX}{name}")))
        }
    }
}

/// The same of what follows `GRPC__CLIENT__OVERRIDE__`.
fn unknown_override<S: Table>(name: &str) -> String {
    let rows = || S::ROWS.iter().filter(|row| row.is_overridable());
    let whole = |key: &str| format!("{PREFIX}{}__{OVERRIDE_KEY}{key}", S::SECTION);
    if S::ROWS.iter().any(|row| row.key() == name) {
        let meant = format!("{PREFIX}{}__{name}", S::SECTION);
        return format!("it can't be overridden; set `{meant}`, or unset it");
    }
    let keys: Vec<_> = rows().map(Row::key).collect();
    match nearest(name, keys.iter().map(String::as_str)) {
        Some(meant) => did_you_mean(&whole(meant)),
        None => there_are(keys.iter().map(|key| whole(key))),
    }
}

/// What to say of a key of the file that nobody knows, in a table that has these.
#[cfg(feature = "config")]
pub(super) fn unknown_key<S: Table>(
    key: &str,
    rows: impl Iterator<Item = &'static Row<S>> + Clone,
) -> String {
    match nearest(key, rows.clone().map(|row| row.name)) {
        Some(meant) => did_you_mean(meant),
        None => {
            let known = rows.filter(|row| row.is_enforced());
            there_are(known.map(|row| row.name.to_owned()))
        }
    }
}

/// What to say of a key at the top of the file.
#[cfg(feature = "config")]
pub(super) fn unknown_table<S: Table>(key: &str) -> String {
    let sections = SECTIONS.map(str::to_lowercase);
    if let Some(meant) = nearest(key, sections.iter().map(String::as_str)) {
        return did_you_mean(&format!("[{meant}]"));
    }
    match nearest(key, S::ROWS.iter().map(|row| row.name)) {
        Some(meant) => {
            let section = S::SECTION.to_lowercase();
            format!("there is no such table; did you mean `{meant}` below `[{section}]`?")
        }
        None => there_are(sections.iter().map(|name| format!("[{name}]"))),
    }
}

fn did_you_mean(meant: &str) -> String {
    format!("there is no such setting; did you mean `{meant}`?")
}

fn there_are(known: impl Iterator<Item = String>) -> String {
    let known: Vec<_> = known.collect();
    format!("there is no such setting; there are {}", known.join(", "))
}

/// The candidate that `word` is most likely a slip of the pen for, or else the beginning of; the first
/// of several. Case and hyphens don't count.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let candidates: Vec<_> = candidates.into_iter().collect();
    let begun = format!("{word}_");
    candidates
        .iter()
        .map(|candidate| (edits(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(edits, candidate)| *edits <= candidate.len().div_ceil(3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            let mut candidates = candidates.into_iter();
            candidates.find(|candidate| candidate.to_lowercase().starts_with(&begun))
        })
}

/// How many characters have to be added, removed or replaced to make one of the other.
fn edits(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, have) in from.chars().enumerate() {
        let mut current = Vec::with_capacity(above.len());
        let mut left = line + 1;
        current.push(left);
        for (pair, want) in above.windows(2).zip(to.chars()) {
            let &[diagonal, up] = pair else { continue };
            let replaced = diagonal + usize::from(have != want);
            left = replaced.min(up + 1).min(left + 1);
            current.push(left);
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}
