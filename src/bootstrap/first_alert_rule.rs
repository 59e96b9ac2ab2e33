//! The rule that a new organization starts with.

use chrono::{DateTime, Utc};
use entity::alert_rule::{Model, Severity};
use entity::id::{ClusterId, OrganizationId};

/// Failed runs of all jobs. Without a receiver it only shows that something is wrong.
pub(super) fn first_alert_rule(organization_id: OrganizationId, cluster_id: ClusterId, now: DateTime<Utc>) -> Model {
    Model {
        name: "failed runs".into(),
        description: "A run of any job failed.".into(),
        tag: "run_failed".into(),
        threshold: Some(1),
        severity: Severity::High,
        ..Model::new(organization_id, cluster_id, now)
    }
}
