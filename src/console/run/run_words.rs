//! A run in words.

use chrono::{DateTime, Utc};
use entity::run::{Event, Model, RunnerKind, Trigger};
use entity::run_spec::image_reference;
use windlass_schedule::time_zone::Zone;

use crate::console::format::{between, duration};
use crate::console::picture::Shade;
use crate::console::when::in_zone;

/// Why a run was created.
pub(in crate::console) fn trigger(run: &Model) -> &'static str {
    match (run.trigger, run.backfill_id) {
        (Trigger::Schedule, Some(_)) => "a backfill of its schedule",
        (Trigger::Schedule, None) => "its schedule",
        (Trigger::Deployment, _) => "a deployment",
        (Trigger::Force, _) => "a deployment that requested this event",
        (Trigger::Manual, _) => "a request",
    }
}

/// What a run executes.
pub(super) fn event(event: Event) -> &'static str {
    match event {
        Event::Cron => "CRON: the command of the schedule",
        Event::Start => "START: the command for the start of the environment",
        Event::Stop => "STOP: the command for the stop of the environment",
        Event::Delete => "DELETE: the command for the deletion of the environment",
        Event::Build => "BUILD: the image of the job is built",
        Event::Workspace => "WORKSPACE: a step of a workspace job",
        Event::Apply => "APPLY: the schedule is applied in its cluster, or removed there",
    }
}

/// What executes a run.
pub(super) fn runner(kind: RunnerKind) -> &'static str {
    match kind {
        RunnerKind::Docker => "a container of Docker",
        RunnerKind::Process => "a process on the server",
        RunnerKind::Kubernetes => "a Job in Kubernetes",
        RunnerKind::Agent => "an agent",
    }
}

/// The image of a run.
pub(super) fn image(run: &Model) -> Option<String> {
    let spec = &run.spec;
    let named = spec.image_name.as_ref().zip(spec.image_tag.as_ref()).map(|(name, tag)| image_reference(name, tag));
    named.or_else(|| spec.built_image.clone()).or_else(|| run.built.as_ref().map(|built| built.image.clone()))
}

/// How long a run has taken so far, in milliseconds.
pub(in crate::console) fn taken(run: &Model, now: DateTime<Utc>) -> Option<u64> {
    run.started_at.map(|started| between(started, run.finished_at.unwrap_or(now)))
}

/// One line about a run, such as for the bar of a picture.
pub(in crate::console) fn summary(run: &Model, zone: Option<Zone>, now: DateTime<Utc>) -> String {
    let at = run.scheduled_for.or(run.started_at).unwrap_or(run.created_at);
    let taken = taken(run, now).map(|taken| format!(" in {}", duration(taken))).unwrap_or_default();
    format!("Run #{}, {}: {}{taken}", run.number, in_zone(at, zone), Shade::of(run.state).label())
}
