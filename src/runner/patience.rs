//! Calls of a runner with a time limit, so that one that does not answer never holds up the engine.

use std::time::Duration;

use crate::runner::interface::Unavailable;

/// The time limit of one call of a runner.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls a runner, for at most ten seconds.
///
/// # Errors
/// The runner's, and when it does not answer in time.
pub async fn patient<T>(call: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(result) => result,
        Err(_) => Err(Unavailable("the runner did not answer in time".into())),
    }
}

/// A call whose failure the next tick repairs.
pub fn quiet(step: &str, result: Result<(), Unavailable>) {
    if let Err(Unavailable(reason)) = result {
        tracing::warn!(step, reason, "a call of a runner failed; it is tried again");
    }
}
