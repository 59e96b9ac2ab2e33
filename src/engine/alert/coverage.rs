//! Pure: what rules and silences cover.

use chrono::{DateTime, Utc};
use entity::alert_rule::{Model as Rule, Target};
use entity::alert_silence::{Model as Silence, SilenceTarget};
use entity::id::{ClusterId, EnvironmentId, JobId, ProjectId};

/// Where something is in its organization, and which labels it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub project: Option<ProjectId>,
    pub cluster: Option<ClusterId>,
    pub environment: Option<EnvironmentId>,
    pub job: Option<JobId>,
    pub labels: Vec<(String, String)>,
}

impl Position {
    fn has_label(&self, key: Option<&str>, value: Option<&str>) -> bool {
        self.labels.iter().any(|(name, is)| Some(name.as_str()) == key && Some(is.as_str()) == value)
    }
}

/// The same, and not none.
fn is_same<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_some() && wanted == found
}

/// Whether a rule covers something of its organization.
#[must_use]
pub fn covers(rule: &Rule, at: &Position) -> bool {
    match rule.target {
        Target::Organization => true,
        Target::Project => is_same(rule.project_id, at.project),
        Target::Cluster => is_same(Some(rule.cluster_id), at.cluster),
        Target::Environment => is_same(rule.environment_id, at.environment),
        Target::Job => is_same(rule.job_id, at.job),
        Target::Label => at.has_label(rule.label_key.as_deref(), rule.label_value.as_deref()),
    }
}

/// The silence that keeps a rule from telling something now: of several the one that ends last.
#[must_use]
pub fn silenced<'a>(silences: &'a [Silence], rule: &Rule, at: &Position, now: DateTime<Utc>) -> Option<&'a Silence> {
    let silences = silences.iter().filter(|row| row.begins_at <= now && now < row.ends_at);
    silences.filter(|row| is_about(row, rule, at)).max_by_key(|row| (row.ends_at, row.id))
}

fn is_about(silence: &Silence, rule: &Rule, at: &Position) -> bool {
    silence.organization_id == rule.organization_id
        && match silence.target {
            SilenceTarget::Organization => true,
            SilenceTarget::Project => is_same(silence.project_id, at.project),
            SilenceTarget::Environment => is_same(silence.environment_id, at.environment),
            SilenceTarget::Job => is_same(silence.job_id, at.job),
            SilenceTarget::Label => at.has_label(silence.label_key.as_deref(), silence.label_value.as_deref()),
            SilenceTarget::Rule => silence.rule_id == Some(rule.id),
        }
}

/// Why an alert is suppressed.
#[must_use]
pub fn silence_words(silence: &Silence) -> String {
    let comment = if silence.comment.is_empty() { String::new() } else { format!(": {}", silence.comment) };
    format!("silenced until {} by {}{comment}", silence.ends_at.format("%Y-%m-%d %H:%M:%S UTC"), silence.author)
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
