//! The outputs of states. In a list, sensitive ones have no value; each of them can be read alone.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::id::StateVersionId;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, Route, get, handler};
use serde::Serialize;
use serde_json::value::RawValue;

use super::error::{MEDIA, Problem, Result, answered, guarded};
use super::state_versions::{readable, row, version};
use crate::app::App;
use crate::engine::terraform_state::{StoredOutput, stored_outputs};
use crate::error::Error;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/workspaces/:id/current-state-version-outputs", guarded(get(current)))
        .at("/api/v2/state-versions/:id/outputs", guarded(get(list)))
        .at("/api/v2/state-version-outputs/:id", guarded(get(read_one)))
}

#[derive(Serialize)]
struct Document<D> {
    data: D,
}

#[derive(Serialize)]
struct OutputResource<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: OutputAttributes<'a>,
}

/// Values are passed on as they are written, so that no number loses digits.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct OutputAttributes<'a> {
    name: &'a str,
    sensitive: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Option<&'a RawValue>,
    detailed_type: &'a RawValue,
}

/// Which values are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    All,
    NotSensitive,
}

/// What kind of JSON a value is.
fn kind(value: &RawValue) -> &'static str {
    match value.get().trim_start().bytes().next() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// The id of an output: its version and its name.
fn id_of(version: StateVersionId, name: &str) -> String {
    format!("{version}.{}", URL_SAFE_NO_PAD.encode(name))
}

fn shown(version: StateVersionId, output: &StoredOutput, values: Values) -> OutputResource<'_> {
    let StoredOutput { name, sensitive, value, kind: detailed_type } = output;
    OutputResource {
        id: id_of(version, name),
        kind: "state-version-outputs",
        attributes: OutputAttributes {
            name,
            sensitive: *sensitive,
            kind: kind(value),
            value: Some(&**value).filter(|_| !sensitive || values == Values::All),
            detailed_type,
        },
    }
}

fn response(data: impl Serialize) -> Result<Response> {
    let text = serde_json::to_string(&Document { data }).map_err(Error::internal)?;
    Ok(Response::builder().status(StatusCode::OK).content_type(MEDIA).body(text))
}

#[handler]
async fn current(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (_, seen) = readable(app.0, request, &id.0).await?;
        // Without a state there are no outputs; a 404 would be an error.
        let Some(newest) = store::workspace::newest_state(&app.0.db, seen.row.id).await? else {
            return response([(); 0]);
        };
        let version = newest.id;
        let outputs = stored_outputs(app.0, newest).await?;
        response(outputs.iter().map(|output| shown(version, output, Values::NotSensitive)).collect::<Vec<_>>())
    };
    answered(answer.await)
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let (_, line) = version(app.0, request, &id.0).await?;
        let outputs = stored_outputs(app.0, row(app.0, &line).await?).await?;
        response(outputs.iter().map(|output| shown(line.id, output, Values::NotSensitive)).collect::<Vec<_>>())
    };
    answered(answer.await)
}

#[handler]
async fn read_one(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    answered(output(app.0, request, &id.0).await)
}

async fn output(app: &Arc<App>, request: &Request, id: &str) -> Result<Response> {
    let (of, name) = id.split_once('.').unwrap_or((id, ""));
    let (_, line) = version(app, request, of).await?;
    let name = URL_SAFE_NO_PAD.decode(name).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let outputs = stored_outputs(app, row(app, &line).await?).await?;
    let found = outputs.iter().find(|output| Some(&output.name) == name.as_ref());
    response(shown(line.id, found.ok_or_else(|| Problem::missing("output"))?, Values::All))
}
