//! Tests of the states derived from Jobs and pods.

use serde_json::{Value, json};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn job(status: Value) -> Job {
    serde_json::from_value(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "j", "namespace": "n", "creationTimestamp": "2026-03-01T11:59:00Z"},
        "spec": {"activeDeadlineSeconds": 7, "template": {}},
        "status": status,
    }))
    .unwrap()
}

fn pod(status: Value) -> Arc<Pod> {
    Arc::new(
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "namespace": "n", "creationTimestamp": "2026-03-01T11:59:00Z"},
            "spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": "32Mi"}}}]},
            "status": status,
        }))
        .unwrap(),
    )
}

fn of_state(state: Value) -> Arc<Pod> {
    pod(json!({"phase": "Pending", "containerStatuses": [
        {"name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state}]}))
}

fn failed(reason: &str) -> Job {
    job(json!({"conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "m"}]}))
}

fn seen(job: &Job, pods: Vec<Arc<Pod>>, patience_seconds: i64) -> StepState {
    progress(job, &pods, TimeDelta::seconds(patience_seconds), now())
}

#[test]
fn what_keeps_a_pod_waiting_is_said_and_ends_it_after_a_time() {
    let pull = of_state(json!({"waiting": {"reason": "ErrImagePull", "message": "no such host"}}));
    let reason = "ErrImagePull: no such host".to_owned();
    assert_eq!(seen(&job(json!({})), vec![pull.clone()], 61), StepState::Starting { reason: Some(reason.clone()) });
    let ended = StepState::CannotStart { reason };
    assert_eq!(seen(&job(json!({})), vec![pull.clone()], 60), ended);
    // The same applies if an earlier attempt has run.
    let before = of_state(json!({"terminated": {"exitCode": 1}}));
    assert_eq!(seen(&job(json!({})), vec![before.clone(), pull], 60), ended);
    let creating = of_state(json!({"waiting": {"reason": "ContainerCreating"}}));
    assert_eq!(seen(&job(json!({})), vec![creating.clone()], 60), StepState::Starting { reason: None });
    assert_eq!(seen(&job(json!({})), vec![before, creating], 60), StepState::Running);
    let wrong = of_state(json!({"waiting": {"reason": "InvalidImageName", "message": "x"}}));
    assert!(matches!(seen(&job(json!({})), vec![wrong], 600), StepState::CannotStart { .. }));
    let nowhere = pod(json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]}));
    let reason = "Unschedulable: 0/1 nodes".to_owned();
    assert_eq!(seen(&job(json!({})), vec![nowhere], 60), StepState::CannotStart { reason });
    assert!(matches!(seen(&job(json!({})), Vec::new(), 60), StepState::CannotStart { .. }));
}

#[test]
fn how_it_ended() {
    let exited = |code: i32, reason: &str| of_state(json!({"terminated": {"exitCode": code, "reason": reason}}));
    let done = job(json!({"conditions": [{"type": "Complete", "status": "True"}]}));
    assert_eq!(seen(&done, vec![exited(0, "Completed")], 60), StepState::Exited { exit_code: 0, reason: None });
    let backoff = failed("BackoffLimitExceeded");
    assert_eq!(seen(&backoff, vec![exited(3, "Error")], 60), StepState::Exited { exit_code: 3, reason: None });
    let reason = Some("the container exceeded its memory limit of 32Mi (OOMKilled)".to_owned());
    assert_eq!(seen(&backoff, vec![exited(137, "OOMKilled")], 60), StepState::Exited { exit_code: 137, reason });
    let late =
        StepState::Failed { exit_code: None, reason: "the run took longer than 7 seconds (DeadlineExceeded)".into() };
    assert_eq!(seen(&failed("DeadlineExceeded"), Vec::new(), 60), late);
    let evicted = pod(json!({"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}));
    let reason = "Evicted: the node was low on memory".to_owned();
    assert_eq!(seen(&backoff, vec![evicted], 60), StepState::Failed { exit_code: None, reason });
    let reason = "BackoffLimitExceeded: m".to_owned();
    assert_eq!(seen(&backoff, Vec::new(), 60), StepState::Failed { exit_code: None, reason });
}

#[test]
fn times_are_those_of_the_containers() {
    let ended = of_state(json!({"terminated": {"exitCode": 0, "startedAt": "2026-03-01T11:59:10Z",
        "finishedAt": "2026-03-01T11:59:20Z", "message": "{}"}}));
    let done =
        job(json!({"startTime": "2026-03-01T11:59:01Z", "conditions": [{"type": "Complete", "status": "True"}]}));
    let at = |text: &str| Some(text.parse().unwrap());
    let found = times(&done, &vec![ended.clone()]);
    assert_eq!((found.started_at, found.finished_at), (at("2026-03-01T11:59:10Z"), at("2026-03-01T11:59:20Z")));
    assert_eq!(found.attempts, Some(1));
    assert_eq!(times(&job(json!({})), &vec![ended.clone()]).finished_at, None);
    assert_eq!(message(&vec![ended]).as_deref(), Some("{}"));
}
