//! Which of its two formats a scraper wants.

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether a scraper would rather have OpenMetrics 1.0 than Prometheus' own format (RFC 9110, section
/// 12.5.1). Only who names it does: what takes anything, a browser for example, gets what everything
/// reads.
pub(super) fn wants_openmetrics(headers: &HeaderMap) -> bool {
    let (mut openmetrics, mut plain, mut text, mut any) = (0, None, None, None);
    let accepts = headers.get_all(ACCEPT).iter();
    let ranges = accepts.filter_map(|accept| accept.to_str().ok());
    for range in ranges.flat_map(|accept| accept.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut version) = (1000, None);
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim()),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        let most = |known: Option<u16>| Some(known.unwrap_or(0).max(quality));
        match kind.as_str() {
            "application/openmetrics-text" if matches!(version, None | Some("1.0.0")) => {
                openmetrics = quality.max(openmetrics);
            }
            "text/plain" if matches!(version, None | Some("0.0.4")) => plain = most(plain),
            "text/*" => text = most(text),
            "*/*" => any = most(any),
            _ => {}
        }
    }
    // What is said of a type itself goes before what is said of many.
    let plain = plain.or(text).or(any).unwrap_or(0);
    openmetrics > 0 && openmetrics >= plain
}

/// A weight: `0.75` is 750. What isn't one counts for nothing.
fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let is_weight = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, is_weight) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(accept: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for accept in accept {
            headers.append(ACCEPT, accept.parse().unwrap());
        }
        wants_openmetrics(&headers)
    }

    #[test]
    fn who_names_openmetrics_first_gets_it() {
        for accept in [
            // Prometheus 3 and 2.
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text;version=1.0.0,\
             application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.001",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0.3, text/plain;q=0.2, */*",
        ] {
            assert!(wants(&[accept]), "{accept}");
        }
        assert!(wants(&["text/html", "application/openmetrics-text"]));
    }

    #[test]
    fn everybody_else_gets_the_older_format() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=none",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0.3, text/plain;q=0.5",
            "application/openmetrics-text;q=0.3, text/*",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
        ] {
            assert!(!wants(&[accept]), "{accept}");
        }
        assert!(!wants(&[]));
    }

    #[test]
    fn a_weight_is_read_as_http_has_it() {
        for (text, thousandths) in [
            ("1", 1000),
            ("1.000", 1000),
            ("0", 0),
            ("0.", 0),
            ("0.7", 700),
            ("0.001", 1),
            ("0.0001", 0),
            ("-1", 0),
            ("2", 0),
            ("", 0),
        ] {
            assert_eq!(super::thousandths(text), thousandths, "{text}");
        }
    }
}
