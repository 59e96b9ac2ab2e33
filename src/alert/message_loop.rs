//! The loop that decides what is told, and tells it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::AlertId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::timed::Watch;
use super::{judge, recoveries, send_due, timed};
use crate::app::App;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::kept_glance::KeptGlance;

/// The pause between passes.
const PAUSE: Duration = Duration::from_millis(500);
/// How often open runs and current alerts are looked at.
const LOOK: TimeDelta = TimeDelta::seconds(2);
/// How many batches of causes are decided about in a row before messages are sent.
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

/// Repeats the passes until `shutdown`. While nothing happens, a pass is one query; on SQLite there is none.
pub async fn run(app: &App, shutdown: CancellationToken) {
    let mut memory = Memory::default();
    let mut glance = KeptGlance::of(&app.db, &store::alert::GLANCED);
    while !shutdown.is_cancelled() {
        let now = app.clock.now();
        let (mut pause, mut rests) = (PAUSE, false);
        let passed = async {
            let mut found = glance.get(async || store::alert::glance(&app.db).await).await?;
            if !found.watches {
                memory = Memory::default();
            }
            if found.causes || (found.watches && memory.looks_again(now)) {
                decide(app, &mut memory, now).await?;
                found.next_message = store::alert::next_message(&app.db).await?;
            }
            match found.next_message {
                Some(due) if due <= now => send_due::send(app, now).await.map(|_| ()),
                Some(due) => {
                    // A message leaves when it is due, and not at the pass after that.
                    pause = PAUSE.min((due - now).to_std().unwrap_or(PAUSE));
                    Ok(())
                }
                None => {
                    rests = !found.causes && !found.watches;
                    Ok(())
                }
            }
        };
        let passed = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            passed = passed => passed,
        };
        match passed {
            Ok(()) => app.setbacks.pass_succeeded(Pass::Alerts),
            Err(error) => {
                tracing::error!(?error, "alerts could not be read; will retry");
                app.setbacks.pass_failed(Pass::Alerts, now);
                app.metrics.pass_failed(Pass::Alerts.name());
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause), if !rests => {}
            () = glance.rest(pause), if rests => {}
        }
    }
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
