//! Locking and unlocking a Terraform state.

use std::sync::Arc;

use entity::workspace;
use poem::Response;
use poem::http::StatusCode;
use serde_json::{Value, json};

use super::error::{Problem, Result};
use super::response::json_response;
use super::state_client::StateClient;
use crate::app::App;
use crate::engine::workspace_event::{By, kind};
use crate::engine::{lock_wait, workspace_lock};
use crate::error::Error;
use crate::input::bounds::STATE_TEXT;
use crate::input::{read_json, stored_text};
use crate::store;

/// The id of a lock.
pub(super) fn lock_id(lock: &Value) -> Option<&str> {
    lock.get("ID").and_then(Value::as_str)
}

pub(super) async fn lock(app: &App, client: &StateClient, body: &[u8]) -> Result<Response> {
    let wanted = read_json::parse(body)?;
    let id = lock_id(&wanted).ok_or_else(|| Problem::bad("the lock has no ID"))?;
    stored_text::check_length("ID", id, STATE_TEXT)?;
    let step = client.step.as_ref().map(|step| step.id);
    let job = client.step.as_ref().map(|step| step.job_id);
    let id = client.workspace.id;
    let locked = match &client.requester {
        // What a step does is no event.
        None => {
            store::write_one(&app.db, async |db| store::workspace::lock_state(&db, id, wanted.clone(), step).await)
                .await?
        }
        Some(who) => {
            let by = By { who, at: app.clock.now() };
            let (row, wanted) = (&client.workspace, &wanted);
            let taken = store::write(&app.db, async |tx| {
                let is_taken = store::workspace::lock_state(tx, id, wanted.clone(), None).await?;
                if is_taken {
                    workspace_lock::state_locked(tx, by, row, wanted).await?;
                }
                Ok::<_, Error>(is_taken)
            });
            taken.await?
        }
    };
    if locked {
        if let Some(job) = job {
            store::write_one(&app.db, async |db| store::workspace::clear_output(&db, job, lock_wait::WAITING).await)
                .await?;
        }
        return Ok(Response::builder().status(StatusCode::OK).finish());
    }
    let row = store::row::by_id::<workspace::Model>(&app.db, client.workspace.id).await?;
    let held = row.and_then(|row| row.state_lock);
    // The tool asks again until it has waited for long enough.
    if let (Some(job), Some(held)) = (job, &held) {
        let text = lock_wait::waiting(held);
        store::write_one(&app.db, async |db| store::workspace::set_output(&db, job, &text).await).await?;
    }
    Ok(json_response(StatusCode::LOCKED, &held.unwrap_or_else(|| json!({}))))
}

/// Releases a lock. A request without an id releases any lock.
pub(super) async fn unlock(app: &Arc<App>, client: &StateClient, body: &[u8]) -> Result<Response> {
    let given: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let at = app.clock.now();
    let refused = store::write(&app.db, async |tx| {
        let row = store::workspace::lock(tx, client.workspace.id).await?;
        let held = row.as_ref().and_then(|row| row.state_lock.clone());
        match held {
            Some(held) if lock_id(&given).is_some() && lock_id(&held) != lock_id(&given) => Ok::<_, Error>(Some(held)),
            held => {
                store::workspace::unlock_state(tx, client.workspace.id, None).await?;
                if let (Some(_), Some(row), Some(who)) = (held, row, &client.requester) {
                    // A client that names no lock releases that of somebody else, too.
                    let kind = if lock_id(&given).is_some() { kind::UNLOCK } else { kind::FORCE_UNLOCK };
                    workspace_lock::state_unlocked(tx, By { who, at }, &row, kind).await?;
                }
                Ok(None)
            }
        }
    })
    .await?;
    match refused {
        Some(held) => Ok(json_response(StatusCode::CONFLICT, &held)),
        None => {
            // A job may wait for the lock.
            app.wake.now();
            Ok(Response::builder().status(StatusCode::OK).finish())
        }
    }
}
