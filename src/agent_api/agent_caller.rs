//! Who sends a request: an agent with a token that is still valid, in its newest process.

use chrono::{DateTime, TimeDelta, Utc};
use entity::agent;
use poem::http::{StatusCode, header};
use poem::{Body, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::App;
use crate::error::{Error, Result};
use crate::input::read_json;
use crate::runner::agent::protocol::MOST_BODY_BYTES;
use crate::secret::TokenHash;
use crate::store;

/// How often it is recorded that an agent was heard of.
const SEEN: TimeDelta = TimeDelta::seconds(5);

const REFUSED: &str = "the token of an agent is required; this one is missing, wrong or revoked";

/// The agent that sends a request. Its token is read each time, so that a revocation counts at once.
pub(super) async fn agent_of(app: &App, request: &Request) -> Result<agent::Model> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Error::Unauthenticated(REFUSED))?;
    let agent = store::agent::by_hash(&app.db, &TokenHash::of(token).stored()).await?;
    agent.ok_or(Error::Unauthenticated(REFUSED))
}

/// Checks that this is the newest process of an agent, and records that it was heard of.
pub(super) async fn in_session(app: &App, agent: &agent::Model, session: Uuid, now: DateTime<Utc>) -> Result<()> {
    require_session(agent, session)?;
    if agent.seen_at.is_none_or(|at| at + SEEN <= now) {
        store::write_one(&app.db, async |db| store::agent::seen(&db, agent.id, now).await).await?;
    }
    Ok(())
}

/// Refuses a process of an agent that another one has replaced.
pub(super) fn require_session(agent: &agent::Model, session: Uuid) -> Result<()> {
    if agent.session == Some(session) {
        return Ok(());
    }
    let place = agent.place.as_deref().unwrap_or("nowhere");
    Err(Error::Conflict(format!("another process uses the token of this agent, at the place {place}")))
}

/// The body of a request.
pub(super) async fn body_of<T: DeserializeOwned>(body: Body) -> Result<T> {
    let large = |_| Error::TooLarge { limit_bytes: MOST_BODY_BYTES };
    let bytes = body.into_bytes_limit(MOST_BODY_BYTES).await.map_err(large)?;
    read_json::check(&bytes)?;
    serde_json::from_slice(&bytes).map_err(|error| Error::invalid("", format!("the body is not valid: {error}")))
}

/// An answer with a body.
pub(super) fn answer<T: Serialize>(value: &T) -> Result<Response> {
    let text = serde_json::to_string(value).map_err(Error::internal)?;
    let response = Response::builder().status(StatusCode::OK).content_type("application/json");
    // Orders have secrets.
    Ok(response.header(header::CACHE_CONTROL, "no-store").body(text))
}
