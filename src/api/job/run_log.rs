//! /run/{runId}/log and /run/{runId}/logLine: the output of a run.

use std::sync::Arc;

use entity::id::RunId;
use futures_util::StreamExt as _;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::read_guard::{Guard, Permit};
use crate::access::{self, Action, Caller};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{self, Json, PlainText, Success, Timestamp};
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::follow::{Follow, Piece, lines};
use crate::store;
use crate::store::log_chunk::LogStream;

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
        let guard = Guard::new(auth.0, ReadRun { db: self.0.db.clone(), run: row.id });
        let pieces = lines(Arc::clone(&self.0), guard, (row.id, checked_position(after.0)?), follow);
        Ok(PlainText(poem::Body::from_bytes_stream(pieces.map(|piece| piece.map(text)))))
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

/// The right to read the log of a run.
struct ReadRun {
    db: DatabaseConnection,
    run: RunId,
}

impl Permit for ReadRun {
    async fn check(&self, caller: &Caller) -> Result<()> {
        access::run(&self.db, caller, Action::View, self.run).await.map(|_| ())
    }
}

/// Part of a log as text.
fn text(piece: Piece) -> Vec<u8> {
    match piece {
        Piece::Lines(lines) => lines.into_iter().map(|line| line.text + "\n").collect::<String>().into_bytes(),
        Piece::Cut(reason) => format!("windlass: the log is cut off here: {reason}\n").into_bytes(),
    }
}
