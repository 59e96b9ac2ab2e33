//! Copies the log of a run from its runner to the database: masks it, counts its lines, and leaves out the middle of a log that is
//! too large.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use entity::{log_chunk, run};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::masking::{Masking, may_go_on};
use crate::error::{Error, Result};
use crate::runner::time_limit::with_time_limit;
use crate::runner::{self, Lines, Runner, StepState, Unavailable};
use crate::secret;
use crate::store;
use crate::store::log_chunk::{ChunkBuilder, LogStream};

/// How many lines of one run are copied in one transaction.
pub(in crate::engine) const CHUNK: usize = 10_000;

/// The masks of a run whose secrets cannot be determined; no key opens them.
pub(in crate::engine) const UNKNOWN_MASKS: &[u8] = &[];

const CANNOT_MASK: &str = "log omitted: the secrets to mask in it cannot be decrypted with the keys of this server";

/// The lines of a run that have not been copied yet.
pub(in crate::engine) async fn copy(
    runner: &dyn Runner,
    run: &run::Model,
    name: &str,
    observed: &Result<StepState, Unavailable>,
) -> Result<Lines, Unavailable> {
    if !matches!(observed, Ok(StepState::Running | StepState::Exited { .. })) {
        return Ok(Lines { lines: Vec::new(), end: true });
    }
    let skip = u64::try_from(run.attempt_lines).unwrap_or(0);
    let copied = with_time_limit(runner.logs(name, skip, CHUNK)).await;
    if let Err(Unavailable(reason)) = &copied {
        tracing::warn!(run = %run.id, reason, "log could not be read; will retry");
    }
    copied
}

/// The patterns to mask in the log of a run, sealed; none if there is nothing to mask.
pub(in crate::engine) fn sealed(app: &App, run: &run::Model, patterns: &[String]) -> Result<Option<Vec<u8>>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_vec(patterns).map_err(Error::internal)?;
    app.keys.seal(&secret::place("run", run.id.0), &text).map(Some)
}

/// What a batch of lines is followed by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Followed {
    /// More lines of the attempt may follow.
    ByMore,
    /// The attempt has ended.
    ByNothing,
}

/// How many lines at the end of a batch may wait because a secret may begin in them.
const HELD: usize = 16;

/// Masks the secrets of a run.
pub(super) fn masking_of(app: &App, run: &run::Model) -> Result<Masking> {
    patterns_of(app, run).map(|patterns| Masking::new(&patterns))
}

fn patterns_of(app: &App, run: &run::Model) -> Result<Vec<String>> {
    let Some(sealed) = &run.masks else { return Ok(Vec::new()) };
    let opened = app.keys.open(&secret::place("run", run.id.0), sealed)?;
    serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("stored masks are not JSON"))
}

/// The run with its new lines counted, and the rows to store for them. A line in which a secret may begin and go on in the next one
/// is left for the next time.
pub(in crate::engine) fn with_lines(
    app: &App,
    mut run: run::Model,
    mut lines: Vec<runner::Line>,
    followed: Followed,
) -> (run::Model, Vec<log_chunk::Model>) {
    if lines.is_empty() {
        return (run, Vec::new());
    }
    let mut pieces = ChunkBuilder::after(run.id, run.total_lines);
    let count = |lines: &[runner::Line]| i64::try_from(lines.len()).unwrap_or(i64::MAX);
    match patterns_of(app, &run) {
        Ok(patterns) => {
            if followed == Followed::ByMore {
                lines.truncate(storable(&lines, &patterns));
            }
            run.attempt_lines += count(&lines);
            let half = most_bytes(app) / 2;
            for line in masked(&Masking::new(&patterns), lines) {
                let stream = match line.stream {
                    runner::Stream::Stdout => LogStream::Stdout,
                    runner::Stream::Stderr => LogStream::Stderr,
                };
                run.log_bytes += pieces.push(line.at, stream, &line.text);
                if run.log_mark.is_none() && run.log_bytes > half {
                    run.log_mark = Some(pieces.reserve());
                }
            }
            run.log_cut |= run.log_bytes > most_bytes(app);
        }
        // Without its masks, no line may be stored; the run goes on.
        Err(_) => {
            run.attempt_lines += count(&lines);
            if let Some(line) = lines.first().filter(|_| !run.log_cut) {
                run.log_bytes += pieces.push(line.at, LogStream::System, CANNOT_MASK);
                run.log_cut = true;
            }
        }
    }
    run.total_lines = pieces.position();
    (run, pieces.finish())
}

/// The largest log of a run, in bytes: one half for its beginning, the other one for its end.
fn most_bytes(app: &App) -> i64 {
    i64::from(app.config.log_mib) * 1024 * 1024
}

/// How many of the lines can be stored now.
fn storable(lines: &[runner::Line], patterns: &[String]) -> usize {
    let last = |stream| lines.iter().rposition(|line| line.stream == stream);
    let held = [last(runner::Stream::Stdout), last(runner::Stream::Stderr)].into_iter().flatten().filter(|place| {
        let line = lines.get(*place).filter(|line| line.open && place + HELD >= lines.len());
        line.is_some_and(|line| may_go_on(patterns, &line.text))
    });
    held.min().unwrap_or(lines.len())
}

/// The lines with their secrets masked, including those that go on in the next line of the stream.
fn masked(masking: &Masking, mut lines: Vec<runner::Line>) -> Vec<runner::Line> {
    for stream in [runner::Stream::Stdout, runner::Stream::Stderr] {
        let mut one: Vec<&mut runner::Line> = Vec::new();
        for line in lines.iter_mut().filter(|line| line.stream == stream) {
            let is_last = !line.open;
            one.push(line);
            if is_last {
                mask(masking, std::mem::take(&mut one));
            }
        }
        mask(masking, one);
    }
    lines
}

/// Masks the secrets in the pieces of one line.
fn mask(masking: &Masking, mut pieces: Vec<&mut runner::Line>) {
    match pieces.as_mut_slice() {
        [] => {}
        [line] => {
            if let Cow::Owned(text) = masking.apply(&line.text) {
                line.text = text;
            }
        }
        pieces => {
            let texts: Vec<&str> = pieces.iter().map(|line| line.text.as_str()).collect();
            let texts = masking.apply_to_pieces(&texts);
            for (line, text) in pieces.iter_mut().zip(texts) {
                line.text = text;
            }
        }
    }
}

/// Stores the rows that `with_lines` returned, and leaves out lines in the middle of a log that is too large.
pub(in crate::engine) async fn append(
    app: &App,
    tx: &DatabaseTransaction,
    run: &run::Model,
    chunks: Vec<log_chunk::Model>,
    now: DateTime<Utc>,
) -> Result<()> {
    let is_new = !chunks.is_empty();
    store::log_chunk::append(tx, chunks).await?;
    let excess = run.log_bytes - most_bytes(app);
    let Some(mark) = run.log_mark.filter(|_| is_new && excess > 0) else { return Ok(()) };
    let Some(cut) = store::log_chunk::cut_middle(tx, run.id, (mark, run.total_lines), excess).await? else {
        return Ok(());
    };
    let text = format!(
        "log truncated: {} lines are left out here; the beginning and the end of a log are kept, up to {} MiB (--log-mib)",
        cut.left_out, app.config.log_mib
    );
    let mut pieces = ChunkBuilder::after(run.id, mark - 1);
    let _bytes = pieces.push(now, LogStream::System, &text);
    store::log_chunk::replace(tx, run.id, mark, pieces.finish()).await?;
    store::run::note_log_bytes(tx, run.id, run.log_bytes - cut.bytes).await?;
    Ok(())
}
