//! `POST /push/{pushHookId}`: what GitHub, GitLab, Bitbucket, Gitea and Forgejo deliver to a push hook. There is no other credential
//! than the signature, or the token of GitLab.

use std::sync::Arc;

use entity::id::PushHookId;
use entity::push_hook;
use entity::push_hook_delivery::Model;
use poem::error::ReadBodyError;
use poem::http::{StatusCode, header};
use poem::web::{Data, Json, Path};
use poem::{Body, IntoResponse as _, Request, Response, RouteMethod, handler, post};
use serde_json::{Value, json};

use super::super::error::body as refusal;
use crate::app::App;
use crate::engine::push::accept_hook_delivery::{Heeded, accept, open_secret};
use crate::engine::push::delivery_headers::{NotAccepted, check};
use crate::error::{Error, Result};
use crate::input::read_json;
use crate::store;

/// The largest delivery, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Why a delivery is refused, with a status that no other error has.
struct Refused(StatusCode, String);

/// The method of deliveries.
pub(in crate::api) fn route() -> RouteMethod {
    post(receive)
}

#[handler]
async fn receive(
    app: Data<&Arc<App>>,
    request: &Request,
    Path(id): Path<String>,
    body: Body,
) -> poem::Result<Response> {
    Ok(match handle(app.0, request, &id, body).await? {
        Ok(rows) => answer(&rows),
        Err(Refused(status, text)) => refusal(status, text, request.uri().path(), app.clock.now()),
    })
}

async fn handle(app: &App, request: &Request, id: &str, body: Body) -> Result<Result<Vec<Model>, Refused>> {
    const UNKNOWN: Error = Error::NotFound("push hook");
    let id = PushHookId(id.parse().map_err(|_| UNKNOWN)?);
    let hook = store::row::by_id::<push_hook::Model>(&app.db, id).await?.ok_or(UNKNOWN)?;
    if !app.ping_rates.allow(id.0, app.clock.now()) {
        let text = "too many deliveries to this push hook";
        return Ok(Err(Refused(StatusCode::TOO_MANY_REQUESTS, text.into())));
    }
    let body = match body.into_bytes_limit(MOST_BYTES).await {
        Ok(body) => body,
        Err(ReadBodyError::PayloadTooLarge) => return Err(Error::TooLarge { limit_bytes: MOST_BYTES }),
        Err(_) => return Err(Error::invalid("body", "could not be read")),
    };
    let secret = open_secret(app, &hook)?;
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let delivery = match check(header, secret.expose(), &body) {
        Ok(delivery) => delivery,
        Err(NotAccepted::Unknown(reason)) => return Err(Error::invalid("", reason)),
        Err(NotAccepted::Unsigned(reason)) => {
            tracing::warn!(push_hook = %id, reason, "a delivery was refused");
            return Ok(Err(Refused(StatusCode::UNAUTHORIZED, reason.into())));
        }
    };
    // Providers can be set up to send forms, in which the signed payload is a field.
    let media = header(header::CONTENT_TYPE.as_str()).and_then(|given| given.split(';').next()).unwrap_or_default();
    if !media.trim().eq_ignore_ascii_case("application/json") {
        let text = "Content-Type must be application/json; choose it where the webhook is set up";
        return Ok(Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.into())));
    }
    let payload = read_json::parse(&body)?;
    match accept(app, &hook, &delivery, &payload).await? {
        Heeded::New(rows) => Ok(Ok(rows)),
        Heeded::Replayed => Err(Error::Conflict("this delivery was received before; it deploys nothing again".into())),
        Heeded::Gone => Err(UNKNOWN),
    }
}

/// What came of a delivery, for whoever looks at it where the webhook is set up.
fn answer(rows: &[Model]) -> Response {
    let results: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "outcome": if row.reason.is_none() { "ACCEPTED" } else { "IGNORED" },
                "reason": row.reason,
                "branch": row.branch,
                "commit": row.commit_id,
                "polled_branches": row.branches,
            })
        })
        .collect();
    let status = match rows.iter().any(|row| row.reason.is_none()) {
        true => StatusCode::ACCEPTED,
        false => StatusCode::OK,
    };
    Json(json!({"results": results})).with_status(status).into_response()
}
