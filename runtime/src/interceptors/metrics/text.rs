//! The two formats that Prometheus reads: OpenMetrics 1.0, and its own older one.

use std::fmt::{self, Write};
use std::time::UNIX_EPOCH;

use super::family::{Exemplar, Family, Kind, Series, Snapshot, Value};

/// Writes `families` as OpenMetrics has it, without the end of it all.
pub(super) fn write(families: &[Family], text: &mut String) -> fmt::Result {
    for family in families {
        let mut name = family.name.to_owned();
        if let Some(unit) = family.unit {
            name.push('_');
            name.push_str(unit);
        }
        writeln!(text, "# HELP {name} {}", family.help)?;
        writeln!(text, "# TYPE {name} {}", family.kind.as_str())?;
        if let Some(unit) = family.unit {
            writeln!(text, "# UNIT {name} {unit}")?;
        }
        for series in &family.series {
            match &series.value {
                Value::Counter(count) => sample(text, &name, "_total", series, None, *count)?,
                Value::Gauge(value) => sample(text, &name, "", series, None, *value)?,
                Value::Histogram(seen) => histogram(text, &name, series, seen)?,
            }
        }
    }
    Ok(())
}

fn histogram(text: &mut String, name: &str, series: &Series, seen: &Snapshot) -> fmt::Result {
    let bounds = seen.bounds.iter().copied().chain([f64::INFINITY]);
    let mut below = 0;
    for (bucket, (bound, count)) in bounds.zip(&seen.counts).enumerate() {
        below += count;
        begin(text, name, "_bucket", series, Some(bound))?;
        write!(text, " {below}")?;
        if let Some(Some(exemplar)) = seen.exemplars.get(bucket) {
            write_exemplar(text, exemplar)?;
        }
        text.push('\n');
    }
    sample(text, name, "_sum", series, None, Number(seen.sum))?;
    sample(text, name, "_count", series, None, below)
}

fn sample(
    text: &mut String,
    name: &str,
    suffix: &str,
    series: &Series,
    bound: Option<f64>,
    value: impl fmt::Display,
) -> fmt::Result {
    begin(text, name, suffix, series, bound)?;
    writeln!(text, " {value}")
}

/// All of a line before its value.
fn begin(
    text: &mut String,
    name: &str,
    suffix: &str,
    series: &Series,
    bound: Option<f64>,
) -> fmt::Result {
    text.push_str(name);
    text.push_str(suffix);
    let mut before = '{';
    for (label, value) in &series.labels {
        write!(text, "{before}{label}=\"{}\"", Escaped(value))?;
        before = ',';
    }
    if let Some(bound) = bound {
        write!(text, "{before}le=\"{}\"", Number(bound))?;
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
    Ok(())
}

fn write_exemplar(text: &mut String, exemplar: &Exemplar) -> fmt::Result {
    let (trace, seconds) = (exemplar.trace(), Number(exemplar.seconds));
    write!(text, " # {{trace_id=\"{trace}\"}} {seconds}")?;
    match exemplar.at.duration_since(UNIX_EPOCH) {
        Ok(at) => write!(text, " {}.{:03}", at.as_secs(), at.subsec_millis()),
        // A clock before 1970 says nothing.
        Err(_) => Ok(()),
    }
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The value of a label.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['\\', '"', '\n']) {
            let Some(special) = part.chars().next_back() else {
                continue;
            };
            let plain = part.strip_suffix(['\\', '"', '\n']).unwrap_or(part);
            f.write_str(plain)?;
            match special {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A number that is no integer, as OpenMetrics writes it: `1.0`, and not `1`.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            // Never `1e-6`: nobody would know whether all readers take it.
            number if number.fract() == 0.0 => write!(f, "{number:.1}"),
            number => write!(f, "{number}"),
        }
    }
}

/// The same metrics in Prometheus's own text format, 0.0.4, of OpenMetrics: which lacks units and
/// exemplars, and where counters are called what their samples are.
pub(super) fn to_prometheus(text: &str) -> String {
    let mut older = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let rewritten = if let Some(help) = line.strip_prefix("# HELP ") {
            let described = lines.peek().and_then(|next| next.strip_prefix("# TYPE "));
            let kind = described.and_then(|described| described.split(' ').nth(1));
            named(help, kind).map(|help| format!("# HELP {help}"))
        } else if let Some(described) = line.strip_prefix("# TYPE ") {
            let kind = described.split(' ').nth(1);
            let older = named(described, kind);
            older.map(|older| format!("# TYPE {}", of_kind(&older)))
        } else if line.starts_with('#') {
            // Units, and the end.
            None
        } else {
            Some(without_exemplar(line).to_owned())
        };
        if let Some(line) = rewritten {
            older.push_str(&line);
            older.push('\n');
        }
    }
    older
}

/// `line` begins with the name of a metric: with the suffix that its samples have.
fn named(line: &str, kind: Option<&str>) -> Option<String> {
    let (name, rest) = line.split_once(' ')?;
    let suffix = match kind {
        Some("counter") => "_total",
        Some("info") => "_info",
        _ => "",
    };
    Some(format!("{name}{suffix} {rest}"))
}

/// `described` ends with a kind, which the older format may not know.
fn of_kind(described: &str) -> String {
    let Some((name, kind)) = described.rsplit_once(' ') else {
        return described.to_owned();
    };
    let kind = match kind {
        "info" | "stateset" => "gauge",
        "unknown" => "untyped",
        kind => kind,
    };
    format!("{name} {kind}")
}

/// A sample without the exemplar behind it.
fn without_exemplar(sample: &str) -> &str {
    let (mut in_value, mut is_escaped) = (false, false);
    for (at, byte) in sample.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_value => is_escaped = true,
            b'"' => in_value = !in_value,
            b'#' if !in_value => return sample.get(..at).unwrap_or_default().trim_end(),
            _ => {}
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use super::*;

    fn written(family: Family) -> String {
        let mut text = String::new();
        write(&[family], &mut text).unwrap();
        text
    }

    #[test]
    fn a_label_is_escaped() {
        let mut family = Family::gauge("g", "Of a label.");
        let target = Cow::Borrowed("a\\b\"c\nd é\\");
        family.push(vec![("target", target)], Value::Gauge(-3));
        let expected = "# HELP g Of a label.\n# TYPE g gauge\n\
            g{target=\"a\\\\b\\\"c\\nd é\\\\\"} -3\n";
        assert_eq!(written(family), expected);
    }

    #[test]
    fn a_histogram_is_written_from_its_least_bucket_on_with_exemplars() {
        let mut family = Family::histogram("h", "Of time.");
        let trace = *b"4bf92f3577b34da6a3ce929d0e0e4736";
        let seen = Snapshot {
            bounds: vec![0.005, 1.0],
            counts: vec![2, 0, 1],
            sum: 7.0,
            exemplars: vec![
                None,
                None,
                Some(Exemplar {
                    trace_id: trace,
                    seconds: 6.5,
                    at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_020),
                }),
            ],
        };
        family.push(
            vec![("method", Cow::Borrowed("Get"))],
            Value::Histogram(seen),
        );
        let expected = "# HELP h_seconds Of time.\n# TYPE h_seconds histogram\n\
            # UNIT h_seconds seconds\n\
            h_seconds_bucket{method=\"Get\",le=\"0.005\"} 2\n\
            h_seconds_bucket{method=\"Get\",le=\"1.0\"} 2\n\
            h_seconds_bucket{method=\"Get\",le=\"+Inf\"} 3 # \
            {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 6.5 1700000000.020\n\
            h_seconds_sum{method=\"Get\"} 7.0\nh_seconds_count{method=\"Get\"} 3\n";
        assert_eq!(written(family), expected);
    }

    #[test]
    fn a_number_is_never_written_with_an_exponent() {
        for (number, text) in [(0.000_001, "0.000001"), (1e20, "100000000000000000000.0")] {
            assert_eq!(Number(number).to_string(), text);
        }
    }

    #[test]
    fn the_older_format_has_no_exemplar_no_unit_and_no_end() {
        let newer = "# HELP a Counts \"things\" # {all}.\n# TYPE a counter\n\
            a_total{t=\"x # {y\\\"} z\"} 3 # {trace_id=\"1\"} 1.0\na_total 4\n\
            # HELP b What.\n# TYPE b info\nb_info{v=\"1\"} 1\n\
            # HELP c What.\n# TYPE c unknown\nc 1\n\
            # HELP d_seconds What.\n# TYPE d_seconds gauge\n# UNIT d_seconds seconds\n\
            d_seconds 1\n# EOF\n";
        let older = "# HELP a_total Counts \"things\" # {all}.\n# TYPE a_total counter\n\
            a_total{t=\"x # {y\\\"} z\"} 3\na_total 4\n\
            # HELP b_info What.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n\
            # HELP c What.\n# TYPE c untyped\nc 1\n\
            # HELP d_seconds What.\n# TYPE d_seconds gauge\nd_seconds 1\n";
        assert_eq!(to_prometheus(newer), older);
    }
}
