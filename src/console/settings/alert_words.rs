//! Alerts in words: conditions, targets, states and kinds of receivers.

use std::collections::HashMap;

use entity::alert::{AlertState, Model as Alert};
use entity::alert_receiver::ReceiverKind;
use entity::alert_rule::{Condition, Model as Rule, Reasons, Severity, Target};
use entity::id::{ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId, WorkspaceId};
use maud::{Markup, html};

use crate::console::format::duration;
use crate::console::paths;
use crate::error::Result;
use crate::store;

/// What a condition is about.
pub(super) fn condition_words(condition: Condition) -> &'static str {
    match condition {
        Condition::RunFailed => "Runs fail",
        Condition::RunRecovered => "A run succeeds after one that failed",
        Condition::RunMissed => "A scheduled time is skipped",
        Condition::RunLate => "A scheduled run does not start",
        Condition::RunTooLong => "A run takes too long",
        Condition::NoSuccessFor => "A job has no success",
        Condition::DeploymentFailed => "A deployment fails",
        Condition::ApprovalWaiting => "A workspace waits for an approval",
        Condition::WorkspaceDrifted => "A workspace has drifted",
        Condition::ClusterUnreachable => "A cluster cannot be reached",
    }
}

/// The condition of a rule, with its threshold and how long it has to hold.
pub(super) fn rule_words(rule: &Rule) -> String {
    let words = condition_words(rule.condition);
    let words = match (rule.condition, rule.threshold) {
        (Condition::RunFailed, Some(count)) if count > 1 => format!("{count} runs in a row fail"),
        (Condition::RunFailed, _) => "A run fails".into(),
        (Condition::ApprovalWaiting, Some(0)) | (_, None) => words.into(),
        (_, Some(seconds)) => format!("{words}: more than {}", span(seconds)),
    };
    let words = match rule.times_p95 {
        Some(times) => format!("{words}, {times} times as long as usual"),
        None => words,
    };
    let words = match &rule.reasons {
        Some(Reasons(reasons)) => {
            format!("{words} ({})", reasons.join(", ").to_lowercase().replace('_', " "))
        }
        None => words,
    };
    if rule.for_seconds > 0 { format!("{words}, for at least {}", span(rule.for_seconds)) } else { words }
}

fn span(seconds: i32) -> String {
    duration(u64::try_from(seconds).unwrap_or_default().saturating_mul(1000))
}

pub(super) fn severity_words(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

pub(super) fn kind_words(kind: ReceiverKind) -> &'static str {
    match kind {
        ReceiverKind::Email => "Mail",
        ReceiverKind::Slack => "Slack",
        ReceiverKind::Webhook => "Webhook",
        ReceiverKind::Teams => "Teams",
        ReceiverKind::Discord => "Discord",
        ReceiverKind::Ntfy => "ntfy",
        ReceiverKind::Pagerduty => "PagerDuty",
        ReceiverKind::Opsgenie => "Opsgenie",
    }
}

/// The state of an alert. Whether anybody is to be told depends on its rule.
pub(super) fn alert_words(alert: &Alert, has_receivers: bool) -> (&'static str, &'static str) {
    match alert.state {
        AlertState::Pending => ("queued", "waiting"),
        AlertState::Triggered if has_receivers => ("running", "being told"),
        AlertState::Triggered => ("failed", "nobody to tell"),
        AlertState::Notified => ("failed", "told"),
        AlertState::Suppressed => ("cancelled", "silenced"),
    }
}

/// The state of a rule: that of the alert that needs the most attention.
pub(super) fn rule_state(rule: &Rule, alerts: &[Alert]) -> (&'static str, &'static str) {
    let own = || alerts.iter().filter(|alert| alert.rule_id == rule.id);
    let worst = |state: AlertState| own().find(|alert| alert.state == state);
    let held = || own().find(|alert| alert.due_at.is_some());
    if !rule.enabled {
        return ("cancelled", "disabled");
    }
    match worst(AlertState::Triggered)
        .or_else(|| worst(AlertState::Notified))
        .or_else(|| worst(AlertState::Suppressed))
        .or_else(held)
    {
        Some(alert) => alert_words(alert, !rule.receivers.0.is_empty()),
        None => ("ok", "all is well"),
    }
}

/// What a target can be chosen from: values of a kind and an id, and their words, by name.
pub(super) fn options<'a>(kind: &str, of: impl Iterator<Item = (String, &'a String)>) -> Vec<(String, String)> {
    let mut all: Vec<_> = of.map(|(id, name)| (format!("{kind}:{id}"), format!("{kind} {name}"))).collect();
    all.sort_by(|one, other| one.1.cmp(&other.1));
    all
}

/// The names of what rules are about.
#[derive(Default)]
pub(super) struct Names {
    pub(super) projects: HashMap<ProjectId, String>,
    pub(super) clusters: HashMap<ClusterId, String>,
    pub(super) environments: HashMap<EnvironmentId, String>,
    pub(super) jobs: HashMap<JobId, String>,
    pub(super) workspaces: HashMap<WorkspaceId, String>,
}

impl Names {
    /// Those of an organization, and of the jobs that these rules and alerts name.
    pub(super) async fn load(db: &sea_orm::DatabaseConnection, id: OrganizationId, jobs: Vec<JobId>) -> Result<Self> {
        let projects = store::project::list_by_organization(db, id).await?;
        let clusters = store::cluster::list_by_organization(db, id).await?;
        let environments = store::environment::list_by_organization(db, id).await?;
        Ok(Self {
            projects: projects.into_iter().map(|row| (row.id, row.name)).collect(),
            clusters: clusters.into_iter().map(|row| (row.id, row.name)).collect(),
            environments: environments.into_iter().map(|row| (row.id, row.name)).collect(),
            jobs: store::alert::job_names(db, jobs).await?,
            workspaces: HashMap::new(),
        })
    }

    /// What a rule is about, with a link to it.
    pub(super) fn target(&self, rule: &Rule) -> Markup {
        let link = |to: String, name: &str| html! { a href=(to) { (name) } };
        match (rule.target, rule.project_id, rule.environment_id, rule.job_id) {
            (Target::Organization, ..) => html! { "all jobs" },
            (Target::Cluster, ..) => {
                html! { @match self.clusters.get(&rule.cluster_id) { Some(name) => { "cluster " (name) }, None => "a cluster" } }
            }
            (Target::Project, Some(id), ..) => {
                html! { @match self.projects.get(&id) { Some(name) => { "project " (name) }, None => "a project" } }
            }
            (Target::Environment, _, Some(id), _) => match self.environments.get(&id) {
                Some(name) => html! { "environment " (link(paths::environment(id), name)) },
                None => html! { "an environment" },
            },
            (Target::Label, ..) => {
                let of = |part: &Option<String>| part.clone().unwrap_or_default();
                html! { "jobs with the label " (of(&rule.label_key)) "=" (of(&rule.label_value)) }
            }
            (Target::Job, _, _, Some(id)) => match self.jobs.get(&id) {
                Some(name) => html! { "job " (link(paths::job(id), name)) },
                None => html! { "a job" },
            },
            _ => html! { span.soft { "something that is gone" } },
        }
    }
}
