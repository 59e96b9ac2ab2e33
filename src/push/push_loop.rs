//! The loop that reads the changed paths of pushes and polls repositories, beside the one that reports to them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::deploy_pushed::{deploy_pushed, find_heads};
use super::poll_repositories::poll;
use super::read_paths::read_waiting;
use super::send_reports::report_until;
use crate::app::App;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::kept_glance::KeptGlance;
use crate::store::push::PushGlance;

/// The longest sleep between passes.
const CALM: Duration = Duration::from_secs(1);
/// The shortest sleep, as another server may be at work on what is due.
const SHORTEST: Duration = Duration::from_millis(50);

/// The sleep while what is due is with another server.
const TAKEN: Duration = Duration::from_millis(500);
/// How often it looks for branches that jobs are built from.
const LOOK: TimeDelta = TimeDelta::seconds(30);

/// Polls and reports until `shutdown`, side by side, so that a provider that hangs delays no push.
pub async fn run(app: &App, shutdown: CancellationToken) {
    tokio::join!(poll_until(app, shutdown.clone()), report_until(app, shutdown));
}

/// Repeats the passes until `shutdown`.
async fn poll_until(app: &App, shutdown: CancellationToken) {
    let (mut looked_at, mut pushed) = (None, app.wake.listen_for_pushes());
    let mut glance = KeptGlance::of(&app.db, &store::push::GLANCED);
    while !shutdown.is_cancelled() {
        let passed = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            passed = pass(app, &mut looked_at, &mut glance, app.clock.now()) => passed,
        };
        let pause = match passed {
            Ok(pause) => {
                app.setbacks.pass_succeeded(Pass::Pushes);
                pause
            }
            Err(error) => {
                tracing::error!(?error, "pushes could not be read; will retry");
                app.setbacks.pass_failed(Pass::Pushes, app.clock.now());
                app.metrics.pass_failed(Pass::Pushes.name());
                Some(CALM)
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = pushed.wait() => {}
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            () = glance.rest(CALM), if pause.is_none() => {}
        }
    }
}

/// Does what is due, and returns the time until the next pass; `None` if nothing waits. While nothing is due, a pass is one query, and
/// no transaction.
async fn pass(
    app: &App,
    looked_at: &mut Option<DateTime<Utc>>,
    glance: &mut KeptGlance<PushGlance>,
    now: DateTime<Utc>,
) -> Result<Option<Duration>> {
    if looked_at.is_none_or(|last| now - last >= LOOK || now < last) {
        *looked_at = Some(now);
        find_heads(app, now).await?;
    }
    let PushGlance { waiting, poll: polls, head: heads, asked_head: asked } =
        glance.get(async || store::push::glance(&app.db).await).await?;
    let is_due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
    let mut done = 0;
    if is_due(waiting) {
        done += read_waiting(app, now).await?;
    }
    if is_due(polls) {
        done += poll(app, now).await?;
    }
    if is_due(heads) || is_due(asked) {
        done += deploy_pushed(app, now).await?;
    }
    if done > 0 {
        return Ok(Some(SHORTEST));
    }
    let next = [waiting, polls, heads, asked].into_iter().flatten().min();
    Ok(next.map(|next| (next - now).to_std().unwrap_or(TAKEN).clamp(SHORTEST, CALM)))
}
