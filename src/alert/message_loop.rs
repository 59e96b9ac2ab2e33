//! The loop that decides what is told, beside the one that tells it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::AlertId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::send_due::send_until;
use super::timed::Watch;
use super::{judge, recoveries, timed};
use crate::app::App;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::alert::AlertGlance;
use crate::store::kept_glance::KeptGlance;

/// The pause between passes.
const PAUSE: Duration = Duration::from_millis(500);
/// How often open runs and current alerts are looked at.
const LOOK: TimeDelta = TimeDelta::seconds(2);
/// How many batches of causes are decided about in a row before other things are looked at.
const BATCHES: usize = 20;

/// What the loop remembers between its passes.
pub struct Memory {
    cursor: AlertId,
    looked_at: Option<DateTime<Utc>>,
    watch: Watch,
}

impl Default for Memory {
    fn default() -> Self {
        Self { cursor: AlertId(Uuid::nil()), looked_at: None, watch: Watch::default() }
    }
}

impl Memory {
    /// Whether it is time to look at open runs and current alerts.
    fn looks_again(&self, now: DateTime<Utc>) -> bool {
        self.looked_at.is_none_or(|last| now - last >= LOOK || now < last)
    }
}

/// Decides and sends until `shutdown`, side by side, so that a receiver that hangs delays no decision.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let told = Notify::new();
    tokio::join!(decide_until(app, &told, shutdown.clone()), send_until(app, &told, shutdown));
}

/// Repeats the passes that decide, and says so. While nothing happens, a pass is one query; on SQLite there is none.
async fn decide_until(app: &App, told: &Notify, shutdown: CancellationToken) {
    let mut memory = Memory::default();
    let mut glance = KeptGlance::of(&app.db, &store::alert::GLANCED);
    while !shutdown.is_cancelled() {
        let now = app.clock.now();
        let passed = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            passed = pass(app, told, &mut memory, &mut glance, now) => passed,
        };
        let rests = match passed {
            Ok(found) => {
                app.setbacks.pass_succeeded(Pass::Alerts);
                !found.causes && !found.watches
            }
            Err(error) => {
                tracing::error!(?error, "alerts could not be read; will retry");
                app.setbacks.pass_failed(Pass::Alerts, now);
                app.metrics.pass_failed(Pass::Alerts.name());
                false
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PAUSE), if !rests => {}
            () = glance.rest(PAUSE), if rests => {}
        }
    }
}

async fn pass(
    app: &App,
    told: &Notify,
    memory: &mut Memory,
    glance: &mut KeptGlance<AlertGlance>,
    now: DateTime<Utc>,
) -> Result<AlertGlance> {
    let found = glance.get(async || store::alert::glance(&app.db).await).await?;
    if !found.watches {
        *memory = Memory::default();
    }
    if found.causes || (found.watches && memory.looks_again(now)) {
        let decided = decide(app, memory, now).await;
        told.notify_one();
        decided?;
    }
    Ok(found)
}

/// Decides about what happened, and from time to time about what is still so.
///
/// # Errors
/// Database errors.
pub async fn decide(app: &App, memory: &mut Memory, now: DateTime<Utc>) -> Result<()> {
    for _ in 0..BATCHES {
        if !judge::judge(app, now).await? {
            break;
        }
    }
    if memory.looks_again(now) {
        memory.looked_at = Some(now);
        timed::look(app, &mut memory.watch, now).await?;
        recoveries::tell_due(app, now).await?;
        memory.cursor = recoveries::end_recovered(app, memory.cursor, now).await?;
    }
    Ok(())
}
