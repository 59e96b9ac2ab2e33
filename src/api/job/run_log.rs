//! /run/{runId}/log and /run/{runId}/logLine: what a run wrote.

use std::sync::Arc;
use std::time::Duration;

use entity::id::RunId;
use entity::run;
use futures_util::{Stream, stream};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::Tag;
use super::super::caller::Auth;
use super::super::limits;
use super::super::wire::{self, Answer, Found, Text, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::log_chunk::LogStream;

/// How often a followed log is looked at.
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

/// The handlers.
pub(in super::super) struct RunLogApi(pub(in super::super) Arc<App>);

#[OpenApi]
impl RunLogApi {
    #[oai(path = "/run/:runId/log", method = "get", operation_id = "getRunLog", tag = Tag::JobRun)]
    async fn get_run_log(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(default)] follow: Query<bool>,
        #[oai(default)] after: Query<i64>,
    ) -> Result<Text> {
        let row = access::run(&self.0.db, &auth.0, Action::View, RunId(run_id.0)).await?;
        let until = if follow.0 { Until::Ended } else { Until::Now };
        Ok(Text(poem::Body::from_bytes_stream(lines(Arc::clone(&self.0), row.id, checked(after.0)?, until))))
    }

    #[oai(path = "/run/:runId/logLine", method = "get", operation_id = "listRunLogLines", tag = Tag::JobRun)]
    async fn list_run_log_lines(
        &self,
        auth: Auth,
        #[oai(name = "runId")] run_id: Path<Uuid>,
        #[oai(default)] after: Query<i64>,
        #[oai(default = "default_lines")] count: Query<i32>,
    ) -> Result<Found<LogLineResponseList>> {
        let count = limits::between("count", count.0, 1, 10_000)?;
        let count = usize::try_from(count).unwrap_or(1);
        let mut position = checked(after.0)?;
        // The state first: what is written after it was read belongs to a run that was not over.
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
        Ok(Answer(LogLineResponseList { ended: row.state.is_final() && last >= row.total_lines, results }))
    }
}

fn default_lines() -> i32 {
    1000
}

fn checked(after: i64) -> Result<i64> {
    if after < 0 { Err(Error::invalid("after", "is below 0")) } else { Ok(after) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The lines that are there.
    Now,
    /// The end of the run.
    Ended,
}

/// The lines of a run as pieces of text.
fn lines(
    app: Arc<App>,
    run: RunId,
    after: i64,
    until: Until,
) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    let failed = |error: sea_orm::DbErr| {
        tracing::error!(%error, "a log broke off");
        std::io::Error::other("the log broke off")
    };
    stream::try_unfold((app, after), move |(app, position)| async move {
        loop {
            // The state first: what is written after it was read belongs to a run that was not over.
            let state = store::run::by_id(&app.db, run).await.map_err(failed)?.map(|row| row.state);
            let rows = store::log_chunk::list_by_run(&app.db, run, position).await.map_err(failed)?;
            if let Some(last) = rows.last().map(|row| row.position) {
                let text = rows.into_iter().map(|row| row.text + "\n").collect::<String>();
                return Ok(Some((text.into_bytes(), (app, last))));
            }
            if until == Until::Now || state.is_none_or(run::RunState::is_final) {
                return Ok(None);
            }
            tokio::time::sleep(FOLLOW).await;
        }
    })
}
