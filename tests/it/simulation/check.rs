//! The invariants of a simulated world after it has settled.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::run::RunState;
use entity::{deployment, run, skipped_time};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use windlass::engine::cron::Timing;
use windlass::engine::tick;
use windlass::store;

use super::world::World;

impl World {
    pub(super) async fn check(&self) -> Result<(), String> {
        let db = &self.servers[0].app.db;
        self.check_times().await?;
        let started = self.engine.started.lock().unwrap().clone();
        let once: BTreeSet<&String> = started.iter().collect();
        if once.len() != started.len() {
            return Err(format!("a step was started twice: {started:?}"));
        }
        let runs = run::Entity::find().all(db).await.unwrap();
        let overlapped = self.engine.overlapped.lock().unwrap().clone();
        for job in &overlapped {
            // A lost run may still be running, as may one that was cancelled while its engine did not answer.
            let left = |reason: &String| reason.contains("lost") || reason.contains("may still be running");
            let given_up = |run: &run::Model| run.reason.as_ref().is_some_and(left);
            let of = |run: &run::Model| match run.job_id {
                Some(id) => id.to_string() == *job,
                None => self.workspaces.is(job),
            };
            if !runs.iter().any(|run| of(run) && given_up(run)) {
                return Err(format!("two runs of job {job} were running at once"));
            }
        }
        for run in runs {
            if run.attempt > run.spec.max_nb_restart + 1 {
                return Err(format!("run {} had {} attempts", run.number, run.attempt));
            }
            let stopped = self.engine.stopped.lock().unwrap().contains(&tick::step_name(run.id, run.attempt));
            if stopped && run.state == RunState::Succeeded {
                return Err(format!("run {} was stopped and has succeeded", run.number));
            }
            self.check_log(&run).await?;
        }
        self.workspaces.check(&self.servers[0].app).await?;
        if let Some(company) = &self.company {
            company.check(db).await?;
        }
        let open = deployment::Column::Progress.is_in(["QUEUED", "RUNNING"]);
        let stuck = deployment::Entity::find().filter(open).all(db).await.unwrap();
        if stuck.is_empty() { Ok(()) } else { Err(format!("{} deployments never end", stuck.len())) }
    }

    /// Every scheduled time has exactly one row, and no other time has any. A time that the clock was set back over has a row for
    /// each time that it came, but at most one run.
    async fn check_times(&self) -> Result<(), String> {
        let db = &self.servers[0].app.db;
        for id in &self.jobs {
            let job = store::job::by_id(db, *id).await.unwrap().unwrap();
            let timing = Timing::of(*id, &job.spec).unwrap().unwrap();
            let now = self.now();
            let times = std::iter::successors(timing.next(self.deployed_at), |time| timing.next(*time));
            let expected: BTreeSet<_> = times.take_while(|time| *time <= now).collect();
            let mut rows: HashMap<DateTime<Utc>, u32> = HashMap::new();
            let runs = run::Entity::find().filter(run::Column::JobId.eq(*id)).all(db).await.unwrap();
            for at in runs.iter().filter_map(|run| run.scheduled_for) {
                *rows.entry(at).or_default() += 1;
            }
            let skipped =
                skipped_time::Entity::find().filter(skipped_time::Column::JobId.eq(*id)).all(db).await.unwrap();
            // A time whose run was given up at its starting deadline has both.
            let given_up: BTreeSet<_> =
                runs.iter().filter(|run| is_given_up(run)).filter_map(|run| run.scheduled_for).collect();
            for row in skipped.iter().filter(|row| !given_up.contains(&row.scheduled_for)) {
                for at in expected.iter().filter(|at| (row.scheduled_for..=row.through).contains(at)) {
                    *rows.entry(*at).or_default() += 1;
                }
            }
            let twice = |at: &DateTime<Utc>| self.set_back.iter().any(|(to, from)| to < at && at <= from);
            let is_told = |at: &DateTime<Utc>| skipped.iter().any(|row| row.scheduled_for == *at);
            if let Some(at) = given_up.iter().find(|at| !is_told(at) && !twice(at)) {
                return Err(format!("{at} of {} was given up, and is no skipped time", job.name));
            }
            let fits = |at: &&DateTime<Utc>| match rows.get(at) {
                Some(1) => true,
                Some(_) => twice(at),
                None => false,
            };
            if let Some(at) = expected.iter().find(|at| !fits(at)) {
                return Err(format!("{at} of {} has {:?} rows", job.name, rows.get(at)));
            }
            if let Some(at) = rows.keys().find(|at| !expected.contains(at) && !twice(at)) {
                return Err(format!("{at} has a row, but is not a time of {}", job.name));
            }
            let next = store::job_schedule::of_job(db, *id).await.unwrap();
            if next != timing.next(now) {
                return Err(format!(
                    "{} is planned for {next:?} at {now}, not for its first time after that",
                    job.name
                ));
            }
        }
        Ok(())
    }

    /// The stored log is what the steps wrote, except for a run that was lost or whose log could not be read.
    async fn check_log(&self, run: &run::Model) -> Result<(), String> {
        if !run.state.is_final() {
            return Err(format!("run {} never ends: {:?}", run.number, run.state));
        }
        if run.event == run::Event::Build {
            // A build that is started again repeats its log.
            return Ok(());
        }
        let db = &self.servers[0].app.db;
        let stored = store::log_chunk::list_by_run(db, run.id, 0).await.unwrap();
        let stored: Vec<&str> = stored.iter().map(|line| line.text.as_str()).collect();
        let written = self.engine.written.lock().unwrap().clone();
        let steps = (1..=run.attempt).filter_map(|attempt| written.get(&tick::step_name(run.id, attempt)));
        let expected: Vec<&str> = steps.flatten().map(String::as_str).collect();
        let cut = ["log", "lost", "may still be running"];
        let lost = run.reason.as_ref().is_some_and(|reason| cut.iter().any(|word| reason.contains(word)));
        if stored == expected || (lost && expected.starts_with(&stored)) {
            return Ok(());
        }
        Err(format!("run {} ({:?}) stored {stored:?} of {expected:?}", run.number, run.reason))
    }
}

/// Whether the time of a run was given up, because the run could not start by its deadline.
fn is_given_up(run: &run::Model) -> bool {
    let is_too_late = |reason: &String| reason.starts_with("not started within its starting deadline");
    run.state == RunState::Cancelled && run.reason.as_ref().is_some_and(is_too_late)
}
