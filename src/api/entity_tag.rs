//! Entity tags: clients that have the current answer of a read already are told so, without sending it again (RFC 9110, 13.1.2).

use bytes::Bytes;
use http_body::Body as _;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response};
use sha2::{Digest as _, Sha256};

/// The largest body that gets a tag, in bytes. Those that are read in pieces get none.
const LARGEST: u64 = 1024 * 1024;

/// The tag of a body, in quotes. It is strong: two bodies with the same tag have the same bytes.
pub(super) fn of(body: &[u8]) -> Bytes {
    let hash = Sha256::digest(body);
    let half = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("\"{}\"", half.collect::<String>()).into()
}

/// What a client has already.
pub(super) struct Known(Vec<HeaderValue>);

impl Known {
    /// From the headers of a request; `None` if it is not a read.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let reads = request.method() == Method::GET && !request.headers().contains_key(header::UPGRADE);
        reads.then(|| Self(request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect()))
    }

    fn has(&self, tag: &HeaderValue) -> bool {
        let tag = tag.as_bytes();
        self.0.iter().flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).any(|one| {
            let one = one.trim_ascii();
            one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == tag
        })
    }

    /// Adds the tag to a complete JSON answer. Empties it if the client has it already.
    pub(super) async fn answer(&self, response: &mut Response) {
        if response.status() != StatusCode::OK {
            return;
        }
        if !response.headers().contains_key(header::ETAG) {
            tag(response).await;
        }
        if response.headers().get(header::ETAG).is_some_and(|tag| self.has(tag)) {
            response.set_status(StatusCode::NOT_MODIFIED);
            response.set_body(Body::empty());
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim_end().ends_with("json"))
}

async fn tag(response: &mut Response) {
    if !is_json(response.headers()) {
        return;
    }
    let body: http_body_util::combinators::BoxBody<Bytes, std::io::Error> = response.take_body().into();
    // Only a body that is in memory knows how long it is.
    if body.size_hint().exact().is_none_or(|bytes| bytes > LARGEST) {
        response.set_body(Body::from(body));
        return;
    }
    match Body::from(body).into_bytes().await {
        Ok(bytes) => {
            if let Ok(tag) = HeaderValue::from_maybe_shared(of(&bytes)) {
                response.headers_mut().insert(header::ETAG, tag);
            }
            response.set_body(bytes);
        }
        Err(error) => {
            tracing::error!(%error, "response in memory failed");
            response.set_status(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::{Known, of};

    #[test]
    fn a_tag_is_found_among_those_of_the_client() {
        let tag = HeaderValue::from_maybe_shared(of(b"{}")).unwrap();
        let text = tag.to_str().unwrap();
        assert_eq!(text.len(), 34);
        assert_ne!(of(b"{}"), of(b"[]"));
        let has =
            |lists: &[String]| Known(lists.iter().map(|list| HeaderValue::from_str(list).unwrap()).collect()).has(&tag);
        assert!(has(&[text.to_owned()]));
        assert!(has(&[format!("\"a\", W/{text} ,\"b\"")]));
        assert!(has(&["\"a\"".to_owned(), text.to_owned()]));
        assert!(has(&["*".to_owned()]));
        assert!(!has(&[]));
        assert!(!has(&["\"a\"".to_owned(), text.trim_matches('"').to_owned()]));
    }
}
