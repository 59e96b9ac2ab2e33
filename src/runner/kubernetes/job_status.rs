//! Pure: derives the state of a step from a Job and its pods.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::object_labels::CONTAINER;
use crate::runner::step_state::{StepState, StepTimes};

/// The pods of a Job, the oldest first.
pub(super) type Pods = Vec<Arc<Pod>>;

/// Converts a time of Kubernetes.
pub(super) fn time(given: &Time) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&given.0.to_string()).ok().map(|at| at.to_utc())
}

fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
}

/// Whether a Job has ended.
pub(super) fn is_over(job: &Job) -> bool {
    condition(job, "Complete").is_some() || condition(job, "Failed").is_some()
}

pub(super) fn container(pod: &Pod) -> Option<&ContainerStatus> {
    let status = pod.status.as_ref()?;
    status.container_statuses.as_ref()?.iter().find(|container| container.name == CONTAINER)
}

/// Whether the container of a pod has started; it may have ended since.
pub(super) fn has_begun(pod: &Pod) -> bool {
    let state = container(pod).and_then(|container| container.state.as_ref());
    state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

/// Whether a pod has ended.
pub(super) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let terminated =
        container(pod).and_then(|container| container.state.as_ref()).is_some_and(|state| state.terminated.is_some());
    terminated || matches!(phase, Some("Failed" | "Succeeded"))
}

/// The state of a Job. A pod that does not start fails the step `patience` after it was created.
pub(super) fn progress(job: &Job, pods: &Pods, patience: TimeDelta, now: DateTime<Utc>) -> StepState {
    if condition(job, "Complete").is_some() {
        return StepState::Exited { exit_code: 0, reason: None };
    }
    let begun = pods.iter().any(|pod| has_begun(pod));
    if let Some(failed) = condition(job, "Failed") {
        return failure(job, failed, pods);
    }
    // The pods are being terminated.
    let ending = condition(job, "FailureTarget").is_some() || condition(job, "SuccessCriteriaMet").is_some();
    if ending || job.metadata.deletion_timestamp.is_some() {
        return if begun || ending { StepState::Running } else { StepState::Starting { reason: None } };
    }
    let waits = pods.iter().rev().find(|pod| !has_begun(pod) && !has_ended(pod));
    let (since, reason) = match waits {
        Some(pod) => (pod.metadata.creation_timestamp.as_ref(), waiting(pod)),
        None if pods.is_empty() => (job.metadata.creation_timestamp.as_ref(), no_pod(job)),
        None => return if begun { StepState::Running } else { StepState::Starting { reason: None } },
    };
    let late = since.and_then(time).is_some_and(|since| since + patience <= now);
    match reason {
        Some((reason, hopeless)) if late || hopeless => StepState::CannotStart { reason },
        _ if begun => StepState::Running,
        None if pods.is_empty() && job.status.as_ref().is_some_and(|status| status.failed > Some(0)) => {
            StepState::Running
        }
        reason => StepState::Starting { reason: reason.map(|(text, _)| text) },
    }
}

fn no_pod(job: &Job) -> Option<(String, bool)> {
    if job.status.as_ref().is_some_and(|status| status.failed > Some(0) || status.succeeded > Some(0)) {
        return None;
    }
    if condition(job, "Suspended").is_some() {
        return Some(("the Job is suspended".into(), false));
    }
    Some(("Kubernetes has not created a pod for the Job; see the events of the Job".into(), false))
}

/// Why a pod has not started, and whether it never will.
fn waiting(pod: &Pod) -> Option<(String, bool)> {
    let status = pod.status.as_ref()?;
    if let Some(state) = container(pod).and_then(|container| container.state.as_ref())
        && let Some(waiting) = &state.waiting
    {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        if !matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
            let hopeless = matches!(reason, "InvalidImageName" | "ErrImageNeverPull");
            return Some((said(reason, waiting.message.as_deref()), hopeless));
        }
    }
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let unscheduled =
        conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    unscheduled.map(|condition| {
        let reason = condition.reason.as_deref().unwrap_or("Unschedulable");
        (said(reason, condition.message.as_deref()), false)
    })
}

fn said(reason: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}

fn failure(job: &Job, failed: &JobCondition, pods: &Pods) -> StepState {
    let newest = pods.iter().rev().find(|pod| has_ended(pod));
    let (exit_code, why) = newest.map(|pod| ending(pod)).unwrap_or_default();
    match failed.reason.as_deref() {
        Some("DeadlineExceeded") => {
            let seconds = job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds).unwrap_or(0);
            let reason = format!("the run took longer than {seconds} seconds (DeadlineExceeded)");
            StepState::Failed { exit_code: None, reason }
        }
        // The container could not be started, for example because its program does not exist.
        _ if newest.is_some_and(|pod| never_began(pod)) => {
            StepState::CannotStart { reason: why.unwrap_or_else(|| "the container could not be started".into()) }
        }
        other => match exit_code {
            Some(exit_code) if exit_code != 0 => StepState::Exited { exit_code, reason: why },
            _ => {
                let message = said(other.unwrap_or("Failed"), failed.message.as_deref());
                StepState::Failed { exit_code, reason: why.unwrap_or(message) }
            }
        },
    }
}

/// How a pod ended: the exit code of its container, and the reason if there is a special one.
fn ending(pod: &Pod) -> (Option<i32>, Option<String>) {
    let Some(status) = &pod.status else { return (None, None) };
    let terminated = container(pod).and_then(|container| container.state.as_ref()?.terminated.as_ref());
    let code = terminated.map(|ended| ended.exit_code);
    if let Some(reason) = &status.reason {
        // Reasons of the pod as a whole, such as Evicted or NodeLost.
        return (None, Some(said(reason, status.message.as_deref())));
    }
    let disrupted = status.conditions.iter().flatten().find(|condition| condition.type_ == "DisruptionTarget");
    if let Some(condition) = disrupted.filter(|condition| condition.status == "True") {
        let reason = condition.reason.as_deref().unwrap_or("DisruptionTarget");
        return (None, Some(said(reason, condition.message.as_deref())));
    }
    let why = terminated.and_then(|ended| match ended.reason.as_deref() {
        Some("OOMKilled") => Some(format!("{} (OOMKilled)", out_of_memory(pod))),
        Some(reason @ ("StartError" | "ContainerCannotRun")) => Some(said(reason, ended.message.as_deref())),
        _ => None,
    });
    (code, why)
}

fn never_began(pod: &Pod) -> bool {
    let terminated = container(pod).and_then(|container| container.state.as_ref()?.terminated.as_ref());
    let reason = terminated.and_then(|ended| ended.reason.as_deref());
    matches!(reason, Some("StartError" | "ContainerCannotRun"))
}

fn out_of_memory(pod: &Pod) -> String {
    let spec = pod.spec.as_ref().and_then(|spec| spec.containers.iter().find(|container| container.name == CONTAINER));
    let limits = spec.and_then(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"));
    match limits {
        Some(limit) => format!("the container exceeded its memory limit of {}", limit.0),
        None => "the container ran out of memory".into(),
    }
}

/// When the first container of a Job started, and when the Job ended.
pub(super) fn times(job: &Job, pods: &Pods) -> StepTimes {
    let states = || pods.iter().filter_map(|pod| container(pod)?.state.as_ref());
    let began = states().filter_map(|state| {
        let running = state.running.as_ref().and_then(|running| running.started_at.as_ref());
        let terminated = state.terminated.as_ref().and_then(|ended| ended.started_at.as_ref());
        running.or(terminated).and_then(time)
    });
    let ended = states().filter_map(|state| state.terminated.as_ref()?.finished_at.as_ref().and_then(time));
    let status = job.status.as_ref();
    let closed = status.and_then(|status| status.completion_time.as_ref()).and_then(time);
    let failed = condition(job, "Failed").and_then(|failed| failed.last_transition_time.as_ref()).and_then(time);
    let started_at = began.min().or_else(|| status?.start_time.as_ref().and_then(time));
    let finished_at = if is_over(job) { ended.max().or(closed).or(failed) } else { None };
    StepTimes { started_at, finished_at, attempts: i32::try_from(pods.len()).ok().filter(|count| *count > 0) }
}

/// The output file of the newest pod: its termination message.
pub(super) fn message(pods: &Pods) -> Option<String> {
    let states = pods.iter().rev().filter_map(|pod| container(pod)?.state.as_ref()?.terminated.as_ref());
    states.into_iter().next()?.message.clone().filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "job_status_tests.rs"]
mod tests;
