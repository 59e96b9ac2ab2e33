//! Reads the parts of a request: body, media type and Basic credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::{StatusCode, header};
use poem::{Body, Request};
use serde_json::Value;

use super::error::{MEDIA, Problem, Result};
use crate::input::{read_json, stored_text};

/// The size limit of a document, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

pub(super) async fn read_body(body: Body) -> Result<Vec<u8>> {
    use poem::error::ReadBodyError;
    match body.into_bytes_limit(MOST_BYTES).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(ReadBodyError::PayloadTooLarge) => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the document is larger than {MOST_BYTES} bytes")))
        }
        Err(_) => Err(Problem::bad("the body could not be read")),
    }
}

/// Reads a JSON body of bounded depth and size, whose texts can be stored.
pub(super) async fn read_json_body(body: Body) -> Result<Value> {
    Ok(read_json::parse(&read_body(body).await?)?)
}

/// Checks the path and the query string: no part of them may contain what the database cannot hold.
pub(super) fn check_address(request: &Request) -> Result<()> {
    Ok(stored_text::check_address(request.uri().path(), request.uri().query())?)
}

/// Whether a header names the JSON:API media type, with any parameters.
fn is_json_api(value: Option<&header::HeaderValue>) -> bool {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(MEDIA))
}

pub(super) fn require_json_api(request: &Request) -> Result<()> {
    if is_json_api(request.headers().get(header::CONTENT_TYPE)) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type must be {MEDIA}")))
}

pub(super) fn basic_credentials(request: &Request) -> Option<(String, String)> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (word, rest) = header.split_once(' ')?;
    if !word.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
