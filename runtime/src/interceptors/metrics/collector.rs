//! [`Metrics`] in a registry of prometheus-client, beside whatever else is there.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::Metrics;
use super::family::{Family, Kind, Value};

impl Collector for Metrics {
    /// Without exemplars: that crate has none for collectors.
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.gather().iter().try_for_each(|family| {
            let unit = family.unit.map(|unit| Unit::Other(unit.to_owned()));
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let metric =
                encoder.encode_descriptor(family.name, family.help, unit.as_ref(), kind)?;
            series(family, metric)
        })
    }
}

fn series(family: &Family, mut metric: MetricEncoder<'_>) -> fmt::Result {
    for series in &family.series {
        let mut one = metric.encode_family(&series.labels)?;
        match &series.value {
            Value::Counter(count) => one.encode_counter::<NoLabelSet, u64, f64>(count, None)?,
            Value::Gauge(value) => one.encode_gauge(value)?,
            Value::Histogram(seen) => {
                let bounds = seen.bounds.iter().copied().chain([f64::INFINITY]);
                let buckets: Vec<_> = bounds.zip(seen.counts.iter().copied()).collect();
                one.encode_histogram::<NoLabelSet>(seen.sum, seen.count(), &buckets, None)?;
            }
        }
    }
    Ok(())
}
