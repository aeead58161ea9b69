//! Columns of the tables of a comparison.

use bench_harness::{Ratio, median, median_ratio};

use crate::run::Figures;

/// One of the [`Figures`], or what is made of them.
pub type Figure = fn(&Figures) -> f64;

/// What a table says of two sides.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Both medians, with so many digits, and the median ratio of the pairs with its 95% interval.
    Medians(&'static str, Figure, usize),
    /// Of both, the medians of p50, p90 and p99: `50/90/99`.
    Latencies,
    /// The ratio alone.
    Ratio(&'static str, Figure),
}

impl Column {
    /// The headings, of these two.
    pub(super) fn titles(&self, a: &str, b: &str) -> String {
        match self {
            Self::Medians(what, ..) => format!("{what}: {a} | {b} | ratio [95%]"),
            Self::Latencies => format!("p50/p90/p99 µs: {a} | {b}"),
            Self::Ratio(what, _) => format!("{what} ratio [95%]"),
        }
    }

    /// What stands below them.
    pub(super) fn cells(&self, a: &[Figures], b: &[Figures]) -> String {
        match *self {
            Self::Medians(_, of, digits) => {
                let [a_median, b_median] = [a, b].map(|side| median(side.iter().map(of)));
                let ratio = ratio(a, b, of);
                format!("{a_median:.digits$} | {b_median:.digits$} | {ratio}")
            }
            Self::Latencies => format!("{} | {}", latencies(a), latencies(b)),
            Self::Ratio(_, of) => ratio(a, b, of),
        }
    }
}

fn ratio(a: &[Figures], b: &[Figures], of: Figure) -> String {
    let pairs: Vec<_> = a.iter().map(of).zip(b.iter().map(of)).collect();
    let Ratio {
        middle,
        interval: (low, high),
    } = median_ratio(&pairs);
    format!("{middle:.2} [{low:.2}, {high:.2}]")
}

fn latencies(figures: &[Figures]) -> String {
    let of = |place: usize| {
        let values = figures.iter().filter_map(|one| one.latencies.get(place));
        format!("{:.0}", median(values.copied()))
    };
    [of(0), of(1), of(2)].join("/")
}
