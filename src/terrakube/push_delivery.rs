//! `POST /webhook/v2/{webhookId}`: what GitHub, GitLab, Bitbucket, Gitea and Forgejo deliver. There is no other credential than the
//! signature, or the token of GitLab.

use std::sync::Arc;

use entity::id::WorkspaceWebhookId;
use entity::workspace_push::{Model, PushOutcome};
use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, handler, post};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::request::read_body;
use super::response::{answered, guarded, json_response};
use crate::app::App;
use crate::engine::push::accept_push::{Accepted, accept};
use crate::engine::push::delivery_headers::{Delivery, NotAccepted, check};
use crate::engine::push::webhook_setting::open_secret;
use crate::input::read_json;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    // Terrakube has delivered to the first address before its webhooks had events.
    route.at("/webhook/v1/:id", guarded(post(deliver))).at("/webhook/v2/:id", guarded(post(deliver)))
}

#[handler]
async fn deliver(app: Data<&Arc<App>>, request: &Request, Path(id): Path<Uuid>, body: Body) -> Response {
    answered(handle(app.0, request, id, body).await)
}

async fn handle(app: &Arc<App>, request: &Request, id: Uuid, body: Body) -> Result<Response> {
    let hook = store::push::by_id(&app.db, WorkspaceWebhookId(id)).await?;
    let hook = hook.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such webhook"))?;
    if !app.ping_rates.allow(id, app.clock.now()) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many deliveries of this webhook"));
    }
    let body = read_body(body).await?;
    let secret = open_secret(app, &hook)?;
    let secret = secret.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "the webhook has no secret"))?;
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let delivery = check(header, secret.expose(), &body).map_err(|refused| match refused {
        NotAccepted::Unknown(reason) => Problem::bad(reason),
        NotAccepted::Unsigned(reason) => {
            tracing::warn!(webhook = %id, reason, "a delivery was refused");
            Problem::new(StatusCode::UNAUTHORIZED, reason)
        }
    })?;
    require_json(header(header::CONTENT_TYPE.as_str()))?;
    let payload = read_json::parse(&body)?;
    let told = store_all(app, &hook, &delivery, &payload).await?;
    app.wake.now();
    app.wake.pushes();
    Ok(answer(&told))
}

/// Providers can be set up to send forms, in which the signed payload is a field.
fn require_json(given: Option<&str>) -> Result<()> {
    let media = given.and_then(|given| given.split(';').next()).unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let text = "Content-Type must be application/json; choose it where the webhook is set up";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

/// Stores what a delivery says, in one transaction. A replay is refused.
async fn store_all(
    app: &App,
    hook: &entity::workspace_webhook::Model,
    delivery: &Delivery,
    payload: &Value,
) -> Result<Vec<Model>> {
    let heard = delivery.read(payload);
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let mut told = Vec::with_capacity(heard.len());
        for (place, one) in heard.iter().enumerate() {
            let named = |text: &str| if place == 0 { text.to_owned() } else { format!("{text} {place}") };
            let (id, digest) = (named(&delivery.id), named(&delivery.digest));
            match accept(app, tx, hook, one, (&id, &digest), now).await? {
                Accepted::New(row) => told.push(*row),
                Accepted::Replayed => {
                    let text = "this delivery was received before; it starts nothing again";
                    return Err(Problem::new(StatusCode::CONFLICT, text));
                }
                Accepted::Gone => {
                    return Err(Problem::new(StatusCode::NOT_FOUND, "the webhook or its workspace was deleted"));
                }
            }
        }
        Ok(told)
    })
    .await
}

/// What came of a delivery, for whoever looks at it where the webhook is set up.
fn answer(told: &[Model]) -> Response {
    let results: Vec<Value> = told
        .iter()
        .map(|row| {
            json!({
                "outcome": row.outcome.to_value(),
                "reason": row.reason,
                "branch": row.branch,
                "commit": row.commit_id,
                "job": row.job_id.map(|id| id.to_string()),
            })
        })
        .collect();
    let status = match told.iter().any(|row| row.outcome == PushOutcome::Waiting) {
        true => StatusCode::ACCEPTED,
        false => StatusCode::OK,
    };
    json_response(status, &json!({"results": results}))
}
