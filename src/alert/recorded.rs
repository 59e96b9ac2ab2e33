//! Rules, receivers and silences as events record them for callers that show none: under the names of the official API, without secrets.

use chrono::{DateTime, Utc};
use entity::alert;
use entity::{alert_receiver, alert_rule, alert_silence};
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};

use crate::engine::alert::{name, span_text};

/// A rule. Its alerts are no part of it.
#[must_use]
pub fn recorded_rule(row: alert_rule::Model, _: &[alert::Model]) -> Value {
    json!({
        "id": row.id, "name": row.name, "description": row.description, "tag": row.tag, "cluster_id": row.cluster_id,
        "condition": { "kind": "BUILT", "promql": name(row.condition), "threshold": row.threshold },
        "for_duration": span_text(row.for_seconds), "severity": row.severity.to_value(), "enabled": row.enabled,
        "alert_receiver_ids": row.receivers,
        "presentation": { "summary": row.summary, "runbook_url": row.runbook_url },
        "target": {
            "scope": row.target.to_value(), "project_id": row.project_id, "environment_id": row.environment_id,
            "job_id": row.job_id,
        },
    })
}

/// A receiver.
#[must_use]
pub fn recorded_receiver(row: alert_receiver::Model) -> Value {
    json!({
        "id": row.id, "name": row.name, "description": row.description, "type": row.kind.to_value(),
        "send_resolved": row.send_resolved, "owner": row.owner, "severity": row.severity, "mail": row.mail,
        "host": row.host, "secret_set": row.has_secret,
    })
}

/// A silence.
#[must_use]
pub fn recorded_silence(row: alert_silence::Model, now: DateTime<Utc>) -> Value {
    json!({
        "id": row.id, "author": row.author, "comment": row.comment, "begins_at": row.begins_at, "ends_at": row.ends_at,
        "active": row.begins_at <= now && now < row.ends_at,
        "target": {
            "type": row.target.to_value(), "project_id": row.project_id, "environment_id": row.environment_id,
            "job_id": row.job_id, "rule_id": row.rule_id, "label_key": row.label_key, "label_value": row.label_value,
        },
    })
}
