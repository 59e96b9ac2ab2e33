//! A client of the API that validates every response against the contract.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use poem::Response;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::test::TestClient;
use serde_json::Value;

use crate::validate;

/// A caller with a token.
#[derive(Clone)]
pub(crate) struct Client {
    api: Arc<TestClient<BoxEndpoint<'static, Response>>>,
    authorization: Option<String>,
}

/// A response that conforms to the contract.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, if the response has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// The detail, if the response is an error with this status.
    #[track_caller]
    pub(crate) fn detail(self, status: u16) -> String {
        self.expect(status)["detail"].as_str().unwrap().to_owned()
    }
}

/// The id in a response.
pub(crate) fn id(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

impl Client {
    pub(crate) fn new(api: BoxEndpoint<'static, Response>, authorization: Option<String>) -> Self {
        Self { api: Arc::new(TestClient::new(api)), authorization }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// The same caller with other credentials.
    pub(crate) fn with(&self, authorization: Option<&str>) -> Self {
        Self { api: self.api.clone(), authorization: authorization.map(str::to_owned) }
    }

    pub(crate) fn authorization(&self) -> &str {
        self.authorization.as_deref().unwrap()
    }

    /// The response text of a path outside the contract.
    pub(crate) async fn raw(&self, path: &str) -> String {
        let response = self.api.get(path).send().await.0;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.into_body().into_string().await.unwrap()
    }

    /// The JSON response of a path outside the contract.
    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let (status, text) = self.raw_call("GET", path, None, &[]).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The status and the text of the response to a request outside the contract.
    pub(crate) async fn raw_call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        let mut request = self.api.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let response = request.body(body.unwrap_or_default().to_owned()).send().await.0;
        (response.status().as_u16(), response.into_body().into_string().await.unwrap())
    }

    /// The status of the response to a JSON request, and its `Warning` header.
    pub(crate) async fn warning(&self, method: &str, path: &str, body: &Value) -> (u16, Option<String>) {
        let request = self.api.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        let request = request.header("Authorization", self.authorization()).content_type("application/json");
        let response = request.body(body.to_string()).send().await.0;
        let warning = response.headers().get("warning").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), warning)
    }

    /// The status of the response to a request outside the contract, and its headers.
    pub(crate) async fn headers(&self, method: &str, path: &str, body: Option<&str>) -> (u16, poem::http::HeaderMap) {
        let request = self.api.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        let request = request.header("Authorization", self.authorization());
        let response = request.body(body.unwrap_or_default().to_owned()).send().await.0;
        (response.status().as_u16(), response.headers().clone())
    }

    /// The status, the headers and the text of the response to a request outside the contract.
    pub(crate) async fn whole(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (u16, poem::http::HeaderMap, String) {
        let mut request = self.api.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.body(body.unwrap_or_default().to_owned()).send().await.0;
        let text = response.take_body().into_string().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), text)
    }

    /// What a response sends that goes on, piece by piece.
    pub(crate) async fn pieces(&self, path: &str, cookie: &str) -> BoxStream<'static, String> {
        let response = self.api.get(path).header("cookie", cookie).send().await.0;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let pieces = response.into_body().into_bytes_stream();
        pieces.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap()).boxed()
    }

    /// The bytes of a response.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.api.get(path).header("Authorization", self.authorization()).send().await.0;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.into_body().into_vec().await.unwrap()
    }

    /// The status of a path outside the contract.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.api.get(path).send().await.0.status().as_u16()
    }

    /// Uploads bytes, and validates the response.
    pub(crate) async fn upload(&self, path: &str, bytes: Vec<u8>) -> Answer {
        let mut request = self.api.put(path).content_type("application/octet-stream");
        // Other uploads have addresses that are secrets.
        if let Some(authorization) = self.authorization.as_ref().filter(|_| path.starts_with("/v1/")) {
            request = request.header("Authorization", authorization);
        }
        let response = request.body(bytes).send().await.0;
        let status = response.status().as_u16();
        let kind = response.content_type().unwrap_or_default().to_owned();
        let text = response.into_body().into_string().await.unwrap();
        let body = if kind.contains("json") { serde_json::from_str(&text).unwrap() } else { Value::Null };
        validate::answer("PUT", path, status, &kind, &body);
        Answer { status, text, body }
    }

    /// Sends a request and validates the response.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        self.call_with(method, path, body.as_deref(), &[]).await
    }

    /// The same, with headers.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.api.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            let json_api = path.starts_with("/api/v1/") || path.starts_with("/api/v2/");
            request = request.content_type(if json_api { "application/vnd.api+json" } else { "application/json" });
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let response = request.send().await.0;
        let status = response.status().as_u16();
        let kind = response.content_type().unwrap_or_default().to_owned();
        // An archive is no text.
        let text = String::from_utf8_lossy(&response.into_body().into_vec().await.unwrap()).into_owned();
        let body = if kind.contains("json") { serde_json::from_str(&text).unwrap() } else { Value::Null };
        validate::answer(method.as_str(), path, status, &kind, &body);
        Answer { status, text, body }
    }
}
