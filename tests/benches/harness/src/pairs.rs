//! Figures of two sides that were taken in turn, as ratios.

/// A ratio of two sides, and the interval that holds it with 95%.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The ratio itself.
    pub middle: f64,
    /// The interval's ends.
    pub interval: (f64, f64),
}

/// The mean of the pairs' ratios, with Student's interval.
#[must_use]
pub fn mean_ratio(pairs: &[(f64, f64)]) -> Ratio {
    // Of 20 pairs; of more it is a little less.
    const STUDENT_T: f64 = 2.09;
    let ratios = ratios(pairs);
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let half = STUDENT_T * (variance / n).sqrt();
    Ratio {
        middle: mean,
        interval: (mean - half, mean + half),
    }
}

/// The median of the pairs' ratios, with the interval of their ranks: it asks nothing of how they are
/// spread. With fewer than six pairs it is all of them, and holds the median with less than 95%.
#[must_use]
pub fn median_ratio(pairs: &[(f64, f64)]) -> Ratio {
    let mut ratios = ratios(pairs);
    ratios.sort_by(f64::total_cmp);
    let rank = rank(ratios.len());
    let at = |place: usize| ratios.get(place).copied().unwrap_or(f64::NAN);
    Ratio {
        middle: median(ratios.iter().copied()),
        interval: (at(rank), at(ratios.len().saturating_sub(rank + 1))),
    }
}

/// The middle one of the values, or what lies between the two in the middle.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    (at(values.len().saturating_sub(1) / 2) + at(values.len() / 2)) / 2.0
}

fn ratios(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(a, b)| a / b).collect()
}

/// How many values may be left out at each end so that the median is between the others with 95%: each
/// value is below it as often as a coin shows its head.
fn rank(n: usize) -> usize {
    let mut rank = 0;
    let mut chance = 0.5_f64.powi(n as i32);
    let mut below = chance;
    while below <= 0.025 && rank < n / 2 {
        rank += 1;
        chance *= (n + 1 - rank) as f64 / rank as f64;
        below += chance;
    }
    rank.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_median_is_that_of_the_tables() {
        // Of 20 values the 6th and the 15th, of 10 the 2nd and the 9th, of 6 the ends.
        for (n, left_out) in [(3, 0), (6, 0), (10, 1), (20, 5), (40, 13)] {
            assert_eq!(rank(n), left_out, "{n}");
        }
        let pairs: Vec<_> = (1..=20).map(|n| (f64::from(n), 1.0)).collect();
        let ratio = median_ratio(&pairs);
        assert_eq!((ratio.middle, ratio.interval), (10.5, (6.0, 15.0)));
    }

    #[test]
    fn a_mean_has_an_interval_around_it() {
        let ratio = mean_ratio(&[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0)]);
        assert_eq!(ratio.middle, 2.0);
        assert!(ratio.interval.0 < 1.0 && ratio.interval.1 > 3.0);
    }
}
