//! Copies the log of a run from its runner to the database: masks it, counts its lines, and truncates it at the size limit.

use entity::{log_chunk, run};

use crate::app::App;
use crate::engine::masking::Masking;
use crate::error::{Error, Result};
use crate::runner::time_limit::with_time_limit;
use crate::runner::{self, Lines, Runner, StepState, Unavailable};
use crate::secret;
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

/// Masks the secrets of a run.
pub(super) fn masking_of(app: &App, run: &run::Model) -> Result<Masking> {
    let patterns: Vec<String> = match &run.masks {
        Some(sealed) => {
            let opened = app.keys.open(&secret::place("run", run.id.0), sealed)?;
            serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("stored masks are not JSON"))?
        }
        None => Vec::new(),
    };
    Ok(Masking::new(&patterns))
}

/// The run with its new lines counted, and the rows to store for them.
pub(in crate::engine) fn with_lines(
    app: &App,
    mut run: run::Model,
    lines: Vec<runner::Line>,
) -> (run::Model, Vec<log_chunk::Model>) {
    if lines.is_empty() {
        return (run, Vec::new());
    }
    run.attempt_lines += i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let mut pieces = ChunkBuilder::after(run.id, run.total_lines);
    let masking = match (masking_of(app, &run), lines.first()) {
        (Ok(masking), _) => masking,
        // Without its masks, no line may be stored; the run goes on.
        (Err(_), Some(line)) if !run.log_cut => {
            pieces.push(line.at, LogStream::System, CANNOT_MASK);
            run.log_cut = true;
            Masking::new(&[])
        }
        (Err(_), _) => Masking::new(&[]),
    };
    let most = i64::from(app.config.log_mib) * 1024 * 1024;
    for line in lines {
        if run.log_cut {
            break;
        }
        let text = masking.apply(&line.text);
        run.log_bytes += i64::try_from(text.len() + 1).unwrap_or(i64::MAX);
        if run.log_bytes > most {
            run.log_cut = true;
            let note =
                format!("log truncated: only the first {} MiB of a run are kept (--log-mib)", app.config.log_mib);
            pieces.push(line.at, LogStream::System, &note);
            break;
        }
        let stream = match line.stream {
            runner::Stream::Stdout => LogStream::Stdout,
            runner::Stream::Stderr => LogStream::Stderr,
        };
        pieces.push(line.at, stream, &text);
    }
    run.total_lines = pieces.position();
    (run, pieces.finish())
}
