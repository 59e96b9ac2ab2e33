//! Deployments, schedules and runs.
//!
//! `run` ticks: on a wake-up, when a schedule is due, and at least every few seconds. Everything it knows comes
//! from the database and the time, so that a lost wake-up or a killed server costs time only.

mod announce;
pub mod command;
pub mod deployment;
pub mod rule;
pub mod schedule;
pub mod settings;
pub mod state;
pub mod tick;
pub mod variables;

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store;

/// The longest sleep when nothing runs.
const CALM: Duration = Duration::from_secs(5);
/// The sleep while something runs.
const BUSY: Duration = Duration::from_millis(500);
/// The shortest sleep: where something stays due because its pass fails, the machine is not kept busy with it.
const BREATH: Duration = Duration::from_millis(20);
/// How often what ended runs left behind is looked for.
const SWEEP: TimeDelta = TimeDelta::minutes(10);

/// Ticks until `shutdown`.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let mut swept_at = None;
    loop {
        let now = app.clock.now();
        if swept_at.is_none_or(|at| now - at >= SWEEP) {
            tick::sweep(app).await;
            swept_at = Some(now);
        }
        let more = tick::tick(app, now).await.more;
        let pause = if more { Duration::ZERO } else { pause(app).await };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = app.wake.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long nothing will be due.
async fn pause(app: &App) -> Duration {
    let busy = store::run::count_open(&app.db).await.map_or(true, |open| open > 0);
    let longest = if busy { BUSY } else { CALM };
    match store::job::next_due(&app.db).await {
        Ok(Some(due)) => (due - app.clock.now()).to_std().unwrap_or(Duration::ZERO).clamp(BREATH, longest),
        Ok(None) | Err(_) => longest,
    }
}
