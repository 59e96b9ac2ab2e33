//! Rules in responses, with the state of their alerts.

use entity::alert;
use entity::alert::AlertState;
use entity::alert_rule::{Model, Target};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rule_body::{
    AlertPresentation, AlertRuleCondition, AlertRuleConditionKind, AlertScope, AlertSeverity, AlertTargetType,
};
use crate::api::wire::{Timestamp, enum_value};
use crate::engine::alert::{name, span_text};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum AlertRuleSource {
    Managed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertRuleState {
    Ok,
    Triggered,
    PendingNotification,
    Notified,
    Suppressed,
    Unrouted,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct ShownTarget {
    target_type: AlertTargetType,
    target_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    scope: Option<AlertScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    scope_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    label_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    label_value: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertRuleResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    source: AlertRuleSource,
    name: String,
    state: AlertRuleState,
    organization_id: Uuid,
    cluster_id: Uuid,
    description: String,
    tag: String,
    condition: AlertRuleCondition,
    for_duration: String,
    severity: AlertSeverity,
    enabled: bool,
    alert_receiver_ids: Vec<Uuid>,
    presentation: AlertPresentation,
    target: ShownTarget,
    is_up_to_date: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    starts_at: Option<Timestamp>,
}

/// The state of a rule: that of the alert that needs the most attention.
fn state_of(alerts: &[&alert::Model], has_receivers: bool) -> AlertRuleState {
    let any = |state: AlertState| alerts.iter().any(|row| row.state == state);
    if any(AlertState::Triggered) {
        if has_receivers { AlertRuleState::PendingNotification } else { AlertRuleState::Unrouted }
    } else if any(AlertState::Notified) {
        AlertRuleState::Notified
    } else if any(AlertState::Suppressed) {
        AlertRuleState::Suppressed
    } else if alerts.iter().any(|row| row.due_at.is_some()) {
        AlertRuleState::Triggered
    } else {
        AlertRuleState::Ok
    }
}

/// What a rule covers, as its body names it.
fn shown_target(row: &Model) -> ShownTarget {
    let cluster = |scope, scope_id| ShownTarget {
        target_type: AlertTargetType::Cluster,
        target_id: row.cluster_id.0,
        scope,
        scope_id,
        label_key: None,
        label_value: None,
    };
    let shown = |target_type, target_id| ShownTarget { target_type, target_id, ..cluster(None, None) };
    match (row.target, row.environment_id, row.job_id) {
        (Target::Environment, Some(id), _) => shown(AlertTargetType::Environment, id.0),
        (Target::Job, _, Some(id)) => shown(AlertTargetType::Job, id.0),
        (Target::Label, ..) => ShownTarget {
            label_key: row.label_key.clone(),
            label_value: row.label_value.clone(),
            ..cluster(Some(AlertScope::Label), None)
        },
        (Target::Project, ..) => cluster(Some(AlertScope::Project), row.project_id.map(|id| id.0)),
        (Target::Organization, ..) => cluster(Some(AlertScope::Organization), Some(row.organization_id.0)),
        (Target::Cluster | Target::Environment | Target::Job, ..) => cluster(None, None),
    }
}

impl AlertRuleResponse {
    /// A rule with its current alerts.
    pub(super) fn new(row: Model, alerts: &[alert::Model]) -> Self {
        let target = shown_target(&row);
        let Model {
            id,
            organization_id,
            cluster_id,
            created_at,
            updated_at,
            name: called,
            description,
            tag,
            condition,
            threshold,
            reasons,
            times_p95,
            operator,
            function,
            for_seconds,
            severity,
            enabled,
            receivers,
            summary,
            runbook_url,
            target: _,
            project_id: _,
            environment_id: _,
            job_id: _,
            label_key: _,
            label_value: _,
        } = row;
        let alerts: Vec<&alert::Model> = alerts.iter().filter(|row| row.rule_id == id).collect();
        let firing = alerts.iter().filter(|row| row.state != AlertState::Pending || row.due_at.is_some());
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            source: AlertRuleSource::Managed,
            name: called,
            state: state_of(&alerts, !receivers.0.is_empty()),
            organization_id: organization_id.0,
            cluster_id: cluster_id.0,
            description,
            tag,
            condition: AlertRuleCondition {
                kind: AlertRuleConditionKind::Built,
                operator: operator.and_then(|text| enum_value(&text)),
                threshold: threshold.map(f64::from),
                function: function.and_then(|text| enum_value(&text)),
                promql: name(condition),
                reasons: reasons.map(|reasons| reasons.0),
                times_p95,
            },
            for_duration: span_text(for_seconds),
            severity: severity.into(),
            enabled,
            alert_receiver_ids: receivers.0.into_iter().map(|id| id.0).collect(),
            presentation: AlertPresentation { summary, runbook_url },
            target,
            is_up_to_date: true,
            starts_at: firing.map(|row| row.since).min().map(Timestamp),
        }
    }
}
