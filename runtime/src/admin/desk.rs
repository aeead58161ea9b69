//! [`Desk`]: answers the requests of the admin port.

use std::fmt::Write as _;
use std::sync::Arc;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Method as Verb, Response, StatusCode};

use super::board::Board;
use super::host::{self, Misdirected};
use super::page::{Page, STYLE};
#[cfg(feature = "prometheus")]
use crate::Metrics;

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// What there is, for who asks for something else.
const THERE_IS: &str =
    "there is / (the status page), /status.json, /metrics, /healthz and /readyz\n";

/// What every answer has. A browser keeps none of it, takes nothing from elsewhere for it, and shows it in
/// no page of others.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("content-security-policy"),
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("referrer-policy"), "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Answers requests.
pub(crate) struct Desk {
    pub(crate) board: Arc<Board>,
    /// The hosts that it answers for, beside those that it always does.
    pub(crate) names: Vec<String>,
    #[cfg(feature = "prometheus")]
    pub(crate) metrics: Option<Metrics>,
}

impl Desk {
    /// The answer to a request. It waits for nothing.
    pub(super) fn answer(&self, request: &Parts) -> Response<String> {
        let mut response = self.route(request);
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn route(&self, request: &Parts) -> Response<String> {
        if let Err(Misdirected(host)) = host::check(request, &self.names) {
            let said = format!(
                "this port answers requests for IP addresses, `localhost` and the names that \
                 GRPC__SERVER__ADMIN_NAMES has, and this one is for `{host}`\n"
            );
            return answer(StatusCode::MISDIRECTED_REQUEST, TEXT, said);
        }
        if request.method != Verb::GET && request.method != Verb::HEAD {
            let said = "nothing can be changed here: it takes GET and HEAD\n".to_owned();
            let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, said);
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        let ok = StatusCode::OK;
        match request.uri.path() {
            "/" => {
                let refresh = request.uri.query().and_then(refresh);
                let page = Page::of(&self.board.look(), refresh).to_string();
                answer(ok, HTML, page)
            }
            "/style.css" => answer(ok, CSS, STYLE.to_owned()),
            "/status.json" => answer(ok, JSON, self.board.look().to_json()),
            "/metrics" => self.metrics(request),
            "/healthz" => answer(ok, TEXT, "alive\n".to_owned()),
            "/readyz" => self.readiness(),
            _ => answer(
                StatusCode::NOT_FOUND,
                TEXT,
                format!("nothing is here: {THERE_IS}"),
            ),
        }
    }

    fn readiness(&self) -> Response<String> {
        let status = self.board.look();
        let mut said = format!("{}\n", status.word());
        if status.is_ready() {
            return answer(StatusCode::OK, TEXT, said);
        }
        for problem in status.problems() {
            // Writing to a string doesn't fail.
            let _ = writeln!(said, "{problem}");
        }
        answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, said)
    }

    #[cfg(feature = "prometheus")]
    fn metrics(&self, request: &Parts) -> Response<String> {
        let Some(metrics) = &self.metrics else {
            return no_metrics("the server's `Interceptors` have none: add `with_metrics`");
        };
        let ok = StatusCode::OK;
        match super::negotiate::wants_openmetrics(&request.headers) {
            true => answer(ok, Metrics::CONTENT_TYPE, metrics.encode()),
            false => answer(
                ok,
                Metrics::PROMETHEUS_CONTENT_TYPE,
                metrics.encode_prometheus(),
            ),
        }
    }

    #[cfg(not(feature = "prometheus"))]
    #[allow(clippy::unused_self, reason = "the signature of the other one")]
    fn metrics(&self, _request: &Parts) -> Response<String> {
        no_metrics("they take apibase's feature `prometheus`")
    }
}

fn no_metrics(why: &str) -> Response<String> {
    answer(
        StatusCode::NOT_FOUND,
        TEXT,
        format!("there are no metrics: {why}\n"),
    )
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// After how many seconds the page comes again, where the query says so: from 1 to 3600.
fn refresh(query: &str) -> Option<u16> {
    let mut pairs = query.split('&');
    let seconds = pairs.find_map(|pair| pair.strip_prefix("refresh="))?;
    let seconds = seconds.parse().ok()?;
    (1..=3600).contains(&seconds).then_some(seconds)
}
