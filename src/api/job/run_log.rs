//! /run/{runId}/log and /run/{runId}/logLine: the output of a run.

use std::sync::Arc;
use std::time::Duration;

use entity::id::RunId;
use entity::run;
use futures_util::{Stream, stream};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::{self, Action, Caller};
use crate::api::caller::Auth;
use crate::api::wire::{self, Json, PlainText, Success, Timestamp};
use crate::api::{limits, tag::Tag};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::log_chunk::LogStream;

/// How often a followed log is polled.
const FOLLOW: Duration = Duration::from_millis(200);

wire::mirrored!(LogStreamEnum of LogStream { Stdout, Stderr, System });

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogLine {
    number: i64,
    at: Timestamp,
    stream: LogStreamEnum,
    text: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct LogLineResponseList {
    results: Vec<LogLine>,
    ended: bool,
}

pub(in crate::api) struct RunLogApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl RunLogApi {
    #[oai(path = "/run/:runId/log", method = "get", operation_id = "getRunLog", tag = Tag::JobRun)]
    async fn get_run_log(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(default)] follow: Query<bool>,
        #[oai(default)] after: Query<i64>,
    ) -> Result<PlainText> {
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        let follow = if follow.0 { Follow::UntilEnd } else { Follow::Off };
        Ok(PlainText(poem::Body::from_bytes_stream(lines(
            (Arc::clone(&self.0), auth.0),
            row.id,
            checked_position(after.0)?,
            follow,
        ))))
    }

    #[oai(path = "/run/:runId/logLine", method = "get", operation_id = "listRunLogLines", tag = Tag::JobRun)]
    async fn list_run_log_lines(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(default)] after: Query<i64>,
        #[oai(default = "default_lines")] count: Query<i32>,
    ) -> Result<Success<LogLineResponseList>> {
        let count = limits::between("count", count.0, 1, 10_000)?;
        let count = usize::try_from(count).unwrap_or(1);
        let mut position = checked_position(after.0)?;
        // Read the state before the lines: lines written in between belong to a run that had not ended.
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        let mut results = Vec::new();
        while results.len() < count {
            let page = store::log_chunk::list_by_run(&self.0.db, row.id, position).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            let line = |line: store::log_chunk::LogLine| LogLine {
                number: line.position,
                at: Timestamp(line.at),
                stream: line.stream.into(),
                text: line.text,
            };
            results.extend(page.into_iter().map(line));
        }
        results.truncate(count);
        let last = results.last().map_or(after.0, |line| line.number);
        Ok(Json(LogLineResponseList { ended: row.state.is_final() && last >= row.total_lines, results }))
    }
}

fn default_lines() -> i32 {
    1000
}

fn checked_position(after: i64) -> Result<i64> {
    if after < 0 { Err(Error::invalid("after", "must not be negative")) } else { Ok(after) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// Stop after the existing lines.
    Off,
    /// Go on until the run ends.
    UntilEnd,
}

/// The lines of a run as chunks of text.
fn lines(
    (app, caller): (Arc<App>, Caller),
    run: RunId,
    after: i64,
    follow: Follow,
) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    let failed = move |error: Error| {
        tracing::warn!(%run, ?error, "the log of a run ends early");
        std::io::Error::other("the log is incomplete")
    };
    stream::try_unfold((app, caller, after), move |(app, caller, position)| async move {
        loop {
            // Read the state before the lines: lines written in between belong to a run that had not ended.
            let row = store::run::by_id(&app.db, run).await.map_err(|error| failed(error.into()))?;
            let state = row.map(|row| row.state);
            let rows = store::log_chunk::list_by_run(&app.db, run, position).await;
            let rows = rows.map_err(|error| failed(error.into()))?;
            if let Some(last) = rows.last().map(|row| row.position) {
                let text = rows.into_iter().map(|row| row.text + "\n").collect::<String>();
                return Ok(Some((text.into_bytes(), (app, caller, last))));
            }
            if follow == Follow::Off || state.is_none_or(run::RunState::is_final) {
                return Ok(None);
            }
            tokio::time::sleep(FOLLOW).await;
            // A revoked credential ends the response.
            let caller = app.authenticator.again(&caller).await.map_err(failed)?;
            access::run(&app.db, &caller, Action::View, run).await.map_err(failed)?;
        }
    })
}
