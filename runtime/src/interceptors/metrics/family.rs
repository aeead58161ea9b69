//! [`Family`]: metrics as they are at one moment, before they are written in any format.

use std::borrow::Cow;
use std::time::SystemTime;

/// A metric and all its series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Family {
    /// Without the unit, and without the suffixes that a format adds.
    pub(super) name: &'static str,
    pub(super) unit: Option<&'static str>,
    /// A whole sentence.
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) series: Vec<Series>,
}

/// What can be done with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) value: Value,
}

pub(super) type Labels = Vec<(&'static str, Cow<'static, str>)>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Counter(u64),
    Gauge(i64),
    Histogram(Snapshot),
}

/// A histogram as it is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    /// In seconds; one less than there are buckets.
    pub(super) bounds: Vec<f64>,
    /// Of each bucket alone.
    pub(super) counts: Vec<u64>,
    /// In seconds.
    pub(super) sum: f64,
    /// Of each bucket; empty where there are none.
    pub(super) exemplars: Vec<Option<Exemplar>>,
}

/// A call of a bucket, to be looked at in its trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exemplar {
    /// Hexadecimal digits.
    pub(super) trace_id: [u8; 32],
    pub(super) seconds: f64,
    pub(super) at: SystemTime,
}

impl Family {
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, Kind::Counter)
    }

    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, Kind::Gauge)
    }

    /// Of durations.
    pub(super) fn histogram(name: &'static str, help: &'static str) -> Self {
        Self {
            unit: Some("seconds"),
            ..Self::new(name, help, Kind::Histogram)
        }
    }

    fn new(name: &'static str, help: &'static str, kind: Kind) -> Self {
        Self {
            name,
            unit: None,
            help,
            kind,
            series: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, labels: Labels, value: Value) {
        self.series.push(Series { labels, value });
    }
}

impl Snapshot {
    /// How many calls there were.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Exemplar {
    pub(super) fn trace(&self) -> &str {
        // It was made of one.
        std::str::from_utf8(&self.trace_id).unwrap_or_default()
    }
}
