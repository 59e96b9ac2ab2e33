//! The creation of a state version. The state itself usually follows in an upload to an address of its own, without a credential.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::TimeDelta;
use entity::workspace_job;
use futures_util::stream;
use poem::http::StatusCode;
use poem::{Body, Request, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::caller::SeenWorkspace;
use super::error::{Problem, Result};
use super::expected_state::{Expected, JSON_STATE, STATE, locked, out_of_order};
use super::json_api::{Given, Relationships, one_of_size, resource};
use super::run_document::job_of;
use super::sealed_address;
use super::state_arrival::arrived;
use super::state_visit::StateVisit;
use super::version_document::{Uploads, pending, stored};
use crate::access::require_right;
use crate::app::App;
use crate::engine::terraform_state::order_refusal;
use crate::engine::workspace_lock::is_held_by;
use crate::store;

/// The largest document with a state in it, in bytes. Programs upload states, which has no such limit.
const MOST_INLINE_BYTES: usize = 16 * 1024 * 1024;

/// How long an upload may take to begin.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Attributes {
    serial: Option<i64>,
    md5: Option<String>,
    lineage: Option<String>,
    force: Option<bool>,
    /// The state in base64, from older programs.
    state: Option<String>,
}

/// Creates a version of the state of a workspace.
pub(super) async fn create(app: &Arc<App>, request: &Request, id: &str, body: Body) -> Result<Response> {
    let visit = StateVisit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.states)?;
    visit.require_writer()?;
    let given = one_of_size::<Attributes>(request, body, "state-versions", MOST_INLINE_BYTES).await?;
    let Given { attributes: Attributes { serial, md5, lineage, force, state }, relationships, .. } = given;
    let required = |field: &str| Problem::invalid(format!("data.attributes.{field}: is required"));
    let serial = serial.ok_or_else(|| required("serial"))?;
    let md5 = md5.ok_or_else(|| required("md5"))?.to_lowercase();
    if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::invalid("data.attributes.md5: must be an MD5 sum in 32 hexadecimal digits"));
    }
    let expected = Expected {
        upload: Uuid::now_v7(),
        workspace: seen.row.id,
        principal: visit.principal(),
        step: visit.step().map(|(step, _)| step),
        holder: visit.holder(),
        by: visit.name(),
        user_agent: visit.requester().user_agent,
        serial,
        md5,
        is_forced: force.unwrap_or(false),
        job: match visit.step() {
            Some((_, job)) => Some(job),
            None => job(app, &seen, &relationships).await?,
        },
    };
    refuse(app, &seen, &expected, lineage.as_deref()).await?;
    if let Some(state) = state {
        let state = STANDARD.decode(state).map_err(|_| Problem::invalid("data.attributes.state: must be in base64"))?;
        let parts = stream::iter([Ok(Bytes::from(state))]);
        arrived(app, &seen.row, &expected, parts).await?;
        let line = store::workspace::state_line(&app.db, expected.upload).await?;
        let line = line.ok_or_else(|| Problem::missing("state version"))?;
        return Ok(resource(StatusCode::CREATED, &stored(&visit.base, &line)));
    }
    let address = |kind| sealed_address::create_at(app, (&visit.base, visit.now), kind, &expected, LIFETIME);
    let uploads = Uploads { state: address(STATE)?, json_state: address(JSON_STATE)? };
    Ok(resource(StatusCode::CREATED, &pending(&expected, uploads, visit.now)))
}

/// The job that the state belongs to, if it names one.
async fn job(app: &App, seen: &SeenWorkspace, relationships: &Relationships) -> Result<Option<i32>> {
    let Some(id) = relationships.id("run") else { return Ok(None) };
    let unknown = || Problem::invalid("data.relationships.run: must be a run of the workspace");
    // The number of the job alone is good enough.
    let id = job_of(id).or_else(|| id.parse().ok()).ok_or_else(unknown)?;
    let job = store::row::by_id::<workspace_job::Model>(&app.db, id).await?;
    job.filter(|job| job.workspace_id == seen.row.id).ok_or_else(unknown)?;
    Ok(Some(id))
}

/// Refuses a state that could not be stored now, so that it is not uploaded in vain.
async fn refuse(app: &App, seen: &SeenWorkspace, expected: &Expected, lineage: Option<&str>) -> Result<()> {
    if seen.row.state_lock.is_some() && !is_held_by(&seen.row, &expected.holder) {
        return Err(locked());
    }
    if let Some(newest) = store::workspace::newest_state_mark(&app.db, seen.row.id).await?
        && !expected.is_forced
        && let Some(stale) = order_refusal((newest.serial, newest.lineage.as_deref()), (expected.serial, lineage))
    {
        return Err(out_of_order(&stale));
    }
    Ok(())
}
