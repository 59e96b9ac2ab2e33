//! A rule: which condition of which jobs is told to whom.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AlertReceiverId, AlertRuleId, ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Condition {
    /// Runs of a job failed, a number of times in a row.
    RunFailed,
    /// A run of a job succeeded after one that failed.
    RunRecovered,
    /// A scheduled time was skipped.
    RunMissed,
    /// A scheduled run has not started.
    RunLate,
    /// A run takes too long.
    RunTooLong,
    /// A deployed job has had no success for a time.
    NoSuccessFor,
    /// A deployment failed.
    DeploymentFailed,
    /// A workspace job waits for an approval.
    ApprovalWaiting,
    /// The newest plan of a workspace found drift.
    WorkspaceDrifted,
    /// A cluster cannot be reached.
    ClusterUnreachable,
}

/// How important a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// Which jobs a rule covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Target {
    Organization,
    Project,
    Cluster,
    Environment,
    Job,
    /// The jobs with a label.
    Label,
}

/// The receivers of a rule. Those that were deleted are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Receivers(pub Vec<AlertReceiverId>);

/// The reasons that a rule is about, by their names; empty for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Reasons(pub Vec<String>);

/// Row of `alert_rule`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertRuleId,
    pub organization_id: OrganizationId,
    pub cluster_id: ClusterId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub name: String,
    pub description: String,
    pub tag: String,
    pub condition: Condition,
    /// How many runs have to fail, or a number of seconds.
    pub threshold: Option<i32>,
    /// For skipped times only; none for all reasons.
    pub reasons: Option<Reasons>,
    /// How many times longer than 95 of 100 runs of its job a run has to take.
    pub times_p95: Option<f64>,
    /// The operator and the function of the official body, which conditions do not use.
    pub operator: Option<String>,
    pub function: Option<String>,
    pub for_seconds: i32,
    pub severity: Severity,
    pub enabled: bool,
    pub receivers: Receivers,
    pub summary: Option<String>,
    pub runbook_url: Option<String>,
    pub target: Target,
    pub project_id: Option<ProjectId>,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    pub label_key: Option<String>,
    pub label_value: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// A rule about failed runs of all jobs, which tells nobody yet.
    #[must_use]
    pub fn new(organization_id: OrganizationId, cluster_id: ClusterId, now: DateTimeUtc) -> Self {
        Self {
            id: AlertRuleId::create(),
            organization_id,
            cluster_id,
            created_at: now,
            updated_at: now,
            name: String::new(),
            description: String::new(),
            tag: String::new(),
            condition: Condition::RunFailed,
            threshold: None,
            reasons: None,
            times_p95: None,
            operator: None,
            function: None,
            for_seconds: 0,
            severity: Severity::Medium,
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
}
