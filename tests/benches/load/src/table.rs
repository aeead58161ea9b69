//! Columns of the tables of a comparison.

use bench_harness::{Ratio, median, median_ratio};

use crate::run::Figures;

/// Three columns of two sides: both medians, and the median ratio of the pairs with its 95% interval.
#[must_use]
pub fn columns(a: &[Figures], b: &[Figures], of: fn(&Figures) -> f64, digits: usize) -> String {
    let both = [a, b].map(|side| median(side.iter().map(of)));
    let [a_median, b_median] = both;
    format!(
        "{a_median:.digits$} | {b_median:.digits$} | {}",
        ratio(a, b, of)
    )
}

/// The median ratio of the pairs, with its 95% interval.
#[must_use]
pub fn ratio(a: &[Figures], b: &[Figures], of: fn(&Figures) -> f64) -> String {
    let pairs: Vec<_> = a.iter().map(of).zip(b.iter().map(of)).collect();
    let Ratio {
        middle,
        interval: (low, high),
    } = median_ratio(&pairs);
    format!("{middle:.2} [{low:.2}, {high:.2}]")
}

/// Medians of p50, p90 and p99: `50/90/99`.
#[must_use]
pub fn latencies(figures: &[Figures]) -> String {
    let of = |place: usize| {
        let values = figures.iter().filter_map(|one| one.latencies.get(place));
        format!("{:.0}", median(values.copied()))
    };
    [of(0), of(1), of(2)].join("/")
}
