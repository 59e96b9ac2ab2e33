//! The bodies that create and edit rules.

use entity::alert_rule::Condition;
use entity::id::{AlertReceiverId, ClusterId, EnvironmentId, JobId, ProjectId};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alert::{WantedRule, WantedTarget};
use crate::api::wire::{Ignored, enum_name, mirrored};
use crate::engine::alert::parse;
use crate::error::{Error, Result};

mirrored!(AlertSeverity of entity::alert_rule::Severity { Low, Medium, High, Critical });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertRuleConditionKind {
    Custom,
    Built,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertRuleConditionOperator {
    None,
    Above,
    Below,
    AboveOrEqual,
    BelowOrEqual,
    Equal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertRuleConditionFunction {
    None,
    Avg,
    Max,
    Min,
    Sum,
    Count,
}

/// The space is a part of the official name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertTargetType {
    #[serde(rename = " CLUSTER", alias = "CLUSTER")]
    #[oai(rename = " CLUSTER")]
    Cluster,
    Environment,
    Application,
    Container,
    Job,
    Cronjob,
    Helm,
    Terraform,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AlertScope {
    Organization,
    Project,
    Label,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertRuleCondition {
    pub(super) kind: AlertRuleConditionKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    pub(super) operator: Option<AlertRuleConditionOperator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    pub(super) threshold: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    pub(super) function: Option<AlertRuleConditionFunction>,
    pub(super) promql: String,
    /// For `run_missed`: the reasons that are told; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    pub(super) reasons: Option<Vec<String>>,
    /// For `run_too_long`: how many times as long as 95 of 100 runs of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[oai(default, skip_serializing_if_is_none)]
    pub(super) times_p95: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertPresentation {
    #[serde(default)]
    #[oai(default)]
    pub(super) summary: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) runbook_url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertTarget {
    pub(super) target_type: AlertTargetType,
    pub(super) target_id: Uuid,
    #[serde(default, rename = "service")]
    #[oai(default, rename = "service")]
    _service: Option<Ignored>,
    #[serde(default)]
    #[oai(default)]
    pub(super) scope: Option<AlertScope>,
    #[serde(default)]
    #[oai(default)]
    pub(super) scope_id: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    pub(super) label_key: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) label_value: Option<String>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct AlertRuleCreationRequest {
    pub(super) organization_id: Uuid,
    pub(super) cluster_id: Uuid,
    #[serde(flatten)]
    #[oai(flatten)]
    pub(super) content: AlertRuleEditRequest,
    pub(super) target: AlertTarget,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct AlertRuleEditRequest {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) tag: String,
    pub(super) condition: AlertRuleCondition,
    pub(super) for_duration: String,
    pub(super) severity: AlertSeverity,
    pub(super) enabled: bool,
    pub(super) alert_receiver_ids: Vec<Uuid>,
    pub(super) presentation: AlertPresentation,
}

impl AlertRuleCondition {
    fn read(&self) -> Result<Condition> {
        let parsed = parse(&self.promql);
        if self.kind == AlertRuleConditionKind::Custom {
            let names = parsed.err().unwrap_or_else(|| "is the name of a condition".into());
            let text = format!("must be BUILT, because this server evaluates no PromQL; condition.promql {names}");
            return Err(Error::invalid("condition.kind", text));
        }
        parsed.map_err(|reason| Error::invalid("condition.promql", reason))
    }
}

impl AlertRuleEditRequest {
    pub(super) fn wanted(self) -> WantedRule {
        let Self {
            name,
            description,
            tag,
            condition,
            for_duration,
            severity,
            enabled,
            alert_receiver_ids,
            presentation: AlertPresentation { summary, runbook_url },
        } = self;
        WantedRule {
            name,
            description,
            tag,
            condition: condition.read(),
            threshold: condition.threshold,
            reasons: condition.reasons,
            times_p95: condition.times_p95,
            operator: condition.operator.and_then(enum_name),
            function: condition.function.and_then(enum_name),
            for_duration,
            severity: severity.into(),
            enabled,
            receivers: alert_receiver_ids.into_iter().map(AlertReceiverId).collect(),
            summary,
            runbook_url,
        }
    }
}

impl AlertTarget {
    pub(super) fn wanted(&self, organization: Uuid) -> Result<WantedTarget> {
        const FIELD: &str = "target.target_id";
        match self.scope {
            Some(AlertScope::Organization) if self.scope_id.is_some_and(|id| id != organization) => {
                return Err(Error::invalid("target.scope_id", "is no organization of the organization"));
            }
            Some(AlertScope::Organization) => return Ok(WantedTarget::Organization),
            Some(AlertScope::Project) => {
                let id = self.scope_id.ok_or_else(|| Error::invalid("target.scope_id", "is required"))?;
                return Ok(WantedTarget::Project(ProjectId(id), "target.scope_id"));
            }
            Some(AlertScope::Label) => {
                return Ok(WantedTarget::Label(self.label_key.clone(), self.label_value.clone()));
            }
            None => {}
        }
        match self.target_type {
            AlertTargetType::Cluster => Ok(WantedTarget::Cluster(ClusterId(self.target_id), FIELD)),
            AlertTargetType::Environment => Ok(WantedTarget::Environment(EnvironmentId(self.target_id), FIELD)),
            AlertTargetType::Job | AlertTargetType::Cronjob => Ok(WantedTarget::Job(JobId(self.target_id), FIELD)),
            AlertTargetType::Application
            | AlertTargetType::Container
            | AlertTargetType::Helm
            | AlertTargetType::Terraform => {
                let text = "must be CLUSTER, ENVIRONMENT, JOB or CRONJOB, because this server has no other services";
                Err(Error::invalid("target.target_type", text))
            }
        }
    }
}
