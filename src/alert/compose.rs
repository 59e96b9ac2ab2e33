//! Pure: what a message says, in plain text.

use chrono::{DateTime, Utc};
use entity::alert_delivery::{Item, MessageKind};
use entity::alert_rule::{Condition, Model as Rule, Severity};
use entity::id::{AlertDeliveryId, JobId, RunId};
use sea_orm::ActiveEnum as _;
use uuid::Uuid;

use crate::engine::alert::{LISTED, name};

/// An alert in a message.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The same for all messages about the rule and the job.
    pub(super) key: String,
    pub(super) text: String,
    pub(super) link: String,
    pub(super) since: DateTime<Utc>,
    /// Whether a receiver that is told about each alert by itself has accepted it.
    pub(super) told: bool,
}

/// The last lines of a log.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) of: String,
    pub(super) lines: Vec<String>,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) kind: MessageKind,
    pub(super) severity: Severity,
    pub(super) rule: String,
    pub(super) condition: String,
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    pub(super) more: i32,
    pub(super) summary: Option<String>,
    pub(super) runbook: Option<String>,
    /// What `explain` answers about missed times.
    pub(super) explanations: Vec<String>,
    pub(super) tails: Vec<Tail>,
}

/// Composes the message about alerts of a rule.
pub(super) fn compose(
    rule: &Rule,
    (id, kind): (AlertDeliveryId, MessageKind),
    (items, more): (&[Item], i32),
    (public_url, explanations, tails): (&str, Vec<String>, Vec<Tail>),
    now: DateTime<Utc>,
) -> Message {
    let lines: Vec<Line> = items.iter().take(LISTED).map(|item| line(rule, kind, item, public_url)).collect();
    Message {
        id: id.0,
        at: now,
        kind,
        severity: rule.severity,
        rule: rule.name.clone(),
        condition: name(rule.condition),
        title: title(rule, kind, items, more),
        lines,
        more: i32::try_from(items.len().saturating_sub(LISTED)).unwrap_or(i32::MAX).saturating_add(more),
        summary: rule.summary.clone(),
        runbook: rule.runbook_url.clone(),
        explanations,
        tails,
    }
}

fn title(rule: &Rule, kind: MessageKind, items: &[Item], more: i32) -> String {
    let count = items.len().saturating_add(usize::try_from(more).unwrap_or(0));
    let what = match items {
        [one] if more == 0 => one.name.clone(),
        _ => format!("{count} {}", subjects(rule.condition)),
    };
    let state = match kind {
        MessageKind::Firing => rule.severity.to_value(),
        MessageKind::Resolved => "RESOLVED".into(),
    };
    format!("[{state}] {}: {what}", rule.name)
}

fn line(rule: &Rule, kind: MessageKind, item: &Item, public_url: &str) -> Line {
    let what = match (kind, rule.condition) {
        (MessageKind::Resolved, Condition::RunRecovered) => "a run succeeded again".to_owned(),
        (MessageKind::Resolved, _) => format!("resolved, after {}", span(item.at - item.since)),
        (MessageKind::Firing, condition) => {
            let reason = item.reason.as_deref().unwrap_or("no reason is known");
            let often = if item.times > 1 { format!(" ({} times)", item.times) } else { String::new() };
            format!("{}{often}: {reason}", name(condition))
        }
    };
    let path = path(rule, item);
    Line {
        key: format!("{}-{}", rule.id, item.about()),
        text: format!("{}: {what}", item.name),
        link: format!("{public_url}/console/{path}"),
        since: item.since,
        told: item.told,
    }
}

/// What alerts of a condition are about, if there are several.
fn subjects(condition: Condition) -> &'static str {
    match condition {
        Condition::RunFailed
        | Condition::RunRecovered
        | Condition::RunMissed
        | Condition::RunLate
        | Condition::RunTooLong
        | Condition::NoSuccessFor => "jobs",
        Condition::DeploymentFailed => "environments",
        Condition::ApprovalWaiting | Condition::WorkspaceDrifted => "workspaces",
        Condition::ClusterUnreachable => "clusters",
    }
}

/// The page of the console about an alert.
fn path(rule: &Rule, item: &Item) -> String {
    if item.cluster_id.is_some() {
        return format!("organization/{}/settings/clusters", rule.organization_id);
    }
    match (item.run_id, item.job_id, item.environment_id, item.workspace_job_id) {
        (Some(run), ..) => format!("run/{run}"),
        (None, Some(job), ..) => format!("job/{job}"),
        (None, None, Some(environment), _) => format!("environment/{environment}"),
        (None, None, None, Some(job)) => format!("workspace-job/{job}"),
        (None, None, None, None) => format!("organization/{}", rule.organization_id),
    }
}

fn span(time: chrono::TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// The jobs and times that a message explains: those of the first alerts about missed times.
pub(super) fn explained(rule: &Rule, kind: MessageKind, items: &[Item]) -> Vec<(String, JobId, DateTime<Utc>)> {
    let times = items.iter().filter_map(|item| item.job_id.map(|job| (item.name.clone(), job, item.at)));
    match (rule.condition, kind) {
        (Condition::RunMissed, MessageKind::Firing) => times.take(3).collect(),
        _ => Vec::new(),
    }
}

/// The runs whose logs a message quotes: those of the first alerts.
pub(super) fn quoted(kind: MessageKind, items: &[Item]) -> Vec<(String, RunId)> {
    let runs = items.iter().filter_map(|item| item.run_id.map(|run| (item.name.clone(), run)));
    match kind {
        MessageKind::Firing => runs.take(3).collect(),
        MessageKind::Resolved => Vec::new(),
    }
}

impl Message {
    /// Whether it ends what was told before. A recovery that its rule is about ends nothing that the rule has told.
    pub(super) fn closes(&self) -> bool {
        self.kind == MessageKind::Resolved && self.condition != name(Condition::RunRecovered)
    }

    /// The whole text below the title.
    pub(super) fn body(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for line in &self.lines {
            parts.push(format!("{}\n{}", line.text, line.link));
        }
        if self.more > 0 {
            parts.push(format!("and {} more", self.more));
        }
        parts.extend(self.explanations.iter().cloned());
        parts.extend(self.summary.clone());
        parts.extend(self.runbook.clone());
        for tail in self.tails.iter().filter(|tail| !tail.lines.is_empty()) {
            parts.push(format!("Last lines of {}:\n{}", tail.of, tail.lines.join("\n")));
        }
        parts.join("\n\n")
    }

    /// The title and the text, cut to a number of bytes.
    pub(super) fn text(&self, most: usize) -> String {
        cut(&format!("{}\n\n{}", self.title, self.body()), most)
    }
}

/// The beginning of a text, of at most so many bytes, without half a character.
pub(super) fn cut(text: &str, most: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = most.saturating_sub(ELLIPSIS.len());
    let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{ELLIPSIS}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc…");
        // Four bytes each.
        let wide = "😀😀😀";
        assert_eq!(cut(wide, 12), wide);
        assert_eq!(cut(wide, 11), "😀😀…");
        assert_eq!(cut(wide, 10), "😀…");
        for most in 3..12 {
            assert!(cut(wide, most).len() <= most);
        }
    }
}
