//! `SPEC.md` is whole and true: every row has a status, and every test that it names exists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_row_is_well_formed() {
    let rows = rows();
    assert!(rows.len() > 300, "only {} rows were read", rows.len());
    let faults: Vec<String> = rows.iter().filter_map(Row::fault).collect();
    assert!(faults.is_empty(), "SPEC.md:\n{}", faults.join("\n"));
}

#[test]
fn every_named_test_exists() {
    let mut faults = Vec::new();
    for row in rows().iter().filter(|row| row.status == "held") {
        for (file, function) in row.tests() {
            if let Err(why) = find_test(file, function) {
                faults.push(format!("SPEC.md:{}: {}: {why}", row.line, row.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn ids_are_unique() {
    let mut seen = BTreeMap::new();
    for row in rows() {
        if let Some(first) = seen.insert(row.id.clone(), row.line) {
            panic!(
                "SPEC.md:{}: {} is already the id of line {first}",
                row.line, row.id
            );
        }
    }
}

#[test]
fn every_property_has_a_row() {
    let ids: BTreeSet<String> = rows().into_iter().map(|row| row.id).collect();
    for number in 1..=13 {
        let id = format!("DES-P{number}");
        assert!(ids.contains(&id), "SPEC.md has no row {id}");
    }
}

#[test]
fn property_tests_are_tagged_with_their_property() {
    for row in rows().iter().filter(|row| row.status == "held") {
        let Some(number) = row.id.strip_prefix("DES-P") else {
            continue;
        };
        let tag = format!("property_{number:0>2}_");
        for (file, function) in row.tests() {
            assert!(
                function.starts_with(&tag),
                "{file}: `{function}` holds property {number}, so its name starts with `{tag}`"
            );
        }
    }
}

/// proptest's own default is 256; a file that sets another number sets no less than 100.
#[test]
fn property_tests_run_at_least_100_times() {
    for row in rows().iter().filter(|row| row.id.starts_with("DES-P")) {
        for (file, _) in row.tests() {
            let text = fs::read_to_string(root().join(file)).unwrap();
            for before in ["with_cases(", "CASES: u32 = "] {
                for after in text.split(before).skip(1) {
                    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
                    let cases = digits.parse::<u32>().unwrap_or(u32::MAX);
                    assert!(cases >= 100, "{file}: {cases} cases, and 100 are required");
                }
            }
        }
    }
}

/// Clients are resilient by 29 rules, and each is held by a test that is found by its number.
#[test]
fn every_rule_of_the_client_has_a_test() {
    let mut held: BTreeMap<u32, usize> = BTreeMap::new();
    for folder in ["runtime/src/client", "tests/tests"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            for rule in rules(&text) {
                *held.entry(rule).or_default() += 1;
            }
        }
    }
    let missing: Vec<u32> = (1..=29).filter(|rule| !held.contains_key(rule)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
    let unknown: Vec<_> = held
        .keys()
        .filter(|rule| !(1..=29).contains(*rule))
        .collect();
    assert!(unknown.is_empty(), "there are no rules {unknown:?}");
}

#[test]
fn a_function_that_is_no_test_holds_no_rule() {
    let text = "#[test]\nfn rule_07_a() {}\n\nfn rule_08_b() {}\n\n\
        #[tokio::test(start_paused = true)]\nasync fn rule_09_c() {}\n\n\
        #[test]\n#[ignore]\nfn rule_10_d() {}\n";
    assert_eq!(rules(text), [7, 9]);
}

#[test]
fn ci_runs_every_test() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(script.contains("cargo test --workspace"), "{script}");
}

/// One row of the matrix.
struct Row {
    line: usize,
    id: String,
    document: String,
    requirement: String,
    status: String,
    note: String,
}

impl Row {
    /// What is wrong with the row by itself.
    fn fault(&self) -> Option<String> {
        let documents = [
            ("A17", "ADR-017"),
            ("DES", "design"),
            ("A04", "ADR-004"),
            ("GUI", "guide"),
            ("A15", "ADR-015"),
        ];
        let prefix = self.id.split('-').next().unwrap_or_default();
        let why = if !documents.contains(&(prefix, self.document.as_str())) {
            format!("the id doesn't belong to the document `{}`", self.document)
        } else if self.requirement.is_empty() {
            "no requirement".to_owned()
        } else {
            match self.status.as_str() {
                "open" => return None,
                "held" if self.tests().is_empty() => "held, but names no `file::function`".into(),
                "differs" if self.note.is_empty() => "differs, but gives no reason".into(),
                "held" | "differs" => return None,
                other => format!("`{other}` is not one of held, open, differs"),
            }
        };
        Some(format!("line {}: {}: {why}", self.line, self.id))
    }

    /// The tests in the last column: each `file::function` between backticks.
    fn tests(&self) -> Vec<(&str, &str)> {
        self.note
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|name| name.split_once("::"))
            .collect()
    }
}

/// The rows of `SPEC.md`: the lines of its tables whose first cell looks like an id.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("SPEC.md")).unwrap();
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(inner) = line.strip_prefix("| ") else {
            continue;
        };
        let cells: Vec<&str> = inner
            .trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        let is_id = cells
            .first()
            .is_some_and(|cell| cell.contains('-') && !cell.contains(' '));
        if !is_id {
            continue;
        }
        let [id, document, requirement, status, note] = cells[..] else {
            panic!(
                "SPEC.md:{}: {} cells where 5 belong",
                index + 1,
                cells.len()
            );
        };
        rows.push(Row {
            line: index + 1,
            id: id.to_owned(),
            document: document.to_owned(),
            requirement: requirement.to_owned(),
            status: status.trim_matches('`').to_owned(),
            note: note.to_owned(),
        });
    }
    rows
}

/// Looks for `function` in `file`, with a test attribute above it or in a macro that makes tests.
fn find_test(file: &str, function: &str) -> Result<(), String> {
    let text = fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    let Some(at) = declaration(&text, function) else {
        return Err(format!("{file} has no function `{function}`"));
    };
    let attributes = above(&text, at);
    if attributes.contains("#[test]") || attributes.contains("::test") {
        Ok(())
    } else {
        Err(format!("`{function}` in {file} is not a test"))
    }
}

/// The rules that the tests of a file are named after; what is never run is no test.
fn rules(text: &str) -> Vec<u32> {
    let mut rules = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let name = content.split_once("fn rule_").map(|(_, name)| name);
        let number = name.and_then(|name| name.get(..2)?.parse::<u32>().ok());
        let attributes = above(text, line);
        let is_test = attributes.contains("#[test]") || attributes.contains("::test");
        if is_test && !attributes.contains("#[ignore") {
            rules.extend(number);
        }
    }
    rules
}

/// All files of Rust in a folder and those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The number of the line that declares a function.
fn declaration(text: &str, function: &str) -> Option<usize> {
    let declared = format!("fn {function}(");
    text.lines().position(|line| line.contains(&declared))
}

/// The lines above a declaration that are comments or attributes.
fn above(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let kept = lines.iter().rev().take_while(|line| {
        let line = line.trim_start();
        line.starts_with("//") || line.starts_with('#')
    });
    kept.copied().collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
