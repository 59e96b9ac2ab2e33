//! The rule that a new organization starts with.

use chrono::{DateTime, Utc};
use entity::alert_rule::{Condition, Model, Receivers, Severity, Target};
use entity::id::{AlertRuleId, ClusterId, OrganizationId};

/// Failed runs of all jobs. Without a receiver it only shows that something is wrong.
pub(super) fn first_alert_rule(organization_id: OrganizationId, cluster_id: ClusterId, now: DateTime<Utc>) -> Model {
    Model {
        id: AlertRuleId::create(),
        organization_id,
        cluster_id,
        created_at: now,
        updated_at: now,
        name: "failed runs".into(),
        description: "A run of any job failed.".into(),
        tag: "run_failed".into(),
        condition: Condition::RunFailed,
        threshold: Some(1),
        reasons: None,
        times_p95: None,
        operator: None,
        function: None,
        for_seconds: 0,
        severity: Severity::High,
        enabled: true,
        receivers: Receivers::default(),
        summary: None,
        runbook_url: None,
        target: Target::Organization,
        project_id: None,
        environment_id: None,
        job_id: None,
        label_key: None,
        label_value: None,
    }
}
