//! What all passes share: the size of their batches, and how their errors are reported.

use crate::error::{Error, Result};

/// How many rows a pass takes at once.
pub const BATCH: u64 = 200;

/// Logs the error of a pass; the next tick retries. True when the pass has more work waiting.
pub(super) fn check(pass: &'static str, result: Result<bool>) -> bool {
    result.unwrap_or_else(|error| {
        tracing::error!(pass, ?error, "engine pass failed; will retry");
        false
    })
}

/// Logs that a pass could not process one row; the pass goes on with the others.
pub(in crate::engine) fn report(pass: &'static str, kind: &'static str, id: &dyn std::fmt::Display, error: &Error) {
    tracing::error!(pass, kind, id = %id, ?error, "row could not be processed; will retry");
}
