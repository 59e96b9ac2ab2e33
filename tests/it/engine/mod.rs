//! `tick` with a clock that stands still and a fake runner.

mod calendars;
mod clock;
mod deadlines;
mod deployments;
mod ends;
mod every_pass;
mod failures;
mod holds;
mod leases;
mod outputs;
pub(crate) mod poison;
mod runs;
mod schedule_language;
mod schedules;
mod servers;
mod slots;
mod starts;
mod times;
mod together;
mod visits;

use std::fmt::Write as _;

use entity::{deployment, deployment_job, job, run, skipped_time};
use sea_orm::{EntityTrait, QueryOrder};

use crate::harness::TestApp;

/// All rows that the engine writes, as a text without ids.
pub(crate) async fn rows(app: &TestApp) -> String {
    let db = &app.app.db;
    let mut out = String::new();
    let at =
        |time: Option<chrono::DateTime<chrono::Utc>>| time.map_or("-".into(), |t| t.format("%d %H:%M:%S").to_string());
    let jobs = job::Entity::find().order_by_asc(job::Column::Name).all(db).await.unwrap();
    let name = |id: entity::id::JobId| jobs.iter().find(|job| job.id == id).map_or("?", |job| job.name.as_str());
    for row in &jobs {
        let next = at(windlass::store::job_schedule::of_job(db, row.id).await.unwrap());
        writeln!(out, "job {}: deployed={} next={next}", row.name, row.deployed.is_some()).unwrap();
    }
    for row in deployment::Entity::find().order_by_asc(deployment::Column::Number).all(db).await.unwrap() {
        let (start, end) = (at(row.started_at), at(row.finished_at));
        writeln!(out, "deployment {}: {:?} {:?} {start} {end}", row.number, row.action, row.progress).unwrap();
    }
    let parts = deployment_job::Entity::find().order_by_asc(deployment_job::Column::DeploymentId);
    let mut parts = parts.all(db).await.unwrap();
    parts.sort_by_key(|row| (row.deployment_id, name(row.job_id).to_owned()));
    for row in parts {
        writeln!(out, "  part {}: {:?} run={}", name(row.job_id), row.progress, row.run_id.is_some()).unwrap();
    }
    for row in run::Entity::find().order_by_asc(run::Column::Number).all(db).await.unwrap() {
        writeln!(
            out,
            "run {}: {} {:?} {:?} for={} {:?} attempt={} not_before={} started={} finished={} exit={:?} lines={} reason={}",
            row.number, name(row.job_id.unwrap()), row.trigger, row.event, at(row.scheduled_for), row.state, row.attempt,
            at(Some(row.not_before)), at(row.started_at), at(row.finished_at), row.exit_code, row.total_lines,
            row.reason.unwrap_or_default(),
        )
        .unwrap();
    }
    for row in run::Entity::find().order_by_asc(run::Column::Number).all(db).await.unwrap() {
        for line in windlass::store::log_chunk::list_by_run(db, row.id, 0).await.unwrap() {
            writeln!(out, "  line {}: {:?} {}", line.position, line.stream, line.text).unwrap();
        }
    }
    for row in skipped_time::Entity::find().order_by_asc(skipped_time::Column::ScheduledFor).all(db).await.unwrap() {
        let (first, last) = (at(Some(row.scheduled_for)), at(Some(row.through)));
        writeln!(out, "skipped {}: {first} {last} {:?}", name(row.job_id), row.reason).unwrap();
    }
    writeln!(out, "steps: {:?}", app.runner.steps().len()).unwrap();
    out
}
