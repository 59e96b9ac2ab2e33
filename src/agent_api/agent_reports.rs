//! Reports of agents about their steps, and the lines of their logs.

use std::sync::Arc;

use entity::agent_log;
use entity::agent_step::{Model as Step, Wanted};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Request, Response, handler};

use super::agent_caller::{agent_of, answer, body_of, in_session};
use crate::app::App;
use crate::error::{Error, Result};
use crate::runner::agent::protocol::{LOG_BUFFER_BYTES, LogLines, LogStored, Report, StepReport, WireState};
use crate::runner::agent::{sealed_lines, sealed_outputs, sealed_report};
use crate::store;
use crate::store::agent_step;

/// How many steps one report may be about.
const MOST: usize = 256;

/// Stores what has become of steps, and wakes whoever owns their runs.
#[handler]
pub(super) async fn report(Data(app): Data<&Arc<App>>, request: &Request, body: Body) -> Result<Response> {
    let agent = agent_of(app, request).await?;
    let Report { session, steps, removed } = body_of(body).await?;
    let now = app.clock.now();
    in_session(app, &agent, session, now).await?;
    if steps.len() > MOST || removed.len() > MOST {
        return Err(Error::invalid("steps", format!("and removed must have at most {MOST} entries each")));
    }
    if !removed.is_empty() {
        store::write(&app.db, async |tx| agent_step::removed(tx, agent.id, &removed).await.map_err(Error::from))
            .await?;
    }
    for about in steps {
        let Some(row) = own_step(app, agent.id, &about.name).await? else { continue };
        let stored = stored_form(app, &row, &about)?;
        let changed = store::write(&app.db, async |tx| {
            agent_step::report(tx, (row.id, agent.id), stored.clone(), now).await.map_err(Error::from)
        });
        if changed.await? {
            app.wake.step(&row.name);
            app.wake.others();
        }
    }
    Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
}

fn stored_form(app: &App, row: &Step, about: &StepReport) -> Result<agent_step::Report> {
    let ended = about.state.is_end();
    let outputs = match about.outputs.is_empty() || !ended {
        true => None,
        false => Some(sealed_outputs(&app.keys, row.id, &about.outputs).map_err(Error::internal)?),
    };
    Ok(agent_step::Report {
        sealed: sealed_report(&app.keys, row.id, about).map_err(Error::internal)?,
        ended,
        started: about.state == WireState::Running,
        outputs,
    })
}

/// A step that the agent has taken.
async fn own_step(app: &App, agent: entity::id::AgentId, name: &str) -> Result<Option<Step>> {
    let row = agent_step::by_name(&app.db, name).await?;
    Ok(row.filter(|row| row.agent_id == Some(agent)))
}

/// Stores lines, unless others were stored before: the answer tells the agent where to go on.
#[handler]
pub(super) async fn log(Data(app): Data<&Arc<App>>, request: &Request, body: Body) -> Result<Response> {
    let agent = agent_of(app, request).await?;
    let LogLines { session, name, first, lines } = body_of(body).await?;
    let now = app.clock.now();
    in_session(app, &agent, session, now).await?;
    let row = own_step(app, agent.id, &name).await?.ok_or(Error::NotFound("step"))?;
    let known = u64::try_from(row.lines).unwrap_or(0);
    // Nobody reads the log of a step that is to be removed, or whose end is stored.
    if row.ended || row.wanted == Wanted::Remove {
        return answer(&LogStored { lines: first + lines.len() as u64, full: false });
    }
    if first != known || lines.is_empty() {
        return answer(&LogStored { lines: known, full: false });
    }
    if agent_step::log_bytes(&app.db, row.id).await? >= LOG_BUFFER_BYTES {
        app.wake.step(&name);
        return answer(&LogStored { lines: known, full: true });
    }
    let sealed = sealed_lines(&app.keys, row.id, &lines).map_err(Error::internal)?;
    let count = i64::try_from(lines.len()).map_err(Error::internal)?;
    let bytes = i64::try_from(sealed.len()).map_err(Error::internal)?;
    let piece = agent_log::Model { step_id: row.id, first: row.lines, lines: count, bytes, sealed };
    let stored = store::write(&app.db, async |tx| {
        agent_step::append(tx, (agent.id, now), piece.clone()).await.map_err(Error::from)
    });
    if stored.await? {
        // A large piece should make room soon; a small one can wait for the next look.
        if bytes > LOG_BUFFER_BYTES / 16 {
            app.wake.step(&name)
        } else {
            app.wake.lines(&name)
        }
        return answer(&LogStored { lines: known + lines.len() as u64, full: false });
    }
    let row = own_step(app, agent.id, &name).await?.ok_or(Error::NotFound("step"))?;
    answer(&LogStored { lines: u64::try_from(row.lines).unwrap_or(0), full: false })
}
