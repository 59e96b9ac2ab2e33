//! Copies the log of a run from its runner to the database: masks it, counts its lines, and leaves out the middle of a log that is
//! too large.

use chrono::{DateTime, Utc};
use entity::{log_chunk, run};
use sea_orm::DatabaseTransaction;

use super::masks::Masks;
use crate::app::App;
use crate::engine::masking::{Channel, Followed, Piece, take};
use crate::error::Result;
use crate::runner::time_limit::with_time_limit;
use crate::runner::{self, Lines, Runner, StepState, Unavailable};
use crate::store;
use crate::store::log_chunk::{ChunkBuilder, LogStream};

/// How many lines of one run are copied in one transaction.
pub(in crate::engine) const CHUNK: usize = 20_000;

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

/// The run with its new lines counted, and the rows to store for them. A line in which a secret may begin and go on in the
/// next one is left for the next time.
pub(in crate::engine) fn with_lines(
    app: &App,
    mut run: run::Model,
    mut lines: Vec<runner::Line>,
    followed: Followed,
) -> (run::Model, Vec<log_chunk::Model>) {
    let Some(first) = lines.first() else { return (run, Vec::new()) };
    let at = first.at;
    let Ok(masks) = mask(app, &run, &mut lines, followed) else { return omitted(run, &lines, at) };
    run.masks = masks;
    run.attempt_lines += i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let half = most_bytes(app) / 2;
    let mut pieces = ChunkBuilder::after(run.id, run.total_lines);
    for line in lines {
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
    run.total_lines = pieces.position();
    (run, pieces.finish())
}

/// The run without its new lines, which are counted: without its masks, none of them may be stored. The run goes on.
fn omitted(mut run: run::Model, lines: &[runner::Line], at: DateTime<Utc>) -> (run::Model, Vec<log_chunk::Model>) {
    run.attempt_lines += i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let mut pieces = ChunkBuilder::after(run.id, run.total_lines);
    if !run.log_cut {
        run.log_bytes += pieces.push(at, LogStream::System, CANNOT_MASK);
        run.log_cut = true;
    }
    run.total_lines = pieces.position();
    (run, pieces.finish())
}

/// The largest log of a run, in bytes: one half for its beginning, the other one for its end.
fn most_bytes(app: &App) -> i64 {
    i64::from(app.config.log_mib) * 1024 * 1024
}

/// Masks the lines that can be stored now, and removes the others. Returns the masks of the run for the next lines.
fn mask(app: &App, run: &run::Model, lines: &mut Vec<runner::Line>, followed: Followed) -> Result<Option<Vec<u8>>> {
    let Some(masks) = Masks::of(app, run)? else { return Ok(None) };
    let mut pieces: Vec<Piece> = lines.iter_mut().map(piece).collect();
    let carried = take(&masks.masker(), &masks.carried, &mut pieces, followed);
    lines.truncate(pieces.len());
    for (line, piece) in lines.iter_mut().zip(pieces) {
        line.text = piece.text;
    }
    if carried == masks.carried { Ok(run.masks.clone()) } else { masks.carrying(carried).sealed(app, run) }
}

/// The text of a line is taken, and put back when it is masked.
fn piece(line: &mut runner::Line) -> Piece {
    let channel = match line.stream {
        runner::Stream::Stdout => Channel::Stdout,
        runner::Stream::Stderr => Channel::Stderr,
    };
    Piece { channel, text: std::mem::take(&mut line.text), open: line.open }
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::CHUNK;
    use crate::engine::masking::{MOST_WAITING, MOST_WAITING_BYTES};
    use crate::runner::{LINE_BYTES, Line, Lines, Stream};

    /// Masking stores some lines of every full batch, so that no log gets stuck.
    #[test]
    fn a_full_batch_is_more_than_what_may_wait() {
        for length in [0, 1, 60, 200, 300, 400, 1000, 20_000, LINE_BYTES] {
            let line = Line { at: DateTime::UNIX_EPOCH, stream: Stream::Stdout, text: "x".repeat(length), open: true };
            // One by one would take long for short lines.
            let step = (CHUNK / 200).min(LINE_BYTES / 16 / length.max(1)).max(1);
            let mut batch = Lines::default();
            while !batch.is_full(CHUNK) {
                batch.lines.extend(std::iter::repeat_n(line.clone(), step));
            }
            let count = batch.lines.len() - step + 1;
            assert!(count > MOST_WAITING || count * length > MOST_WAITING_BYTES, "{count} lines of {length} bytes");
        }
    }
}
