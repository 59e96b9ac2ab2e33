//! Follows a run or a deployment to its end.

use std::time::Duration;

use uuid::Uuid;

use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::rows::Run;
use crate::screen::Screen;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a log is read to its current end, or to the end of its run.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Now,
    TheEnd,
}

impl From<bool> for Until {
    fn from(follow: bool) -> Self {
        if follow { Self::TheEnd } else { Self::Now }
    }
}

/// Passes the log of a run on, from its first line.
pub(crate) async fn log(place: &Place, run: Uuid, until: Until, screen: &mut Screen) -> Result<()> {
    let query = match until {
        Until::Now => Vec::new(),
        Until::TheEnd => vec![("follow", "true".to_owned())],
    };
    let mut answer = place.api.stream(&format!("/run/{run}/log"), &query).await?;
    let broken = |error: reqwest::Error| Failure::Refused(format!("the log broke off: {error}"));
    while let Some(bytes) = answer.chunk().await.map_err(broken)? {
        screen.pass(&bytes)?;
    }
    Ok(())
}

/// Follows a run: its log, then how it ended. Fails unless it succeeded.
pub(crate) async fn run(place: &Place, id: Uuid, screen: &mut Screen) -> Result<()> {
    if screen.is_raw() {
        let row = ended(place, id).await?;
        screen.raw(&row)?;
        return judge(&shown(&row)?);
    }
    log(place, id, Until::TheEnd, screen).await?;
    let run: Run = shown(&ended(place, id).await?)?;
    screen.remark(&sentence(&run));
    judge(&run)
}

async fn ended(place: &Place, id: Uuid) -> Result<serde_json::Value> {
    loop {
        let row = place.api.get(&format!("/run/{id}"), &[]).await?;
        if shown::<Run>(&row)?.is_over() {
            return Ok(row);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How a run ended, in a line.
pub(crate) fn sentence(run: &Run) -> String {
    let length = run.length();
    let took = if length.is_empty() { String::new() } else { format!(" after {length}") };
    let code = run.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
    let reason = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("run {} {}{took}{code}{reason}", run.number, run.state.to_lowercase())
}

fn judge(run: &Run) -> Result<()> {
    match run.state.as_str() {
        "SUCCEEDED" => Ok(()),
        _ => Err(Failure::Unsuccessful(sentence(run))),
    }
}

/// Follows a deployment of what `path` answers the status of. Fails unless it succeeded.
pub(crate) async fn deployment(place: &Place, path: &str, screen: &mut Screen) -> Result<()> {
    let mut last = String::new();
    loop {
        let row = place.api.get(path, &[]).await?;
        let state = row.get("state").and_then(|state| state.as_str()).unwrap_or_default().to_owned();
        if state != last {
            screen.remark(&state.to_lowercase());
            screen.flush()?;
            last.clone_from(&state);
        }
        if !is_moving(&state) {
            if screen.is_raw() {
                screen.raw(&row)?;
            }
            let failed = state.ends_with("_ERROR") || state.starts_with("CANCEL");
            return if failed {
                Err(Failure::Unsuccessful(format!("the deployment ended as {state}")))
            } else {
                Ok(())
            };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a state of a deployment is followed by another one.
fn is_moving(state: &str) -> bool {
    state.ends_with("_QUEUED") || state.ends_with("ING") || state == "WAITING"
}

#[cfg(test)]
mod tests {
    use super::is_moving;

    #[test]
    fn deployments_are_followed_to_their_end() {
        for state in
            ["DEPLOYMENT_QUEUED", "DEPLOYING", "STOP_QUEUED", "STOPPING", "BUILDING", "CANCELING", "RESTARTING"]
        {
            assert!(is_moving(state), "{state}");
        }
        for state in ["DEPLOYED", "DEPLOYMENT_ERROR", "STOPPED", "STOP_ERROR", "CANCELED", "READY", "DELETED"] {
            assert!(!is_moving(state), "{state}");
        }
    }
}
