//! Collects the facts that the state machine needs about a run from its row and the server's settings.

use chrono::TimeDelta;
use entity::run;
use entity::run::Event;

use crate::app::App;
use crate::engine::cron::repeats_by_kubernetes;
use crate::engine::run::Facts;
use crate::runner::Target;

/// The facts of a run on a runner of this kind.
pub(super) fn facts(app: &App, run: &run::Model, kind: Target) -> Facts {
    let cluster = matches!(kind, Target::Kubernetes(_));
    let seconds = |seconds: i32| TimeDelta::seconds(seconds.into());
    let config_seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
    Facts {
        attempt: run.attempt,
        // Applying a schedule is no execution of the job.
        max_nb_restart: if run.event == Event::Apply { 0 } else { run.spec.max_nb_restart },
        repeated_by_runner: cluster && repeats_by_kubernetes(&run.spec),
        // Kubernetes enforces the time limit itself.
        max_duration_seconds: if cluster { 0 } else { run.spec.max_duration_seconds },
        start_asked_at: run.start_asked_at.unwrap_or(run.not_before),
        start_timeout: config_seconds(app.config.start_timeout_seconds),
        started_at: run.started_at,
        attempt_started: run.attempt_started_at.is_some(),
        handed_over: run.place.is_some(),
        cancel_requested_at: run.cancel_requested_at,
        stopping_at: run.stopping_at,
        stop_asked_at: run.stop_asked_at,
        seen_at: run.updated_at.max(run.not_before).max(app.visits.seen_at(run.id).unwrap_or_default()),
        lost_after: config_seconds(app.config.lost_timeout_seconds),
        stop_grace: run.spec.stop_grace_seconds.map_or(config_seconds(app.config.stop_grace_seconds), seconds),
        backoff: seconds(run.spec.retry_backoff_seconds.unwrap_or(10)),
        success_exit_codes: run.spec.success_exit_codes.clone(),
        fail_fast_exit_codes: run.spec.fail_fast_exit_codes.clone(),
        interrupted: app.shutdown.interrupted(run.id),
        repeatable: matches!(run.event, Event::Build | Event::Apply),
    }
}
