//! Makes visits beside the passes, so that none of them waits for a runner, or for another run.
//!
//! Each visit is a task of its own. Those of one place wait for each other if they are many, so that a place that answers slowly holds
//! up no other one.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::run;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::gather::{CONCURRENCY, Gathered, gather, glance_at};
use super::lease::renew_if_late;
use super::{observe, orphans, sweep};
use crate::app::App;
use crate::engine::tick::pass::check;
use crate::error::Result;
use crate::liveness::passes::Pass;
use crate::liveness::visits::{Scope, Visit};
use crate::liveness::wake::Calls;

/// The visits that are being made. Dropping this cancels them, as the end of the process would.
#[derive(Default)]
pub struct Visitors {
    tasks: JoinSet<()>,
    places: HashMap<String, Arc<Semaphore>>,
    /// The last look at what is quiet, and the last sweep.
    look: Option<AbortHandle>,
    sweep: Option<AbortHandle>,
}

impl Visitors {
    /// Begins the visits of a pass, which has claimed some runs.
    pub(in crate::engine::tick) async fn begin(
        &mut self,
        app: &Arc<App>,
        (scope, calls): (Scope, Calls),
        claimed: Vec<run::Model>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.reap();
        renew_if_late(app).await?;
        let Gathered { visits, glances } = gather(app, (scope, calls), claimed, now).await?;
        for visit in visits {
            self.visit(app, visit);
        }
        if scope != Scope::News && is_over(self.look.as_ref()) {
            let app = Arc::clone(app);
            self.look = Some(self.tasks.spawn(async move {
                check(&app, Pass::Orphans, orphans::run_once(&app, now).await, now);
                if glance_at(&app, glances, now).await {
                    app.wake.again();
                }
            }));
        }
        Ok(())
    }

    /// Begins a sweep of the runners, unless one is under way.
    pub fn sweep(&mut self, app: &Arc<App>, now: DateTime<Utc>) {
        if is_over(self.sweep.as_ref()) {
            let app = Arc::clone(app);
            self.sweep = Some(self.tasks.spawn(async move { sweep::run_once(&app, now).await }));
        }
    }

    fn visit(&mut self, app: &Arc<App>, (run, visit): (run::Model, Visit)) {
        // A run that was not started waits with those that need the same slots.
        let place = run.place.clone().unwrap_or_else(|| run.slots.to_string());
        let free = self.places.entry(place).or_insert_with(|| Arc::new(Semaphore::new(CONCURRENCY)));
        let (app, free) = (Arc::clone(app), Arc::clone(free));
        self.tasks.spawn(async move {
            // Nobody closes the semaphore.
            let _turn = free.acquire().await;
            let now = app.clock.now();
            observe::make(&app, (run, visit), now).await;
        });
    }

    /// Forgets the visits that have been made.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            panic_on(ended);
        }
        self.places.retain(|_, free| Arc::strong_count(free) > 1);
    }

    /// How many visits, looks and sweeps are under way, or have ended since the last pass.
    #[must_use]
    pub fn left(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until all visits have been made.
    pub async fn finish(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            panic_on(ended);
        }
    }
}

fn is_over(task: Option<&AbortHandle>) -> bool {
    task.is_none_or(AbortHandle::is_finished)
}

/// A panic of a visit is one of the loop that makes it.
fn panic_on(ended: std::result::Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
