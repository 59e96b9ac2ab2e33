//! YAML responses, which callers that want JSON get as a JSON string.

use poem::http::{HeaderMap, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};

use super::media_type::{JSON, YAML};
use super::openapi_response::{content, responses};

/// A YAML response.
pub(in crate::api) struct Yaml {
    text: String,
    media_type: &'static str,
}

impl Yaml {
    /// In the media type that the headers of the request ask for: YAML, unless they accept only JSON.
    pub(in crate::api) fn new(text: String, request: &HeaderMap) -> Self {
        let accepted = request.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accepted: Vec<&str> = accepted.flat_map(|value| value.split(',')).collect();
        let is_json = |one: &&str| one.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON));
        let media_type = if !accepted.is_empty() && accepted.iter().all(is_json) { JSON } else { YAML };
        Self { text, media_type }
    }
}

impl ApiResponse for Yaml {
    fn meta() -> MetaResponses {
        responses(200, [YAML, JSON].into_iter().flat_map(content::<String>).collect())
    }

    fn register(_registry: &mut Registry) {}
}

impl IntoResponse for Yaml {
    fn into_response(self) -> Response {
        let body = if self.media_type == JSON { serde_json::Value::from(self.text).to_string() } else { self.text };
        Response::builder().content_type(self.media_type).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::Yaml;
    use poem::IntoResponse as _;
    use poem::http::{HeaderMap, HeaderValue, header};

    #[tokio::test]
    async fn callers_that_accept_only_json_get_a_json_string() {
        for (accept, expected) in [
            (None, "a: 1\n"),
            (Some("*/*"), "a: 1\n"),
            (Some("application/x-yaml"), "a: 1\n"),
            (Some("application/json, application/x-yaml"), "a: 1\n"),
            (Some("application/json; charset=utf-8"), "\"a: 1\\n\""),
        ] {
            let headers: HeaderMap =
                accept.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value))).collect();
            let body = Yaml::new("a: 1\n".into(), &headers).into_response().into_body();
            assert_eq!(body.into_string().await.unwrap(), expected, "{accept:?}");
        }
    }
}
