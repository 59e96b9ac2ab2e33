//! Reads and writes the documents of this API.

use std::collections::BTreeMap;

use poem::error::ReadBodyError;
use poem::http::{StatusCode, header};
use poem::{Body, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::{MEDIA, Problem, Result};
use crate::input::read_json;

/// The size limit of most documents, in bytes.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// A document about one resource, or about several.
#[derive(Deserialize)]
struct Document<D> {
    data: D,
}

/// A resource as it is sent.
#[derive(Debug, Deserialize)]
pub(super) struct Given<A> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) attributes: A,
    #[serde(default)]
    pub(super) relationships: Relationships,
}

/// The relationships of a resource as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Relationships(BTreeMap<String, Relationship>);

#[derive(Debug, Deserialize)]
struct Relationship {
    #[serde(default)]
    data: Value,
}

impl Relationships {
    /// The id of the resource that a relationship names, if it names one.
    pub(super) fn id(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.data.get("id")?.as_str()
    }

    /// What a relationship to several resources says of them, such as `tags`. Empty if it is not given.
    pub(super) fn many<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>> {
        match self.0.get(name).map(|one| &one.data) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(data) => read(data.clone(), &format!("data.relationships.{name}.data")),
        }
    }
}

/// Reads a document about one resource of a kind.
pub(super) async fn one<A: DeserializeOwned>(request: &Request, body: Body, kind: &str) -> Result<Given<A>> {
    one_of_size(request, body, kind, MOST_BYTES).await
}

/// The same with another limit of its size, in bytes.
pub(super) async fn one_of_size<A: DeserializeOwned>(
    request: &Request,
    body: Body,
    kind: &str,
    most: usize,
) -> Result<Given<A>> {
    let mut tree = tree(request, body, most).await?;
    // A resource without attributes says the same as one with empty ones.
    if let Some(Value::Object(data)) = tree.get_mut("data")
        && data.get("attributes").is_none_or(Value::is_null)
    {
        data.insert("attributes".into(), json!({}));
    }
    let Document { data } = read::<Document<Given<A>>>(tree, "")?;
    if data.kind != kind {
        return Err(Problem::invalid(format!("data.type: must be {kind}")));
    }
    Ok(data)
}

/// Reads a document about several resources.
pub(super) async fn several<T: DeserializeOwned>(request: &Request, body: Body) -> Result<Vec<T>> {
    let Document { data } = read::<Document<Vec<T>>>(tree(request, body, MOST_BYTES).await?, "")?;
    Ok(data)
}

/// Reads a plain JSON body whose content is optional, such as the reason of a lock.
pub(super) async fn plain<T: DeserializeOwned + Default>(request: &Request, body: Body) -> Result<T> {
    let bytes = bytes(body, MOST_BYTES).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    require_json(request)?;
    match read_json::parse(&bytes)? {
        Value::Null => Ok(T::default()),
        tree => read(tree, ""),
    }
}

async fn tree(request: &Request, body: Body, most: usize) -> Result<Value> {
    require_json(request)?;
    Ok(read_json::parse(&bytes(body, most).await?)?)
}

async fn bytes(body: Body, most: usize) -> Result<Vec<u8>> {
    match body.into_bytes_limit(most).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(ReadBodyError::PayloadTooLarge) => {
            let detail = format!("the document is larger than {most} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", detail))
        }
        Err(_) => Err(Problem::bad("the body could not be read")),
    }
}

fn require_json(request: &Request) -> Result<()> {
    let text = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    if [MEDIA, "application/json"].iter().any(|known| media.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = format!("Content-Type must be {MEDIA}");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type", detail))
}

/// Reads a tree into its type. An error names the field, which is below `place`.
fn read<T: DeserializeOwned>(tree: Value, place: &str) -> Result<T> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        let field = match (place, path.as_str()) {
            ("", "." | "?") => "body".to_owned(),
            (place, "." | "?") => place.to_owned(),
            ("", path) => path.to_owned(),
            (place, path) => format!("{place}{}{path}", if path.starts_with('[') { "" } else { "." }),
        };
        Problem::invalid(format!("{field}: {}", error.into_inner()))
    })
}

/// A response with a document.
pub(super) fn document(status: StatusCode, document: &Value) -> Response {
    Response::builder().status(status).content_type(MEDIA).body(document.to_string())
}

/// A response with one resource.
pub(super) fn resource(status: StatusCode, data: &Value) -> Response {
    document(status, &json!({"data": data}))
}

/// A relationship to one resource.
pub(super) fn to_one(kind: &str, id: impl ToString) -> Value {
    json!({"data": {"id": id.to_string(), "type": kind}})
}

/// A time in the form that all programs read.
pub(super) fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
