//! Calls of runners with a time limit, so that a runner that does not answer cannot block the engine.

use std::time::Duration;

use crate::runner::interface::Unavailable;

/// The time limit of one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls a runner, with a time limit of ten seconds.
///
/// # Errors
/// The error of the runner, or a timeout.
pub async fn with_time_limit<T, E: From<Unavailable>>(call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(result) => result,
        Err(_) => Err(Unavailable("the runner did not answer in time".into()).into()),
    }
}

/// Logs the failure of a call that the next tick retries.
pub fn log_failure(step: &str, result: Result<(), Unavailable>) {
    if let Err(Unavailable(reason)) = result {
        tracing::warn!(step, reason, "runner call failed; will retry");
    }
}
