//! Requests of web pages from other origins (CORS): none are allowed, except from the origins in the settings.

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// The response headers that a page may read, apart from those that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Retry-After, Warning");
/// For how many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The answer to the question of a browser whether a page may send a request. Browsers ask without credentials.
pub(super) fn preflight(origins: &[String], request: &Request) -> Option<Response> {
    let headers = request.headers();
    let asks = request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = headers.get(header::ORIGIN).filter(|_| asks)?;
    if !allows(origins, origin) {
        let text = "cross-origin requests from this origin are not allowed; see --cors-origins";
        return Some(Response::builder().status(StatusCode::FORBIDDEN).content_type("text/plain").body(text));
    }
    let mut response = Response::builder().status(StatusCode::OK).finish();
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(response)
}

/// Allows a page of this origin to read a response.
pub(super) fn add(origins: &[String], origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if origins.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin.filter(|origin| allows(origins, origin)) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn allows(origins: &[String], origin: &HeaderValue) -> bool {
    origin.to_str().is_ok_and(|text| origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)))
}
