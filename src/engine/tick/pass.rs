//! What all passes share: the size of their batches, and what becomes of a pass or a row that fails.
//!
//! A row that fails is logged, counted, and paused for longer after each failure. If it fails too often, `give_up` ends it.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::error::{Error, Result};
use crate::liveness::passes::{Cause, Pass};

/// How many rows a pass takes at once.
pub const BATCH: u64 = 200;

/// From this many failures on, a row is processed without what it brings, if possible.
const TRIES_WITH_ALL: u32 = 3;
/// A row that failed this often is ended. Failures of the database do not count.
const TRIES: u32 = 6;
/// A row that somebody wants to end is ended sooner.
const TRIES_OF_UNWANTED: u32 = 2;

/// Whether anybody still wants a row to be processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Wish {
    Process,
    /// It is cancelled, or past its time limit.
    End,
}

/// What to do with a row that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Verdict {
    /// Try again after a pause.
    Retry,
    /// Try at once without what the row brings, then again after a pause.
    Reduce,
    /// End it.
    GiveUp,
}

/// Records the result of a pass; the next tick retries. True when the pass has more work waiting.
pub(in crate::engine) fn check(app: &App, pass: Pass, result: Result<bool>, now: DateTime<Utc>) -> bool {
    match result {
        Ok(more) => {
            app.setbacks.pass_succeeded(pass);
            more
        }
        Err(error) => {
            tracing::error!(pass = pass.name(), ?error, "engine pass failed; will retry");
            app.setbacks.pass_failed(pass, now);
            app.metrics.pass_failed(pass.name());
            false
        }
    }
}

/// Records that a pass could not process one row; the pass goes on with the others.
pub(in crate::engine) fn report(
    app: &App,
    (pass, kind): (Pass, &'static str),
    id: impl Display,
    error: &Error,
    wish: Wish,
    now: DateTime<Utc>,
) -> Verdict {
    let id = id.to_string();
    let cause = if matches!(error, Error::Unavailable { .. }) { Cause::Database } else { Cause::Row };
    let tries = app.setbacks.row_failed(pass, &id, cause, now);
    app.metrics.row_failed(pass.name());
    tracing::error!(pass = pass.name(), kind, id, ?error, tries, "row could not be processed; will retry");
    let (reduced, ended) = match wish {
        Wish::Process => (TRIES_WITH_ALL, TRIES),
        Wish::End => (1, TRIES_OF_UNWANTED),
    };
    match tries {
        tries if tries >= ended => Verdict::GiveUp,
        tries if tries >= reduced => Verdict::Reduce,
        _ => Verdict::Retry,
    }
}

/// Records that a row was processed.
pub(in crate::engine) fn succeeded(app: &App, pass: Pass, id: impl Display) {
    app.setbacks.row_succeeded(pass, &id.to_string());
}

/// The reason of a row that is given up.
pub(in crate::engine) fn reason(what: &str, error: &Error) -> String {
    format!("{what} could not be processed: {}", error.reason())
}
