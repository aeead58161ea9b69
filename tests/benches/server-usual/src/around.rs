//! A line and metrics for each call.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use metrics::{counter, gauge, histogram};
use tower::Service;

/// Around a service: what is known of a call when its head is answered.
#[derive(Clone, Debug)]
pub(crate) struct Around<S>(S);

impl<S> Around<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S, B, R> Service<Request<B>> for Around<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let started = Instant::now();
        let path = request.uri().path().to_owned();
        let id = request.headers().get("x-correlation-id");
        let id = id.and_then(|id| Some(id.to_str().ok()?.to_owned()));
        let id = id.unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
        let answer = self.0.call(request);
        Box::pin(async move {
            let (service, method) = path
                .trim_start_matches('/')
                .split_once('/')
                .unwrap_or_default();
            let (service, method) = (service.to_owned(), method.to_owned());
            let active = gauge!("grpc_active_requests", "service" => service.clone(), "method" => method.clone());
            active.increment(1.0);
            let answer = answer.await;
            active.decrement(1.0);
            let status = answer
                .as_ref()
                .ok()
                .and_then(|head| head.headers().get("grpc-status"));
            let status = match status {
                None => "OK".to_owned(),
                Some(status) => format!("{status:?}"),
            };
            let took = started.elapsed();
            histogram!("grpc_request_duration_seconds", "service" => service.clone(), "method" => method.clone())
                .record(took.as_secs_f64());
            counter!("grpc_requests_total", "service" => service, "method" => method, "status" => status.clone())
                .increment(1);
            tracing::info!(
                method = path,
                correlation_id = id,
                duration_ms = took.as_secs_f64() * 1e3,
                status,
                "grpc_request_completed"
            );
            answer
        })
    }
}
