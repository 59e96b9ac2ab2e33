//! Pure: a run as this API shows it, with what the caller may do.

use entity::id::WorkspaceStepId;
use entity::workspace_job;
use serde_json::{Value, json};

use super::json_api::{time, to_one};
use super::run_state::{Progress, actions, has_changes, of_apply, of_plan, of_run};
use crate::access::reach::Rights;

/// What the id of a run begins with. Programs refuse a saved plan whose run has another id.
const PREFIX: &str = "run-";

/// The id of the run that a job is.
pub(super) fn run_id(job: i32) -> String {
    format!("{PREFIX}{job}")
}

/// The job that a run is, by the id of the run.
pub(super) fn job_of(id: &str) -> Option<i32> {
    id.strip_prefix(PREFIX)?.parse().ok().filter(|job| run_id(*job) == id)
}

/// What the documents about a run are made of.
#[derive(Clone)]
pub(super) struct ShownRun {
    pub(super) job: workspace_job::Model,
    pub(super) progress: Progress,
    pub(super) plan: Option<WorkspaceStepId>,
    pub(super) apply: Option<WorkspaceStepId>,
    /// Whether the JSON form of the plan has the configuration that it wrote.
    pub(super) generated: bool,
    pub(super) rights: Rights,
    /// Whether what was planned can no longer be applied.
    pub(super) is_stale: bool,
    /// Whether the caller asked for the run.
    pub(super) is_own: bool,
    /// The place in the queue, from 1; 0 if it does not wait.
    pub(super) position: usize,
}

impl ShownRun {
    /// Whether the caller may discard or cancel the run.
    pub(super) fn may_end(&self) -> bool {
        self.rights.approve || (self.rights.plan && self.is_own)
    }

    /// The resource.
    pub(super) fn resource(&self) -> Value {
        let Self { job, progress, plan, apply, rights, is_stale, position, .. } = self;
        let (can, end) = (actions(job, *is_stale), self.may_end());
        let step =
            |kind: &str, id: &Option<WorkspaceStepId>| id.map_or_else(|| json!({"data": null}), |id| to_one(kind, id));
        let configuration = job.configuration_version_id;
        json!({
            "id": run_id(job.id),
            "type": "runs",
            "attributes": {
                "status": of_run(job, *progress),
                "created-at": time(job.created_at),
                "message": job.comments.clone().unwrap_or_default(),
                "source": "tfe-api",
                "auto-apply": job.auto_apply,
                "plan-only": job.plan_only,
                "save-plan": job.save_plan,
                "allow-empty-apply": job.allow_empty_apply,
                "is-destroy": job.is_destroy,
                "refresh": job.refresh,
                "refresh-only": job.refresh_only,
                "has-changes": has_changes(job, *progress),
                "position-in-queue": position,
                "target-addrs": job.target_addrs,
                "replace-addrs": job.replace_addrs,
                "actions": {
                    "is-cancelable": can.cancelable,
                    "is-confirmable": can.confirmable,
                    "is-discardable": can.discardable,
                    "is-force-cancelable": false,
                },
                "permissions": {
                    "can-apply": rights.approve,
                    "can-cancel": end,
                    "can-discard": end,
                    "can-comment": false,
                    "can-force-cancel": false,
                    "can-force-execute": false,
                    "can-override-policy-check": false,
                },
            },
            "relationships": {
                "workspace": to_one("workspaces", job.workspace_id),
                "configuration-version":
                    configuration.map_or_else(|| json!({"data": null}), |id| to_one("configuration-versions", id)),
                "plan": step("plans", plan),
                "apply": step("applies", apply),
            },
        })
    }

    /// The plan of the run, with the address of its log.
    pub(super) fn plan(&self, id: WorkspaceStepId, log: &str) -> Value {
        json!({
            "id": id,
            "type": "plans",
            "attributes": {
                "status": of_plan(&self.job, self.progress),
                "has-changes": has_changes(&self.job, self.progress),
                "generated-configuration": self.generated,
                "log-read-url": log,
            },
        })
    }

    /// The apply of the run, with the address of its log.
    pub(super) fn apply(&self, id: WorkspaceStepId, log: &str) -> Value {
        json!({
            "id": id,
            "type": "applies",
            "attributes": {"status": of_apply(&self.job, self.progress), "log-read-url": log},
        })
    }
}
