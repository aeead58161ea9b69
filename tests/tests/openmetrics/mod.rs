//! A page of metrics, read as strictly as OpenMetrics 1.0 has it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::str::Chars;

pub(crate) type Labels = BTreeMap<String, String>;

/// A page without a fault.
#[derive(Debug)]
pub(crate) struct Page {
    families: Vec<Family>,
}

/// A metric, as it is described, and its samples.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) name: String,
    help: Option<String>,
    kind: Option<String>,
    unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(Labels, f64)>,
}

impl Sample {
    /// What it has under this name.
    ///
    /// # Panics
    ///
    /// When it has no such label.
    pub(crate) fn label(&self, name: &str) -> &str {
        let label = self.labels.get(name);
        label.unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
    }
}

impl Page {
    /// Reads a page.
    ///
    /// # Panics
    ///
    /// At its first fault.
    pub(crate) fn read(text: &str) -> Self {
        let body = text
            .strip_suffix("# EOF\n")
            .unwrap_or_else(|| panic!("no end: {text}"));
        let mut families: Vec<Family> = Vec::new();
        for line in body.lines() {
            assert!(!line.is_empty(), "an empty line");
            match line.strip_prefix("# ") {
                Some(words) => describe(&mut families, words),
                None => {
                    let sample = Sample::read(line);
                    let family = families
                        .last_mut()
                        .unwrap_or_else(|| panic!("of what? {line}"));
                    assert!(
                        family.has(&sample.name),
                        "`{line}` is none of {}",
                        family.name
                    );
                    family.samples.push(sample);
                }
            }
        }
        let names: BTreeSet<_> = families.iter().map(|family| &family.name).collect();
        assert_eq!(names.len(), families.len(), "a family stands there twice");
        families.iter().for_each(Family::check);
        Self { families }
    }

    /// The value of the one series with these labels; `None` where there is none.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let found: Vec<_> = self.samples(name, labels);
        assert!(found.len() <= 1, "{name} {labels:?}: {found:?}");
        found.first().map(|sample| sample.value)
    }

    /// The sum of the values of all series that have these labels among theirs.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels)
            .iter()
            .map(|sample| sample.value)
            .sum()
    }

    /// The samples of this name that have these labels among theirs.
    pub(crate) fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let all = self.families.iter().flat_map(|family| &family.samples);
        let has = |sample: &Sample| {
            let mut labels = labels.iter();
            labels.all(|(label, value)| sample.labels.get(*label).is_some_and(|own| own == value))
        };
        all.filter(|sample| sample.name == name && has(sample))
            .collect()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.families.iter().map(|family| &*family.name).collect()
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> usize {
        self.families
            .iter()
            .map(|family| family.samples.len())
            .sum()
    }
}

/// `HELP`, `TYPE` or `UNIT`.
fn describe(families: &mut Vec<Family>, words: &str) {
    let (what, rest) = words.split_once(' ').unwrap();
    let (name, said) = rest.split_once(' ').unwrap();
    assert!(is_name(name), "`{name}` is no name of a metric");
    let is_open = |family: &Family| family.name == name && family.samples.is_empty();
    if !families.last().is_some_and(is_open) {
        families.push(Family {
            name: name.to_owned(),
            ..Family::default()
        });
    }
    let family = families.last_mut().unwrap();
    let before = match what {
        "HELP" => family.help.replace(said.to_owned()),
        "TYPE" => family.kind.replace(said.to_owned()),
        "UNIT" => family.unit.replace(said.to_owned()),
        other => panic!("`# {other}`"),
    };
    assert_eq!(before, None, "`{what}` of `{name}` stands there twice");
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

impl Family {
    fn suffixes(&self) -> &'static [&'static str] {
        match self.kind.as_deref() {
            Some("counter") => &["_total", "_created"],
            Some("histogram") => &["_bucket", "_count", "_sum", "_created"],
            Some("gauge" | "unknown") => &[""],
            Some("info") => &["_info"],
            other => panic!("{}: the type {other:?}", self.name),
        }
    }

    fn has(&self, sample: &str) -> bool {
        let suffix = sample.strip_prefix(&self.name);
        suffix.is_some_and(|suffix| self.suffixes().contains(&suffix))
    }

    fn check(&self) {
        let name = &self.name;
        let help = self
            .help
            .as_ref()
            .unwrap_or_else(|| panic!("{name} has no help"));
        assert!(help.ends_with('.'), "{name}: {help}");
        if let Some(unit) = &self.unit {
            assert!(
                name.ends_with(&format!("_{unit}")),
                "{name} is not in {unit}"
            );
        }
        assert!(
            !name.ends_with("_total"),
            "{name}: the suffix is its samples'"
        );
        let mut seen = BTreeSet::new();
        for sample in &self.samples {
            let is_new = seen.insert((&sample.name, &sample.labels));
            assert!(is_new, "{sample:?} stands there twice");
            if self.kind.as_deref() == Some("counter") {
                assert!(sample.value >= 0.0, "{sample:?}");
            }
            if sample.exemplar.is_some() {
                let has_one = ["_bucket", "_total"].map(|suffix| sample.name.ends_with(suffix));
                assert!(has_one.contains(&true), "an exemplar of {}", sample.name);
            }
        }
        if self.kind.as_deref() == Some("histogram") {
            self.check_histograms();
        }
    }

    /// Each has its buckets in order, none less than the one before, and as many in the last as there are.
    fn check_histograms(&self) {
        let mut histograms: BTreeMap<Labels, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            let mut labels = sample.labels.clone();
            labels.remove("le");
            histograms.entry(labels).or_default().push(sample);
        }
        for (labels, samples) in histograms {
            let with = |suffix: &str| {
                let name = format!("{}{suffix}", self.name);
                let found = samples.iter().filter(move |sample| sample.name == name);
                found.copied().collect::<Vec<_>>()
            };
            let (mut bound, mut count) = (f64::NEG_INFINITY, 0.0);
            for bucket in with("_bucket") {
                let le = number(bucket.label("le"));
                assert!(le > bound, "{bucket:?} comes after {bound}");
                assert!(bucket.value >= count, "{bucket:?} is less than {count}");
                if let Some((_, value)) = &bucket.exemplar {
                    assert!((bound..=le).contains(value), "{bucket:?} is above {bound}");
                }
                (bound, count) = (le, bucket.value);
            }
            assert!(bound.is_infinite(), "{} {labels:?} has no +Inf", self.name);
            let [counted] = with("_count")[..] else {
                panic!("{} {labels:?} has no count", self.name);
            };
            assert!(
                (counted.value - count).abs() < 0.5,
                "{counted:?}, and {count} in buckets"
            );
            assert_eq!(with("_sum").len(), 1, "{} {labels:?}", self.name);
        }
    }
}

impl Sample {
    /// `name{label="value",…} value`, and an exemplar.
    fn read(line: &str) -> Self {
        let end = line
            .find(['{', ' '])
            .unwrap_or_else(|| panic!("no value: {line}"));
        let (name, rest) = line.split_at(end);
        assert!(is_name(name), "`{name}` is no name of a sample");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (Labels::new(), rest),
        };
        let rest = rest
            .strip_prefix(' ')
            .unwrap_or_else(|| panic!("no value: {line}"));
        let (value, exemplar) = match rest.split_once(" # {") {
            Some((value, exemplar)) => (value, Some(read_exemplar(exemplar))),
            None => (rest, None),
        };
        Self {
            name: name.to_owned(),
            labels,
            value: number(value),
            exemplar,
        }
    }
}

/// `label="value"} value timestamp`.
fn read_exemplar(text: &str) -> (Labels, f64) {
    let (labels, rest) = labels(text);
    let length: usize = labels
        .iter()
        .map(|(label, value)| label.len() + value.len())
        .sum();
    assert!(length <= 128, "an exemplar of {length} characters");
    let numbers: Vec<_> = rest.trim().split(' ').map(number).collect();
    match numbers[..] {
        [value] => (labels, value),
        [value, at] => {
            assert!(at > 1.6e9, "an exemplar of the past: {text}");
            (labels, value)
        }
        _ => panic!("not an exemplar: {text}"),
    }
}

/// What stands before `}`, and what stands behind it.
fn labels(text: &str) -> (Labels, &str) {
    let (mut labels, mut rest) = (Labels::new(), text);
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return (labels, behind);
        }
        let (label, value) = rest.split_once("=\"").unwrap();
        assert!(
            is_name(label) && !label.contains(':'),
            "`{label}` is no label"
        );
        let mut chars = value.chars();
        let value = unescaped(&mut chars);
        let before = labels.insert(label.to_owned(), value);
        assert_eq!(before, None, "`{label}` twice: {text}");
        rest = chars.as_str();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn unescaped(chars: &mut Chars<'_>) -> String {
    let mut value = String::new();
    loop {
        match chars.next().unwrap() {
            '"' => return value,
            '\\' => value.push(match chars.next().unwrap() {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                other => panic!("`\\{other}`"),
            }),
            other => value.push(other),
        }
    }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        text => text
            .parse()
            .unwrap_or_else(|_| panic!("`{text}` is no number")),
    }
}
