//! Repeats a read once that found the database unavailable: the pool has replaced the connection that was cut by then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use super::wire::Warnings;

/// A call that took longer than this is not repeated: the client has waited long enough.
const QUICK: Duration = Duration::from_secs(2);

/// Calls the endpoint; twice, if the request is a read and the first answer is 503.
pub(super) async fn call<E: Endpoint>(endpoint: Arc<E>, request: Request) -> Result<Response> {
    let (again, began) = (copy(&request), Instant::now());
    let first = endpoint.call(request).await.map(IntoResponse::into_response);
    let unavailable = match &first {
        Ok(response) => response.status() == StatusCode::SERVICE_UNAVAILABLE,
        Err(error) => error.status() == StatusCode::SERVICE_UNAVAILABLE,
    };
    match again.filter(|_| unavailable && began.elapsed() < QUICK) {
        Some(request) => endpoint.call(request).await.map(IntoResponse::into_response),
        None => first,
    }
}

/// The same request, if it is a read. A WebSocket cannot be opened twice.
fn copy(request: &Request) -> Option<Request> {
    if request.method() != Method::GET || request.headers().contains_key(header::UPGRADE) {
        return None;
    }
    let mut copy = Request::builder().method(Method::GET).uri(request.uri().clone()).finish();
    copy.headers_mut().clone_from(request.headers());
    if let Some(warnings) = request.data::<Warnings>() {
        copy.set_data(warnings.clone());
    }
    Some(copy)
}
