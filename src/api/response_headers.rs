//! Headers that every response has, of both APIs. A handler may set others.

use poem::Response;
use poem::http::uri::Scheme;
use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Responses may contain tokens and secrets, and are outdated at once.
const NEVER_STORED: &str = "no-store";
/// Nothing in a response is to be displayed as a page, or inside one.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";
/// For a year, clients use TLS only.
const TLS_ONLY: &str = "max-age=31536000";

/// Adds the headers that a response does not have.
pub(super) fn add(response: &mut Response, scheme: &Scheme) {
    let headers = response.headers_mut();
    add_one(headers, header::CACHE_CONTROL, NEVER_STORED);
    add_one(headers, header::CONTENT_SECURITY_POLICY, NO_PAGE);
    add_one(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add_one(headers, header::REFERRER_POLICY, "no-referrer");
    if *scheme == Scheme::HTTPS {
        add_one(headers, header::STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
}

fn add_one(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
