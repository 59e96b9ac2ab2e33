//! Responses: pages and redirects, with the headers that protect them.

use std::sync::Arc;

use flate2::Compression;
use maud::Markup;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, IntoResponse as _, Request, Response};

use super::paths::ROOT;
use super::shell::{Page, whole};
use super::viewer::Viewer;
use super::{cookie, fault, gzip};
use crate::app::App;
use crate::error::Error;

/// Everything comes from the server itself; nothing runs that is written into a page; no other site shows a page in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page as a response.
pub(super) fn page(app: &App, viewer: &Viewer, page: &Page) -> Response {
    with_status(StatusCode::OK, &whole(page, Some(viewer), &app.public_url()))
}

/// A page whose form leads to another origin: that of a program on the viewer's own computer.
pub(super) fn page_leading_to(app: &App, viewer: &Viewer, shown: &Page, origin: &str) -> Response {
    let mut response = page(app, viewer, shown);
    let policy = POLICY.replace("form-action 'self'", &format!("form-action 'self' {origin}"));
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// A page with a form that was refused, and says why.
pub(super) fn refused(app: &App, viewer: &Viewer, page: &Page) -> Response {
    with_status(StatusCode::BAD_REQUEST, &whole(page, Some(viewer), &app.public_url()))
}

/// A page for anybody.
pub(super) fn open_page(app: &App, status: StatusCode, page: &Page) -> Response {
    with_status(status, &whole(page, None, &app.public_url()))
}

fn with_status(status: StatusCode, markup: &Markup) -> Response {
    Response::builder().status(status).content_type("text/html; charset=utf-8").body(markup.0.clone())
}

/// Leads to another page, with a GET.
pub(super) fn redirect(to: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, to).finish()
}

/// Leads to a page, and sets a cookie.
pub(super) fn redirect_with_cookie(to: &str, cookie: &str) -> Response {
    let mut response = redirect(to);
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// The path within the console to which a sign-in may lead. Anything else leads to the overview, so that a link cannot send people to
/// another site.
pub(super) fn inside(next: Option<&str>) -> &str {
    let safe = |path: &&str| {
        let rest = path.strip_prefix(ROOT).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        rest.is_some_and(|rest| {
            !rest.contains("..") && rest.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\')
        })
    };
    next.filter(safe).unwrap_or(ROOT)
}

/// Answers a request with a page, also if it fails.
pub(super) async fn around(
    app: Arc<App>,
    endpoint: Arc<impl Endpoint<Output = Response> + 'static>,
    request: Request,
) -> poem::Result<Response> {
    let accepts_gzip = gzip::is_accepted(request.headers());
    // The folder of the console is not in the path any more.
    let wanted = match request.uri().path_and_query() {
        Some(path) if request.method() == poem::http::Method::GET => Some(format!("{ROOT}{path}")),
        _ => None,
    };
    let had_session = cookie::cookie_of(&request).is_some();
    let mut response = match endpoint.call(request).await {
        Ok(response) => response,
        Err(error) => failed(&app, error, wanted.as_deref(), had_session),
    };
    if response.content_type().is_some_and(|kind| kind.starts_with("text/html")) {
        let policy = response.headers_mut().entry(header::CONTENT_SECURITY_POLICY);
        policy.or_insert_with(|| HeaderValue::from_static(POLICY));
        if accepts_gzip {
            response = shortened(response).await?;
        }
    }
    Ok(response)
}

fn failed(app: &App, error: poem::Error, wanted: Option<&str>, had_session: bool) -> Response {
    let known = match error.downcast::<Error>() {
        Ok(known) => known,
        Err(other) if other.status() == StatusCode::NOT_FOUND => {
            return open_page(app, StatusCode::NOT_FOUND, &fault::no_such_page());
        }
        Err(other) if other.status().is_client_error() => Error::invalid("", other.to_string()),
        Err(other) => Error::internal(other.to_string()),
    };
    if let Error::Unauthenticated(_) = known {
        let next: String = form_urlencoded::byte_serialize(wanted.unwrap_or(ROOT).as_bytes()).collect();
        // Somebody who was signed in learns why they are asked again, and whether what they sent is lost.
        let ended = match (had_session, wanted) {
            (false, _) => "",
            (true, Some(_)) => "&ended=page",
            (true, None) => "&ended=form",
        };
        return redirect(&format!("{ROOT}/sign-in?next={next}{ended}"));
    }
    if let Error::Internal(source) = &known {
        tracing::error!(error = %source, path = wanted.unwrap_or("a form"), "a page failed");
    }
    let (status, page) = fault::page(&known, wanted);
    open_page(app, status, &page)
}

async fn shortened(response: Response) -> poem::Result<Response> {
    let (parts, body) = response.into_parts();
    let bytes = body.into_bytes().await?;
    let shorter = gzip::compressed(&bytes, Compression::fast());
    let mut response = Response::from_parts(parts, poem::Body::empty());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    match shorter {
        Some(shorter) => {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.set_body(shorter);
        }
        None => response.set_body(bytes),
    }
    Ok(response.into_response())
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_sign_in_leads_to_a_page_of_the_console() {
        for fine in ["/console", "/console/job/1?tab=history", "/console?page=2"] {
            assert_eq!(inside(Some(fine)), fine);
        }
        for other in [
            "",
            "/",
            "/job/1",
            "/consoles",
            "//example.com",
            "https://example.com",
            "/console/../job",
            "/console/\\x",
            "/console/a b",
        ] {
            assert_eq!(inside(Some(other)), "/console", "{other}");
        }
        assert_eq!(inside(None), "/console");
    }
}
