//! [`OutlierEjection`]: when an endpoint is left out, and for how long.

use std::time::Duration;

/// When an endpoint whose calls fail is left out for a while, so that calls go to the others
/// ([gRFC A50](https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md)).
///
/// Failures are UNAVAILABLE, `DEADLINE_EXCEEDED`, INTERNAL, UNKNOWN and `DATA_LOSS`. At most a tenth of a
/// target's endpoints are left out at once, but one at least, if there is more than one: for 30 seconds
/// the first time, for as long again with each time after it, and for 300 seconds at most. Where all
/// endpoints are left out, calls go to them as if none was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierEjection {
    pub(super) in_row: Option<u32>,
    pub(super) percentage: Option<Rate>,
    pub(super) deviation: Option<Rate>,
    pub(super) interval: Duration,
    base_time: Duration,
    max_time: Duration,
}

/// By which rate an endpoint is ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    /// Percent of calls that fail, or standard deviations below the mean.
    pub(super) bound: f64,
    /// Endpoints with fewer calls in an interval are not looked at.
    min_calls: u32,
    /// With fewer endpoints that have so many calls, none is.
    min_endpoints: usize,
}

impl Default for OutlierEjection {
    fn default() -> Self {
        Self::new()
    }
}

impl OutlierEjection {
    /// After 5 failures in a row; or when 85% of at least 50 calls within 10 seconds failed, if 5
    /// endpoints at least have as many calls.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_row: Some(5),
            percentage: Some(Rate {
                bound: 85.0,
                min_calls: 50,
                min_endpoints: 5,
            }),
            deviation: None,
            interval: Duration::from_secs(10),
            base_time: Duration::from_secs(30),
            max_time: Duration::from_secs(300),
        }
    }

    /// Never: all endpoints are picked, whatever their calls say.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            in_row: None,
            percentage: None,
            deviation: None,
            ..Self::new()
        }
    }

    /// After so many failures in a row; 0 for never. Default: 5.
    #[must_use]
    pub const fn in_row(mut self, failures: u32) -> Self {
        self.in_row = match failures {
            0 => None,
            failures => Some(failures),
        };
        self
    }

    /// When so many percent of an interval's calls failed, if there were `min_calls` at least, and as
    /// many on 5 endpoints at least. Default: 85% of 50.
    #[must_use]
    pub const fn percentage(mut self, percent: u32, min_calls: u32) -> Self {
        self.percentage = Some(Rate {
            bound: percent as f64,
            min_calls,
            min_endpoints: 5,
        });
        self
    }

    /// When the part of an interval's calls that succeed is so many standard deviations below the mean of
    /// all endpoints, if there were `min_calls` at least, and as many on 5 endpoints at least. gRPC and
    /// Envoy have 1.9 of 100. Default: never, for where next to nothing fails, next to nothing is an
    /// outlier.
    #[must_use]
    pub const fn success_rate(mut self, deviations: f64, min_calls: u32) -> Self {
        self.deviation = Some(Rate {
            bound: deviations,
            min_calls,
            min_endpoints: 5,
        });
        self
    }

    /// Looks at rates, and at who comes back, this often. Default: 10 seconds; a second at least.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_secs(1));
        self
    }

    /// Leaves an endpoint out for `base` times how often it was of late, and for `max` at most. Default:
    /// 30 and 300 seconds.
    #[must_use]
    pub const fn time(mut self, base: Duration, max: Duration) -> Self {
        self.base_time = base;
        self.max_time = max;
        self
    }

    pub(super) const fn is_off(&self) -> bool {
        self.in_row.is_none() && !self.has_rates()
    }

    pub(super) const fn has_rates(&self) -> bool {
        self.percentage.is_some() || self.deviation.is_some()
    }

    pub(super) fn time_of(&self, times: u32) -> Duration {
        // A base above the maximum is what somebody wants.
        let max = self.max_time.max(self.base_time);
        self.base_time.saturating_mul(times).min(max)
    }
}

impl Rate {
    /// The success rates in percent, of those with enough calls; none where these are too few.
    pub(super) fn success_rates(&self, calls: &[(u32, u32)]) -> Vec<(usize, f64)> {
        let rates = calls.iter().enumerate().filter_map(|(at, (well, badly))| {
            let all = well.saturating_add(*badly);
            let rate = 100.0 * f64::from(*well) / f64::from(all.max(1));
            (all >= self.min_calls.max(1)).then_some((at, rate))
        });
        let rates: Vec<_> = rates.collect();
        match rates.len() >= self.min_endpoints {
            true => rates,
            false => Vec::new(),
        }
    }
}
