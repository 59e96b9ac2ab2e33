//! Pure: what is said about a job in the status of a commit and in the comment of a pull request. Nothing of it is a value: only names,
//! numbers and statuses.

use entity::workspace_job::{self, JobStatus};
use entity::workspace_step;

use crate::engine::plan_view::PlanCounts;

/// The longest description that all providers accept, in characters.
const DESCRIPTION: usize = 140;
/// How many digits of a commit are shown.
const SHORT: usize = 8;

/// The state of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitState {
    /// Nothing of the job was executed yet.
    Pending,
    /// It has begun, and may wait for an approval.
    Running,
    Success,
    Failure,
    Cancelled,
}

/// What is known about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFacts {
    pub job: i32,
    pub status: JobStatus,
    pub plan_only: bool,
    /// False if the plan found nothing to change.
    pub plan_changes: bool,
    pub counts: Option<PlanCounts>,
    pub workspace: String,
    pub commit: Option<String>,
    /// Why a newer job took its place, if one did.
    pub superseded: Option<String>,
    /// The page of the job.
    pub url: String,
}

impl ReportFacts {
    #[must_use]
    pub fn state(&self) -> CommitState {
        match self.status {
            JobStatus::Pending | JobStatus::Queue => CommitState::Pending,
            JobStatus::Running | JobStatus::WaitingApproval | JobStatus::Approved => CommitState::Running,
            JobStatus::Completed => CommitState::Success,
            JobStatus::Failed | JobStatus::Rejected => CommitState::Failure,
            JobStatus::Cancelled | JobStatus::NotExecuted => CommitState::Cancelled,
        }
    }

    fn words(&self) -> &str {
        match (self.status, self.plan_only) {
            (JobStatus::Pending | JobStatus::Queue, true) => "the plan is waiting for its turn",
            (JobStatus::Pending | JobStatus::Queue, false) => "the job is waiting for its turn",
            (JobStatus::Running, true) => "the plan is being made",
            (JobStatus::Running | JobStatus::Approved, _) => "the job is running",
            (JobStatus::WaitingApproval, _) => "the job waits for an approval",
            (JobStatus::Completed, _) if !self.plan_changes => "the plan has no changes",
            (JobStatus::Completed, true) => "the plan is complete",
            (JobStatus::Completed, false) => "the job is complete",
            (JobStatus::Failed, true) => "the plan failed",
            (JobStatus::Failed, false) => "the job failed",
            (JobStatus::Rejected, _) => "the plan was rejected",
            (JobStatus::Cancelled | JobStatus::NotExecuted, _) => {
                self.superseded.as_deref().unwrap_or("the job was cancelled")
            }
        }
    }

    /// How many resources change, in the words of the tools. A plan that is gone changes none.
    fn numbers(&self) -> Option<String> {
        let counts = self.counts.filter(|_| self.plan_changes && self.state() != CommitState::Cancelled)?;
        Some(format!("{} to add, {} to change, {} to destroy", counts.add, counts.change, counts.destroy))
    }

    /// One line.
    #[must_use]
    pub fn description(&self) -> String {
        let text = match self.numbers() {
            Some(numbers) => format!("{}: {numbers}", self.words()),
            None => self.words().to_owned(),
        };
        text.chars().take(DESCRIPTION).collect()
    }

    /// The name of the status of a commit. A plan of a pull request has one of its own.
    #[must_use]
    pub fn context(&self) -> String {
        format!("windlass/{}{}", self.workspace, if self.plan_only { "/plan" } else { "" })
    }

    /// The comment, in Markdown.
    #[must_use]
    pub fn comment(&self) -> String {
        let commit = self.commit.as_deref().unwrap_or_default();
        let commit = commit.get(..SHORT).unwrap_or(commit);
        let numbers = self.numbers().map(|numbers| format!("\n\n**{numbers}**")).unwrap_or_default();
        format!(
            "**Windlass**: workspace {}, commit `{commit}`: {}.{numbers}\n\n[Job {}]({})",
            plain(&self.workspace),
            self.words(),
            self.job,
            self.url
        )
    }
}

/// The status of a job as it is reported. Between two steps a job is pending, and yet it is not what it was before the first one: a commit
/// does not go back to pending.
#[must_use]
pub fn reported_status(job: &workspace_job::Model, steps: &[workspace_step::Model]) -> JobStatus {
    let has_begun = job.asked_at.is_some()
        || steps.iter().any(|step| !matches!(step.status, JobStatus::Pending | JobStatus::Queue));
    match job.status {
        JobStatus::Pending | JobStatus::Queue if has_begun => JobStatus::Running,
        status => status,
    }
}

/// A name without a meaning in Markdown or HTML.
fn plain(name: &str) -> String {
    let inner: String =
        name.chars().map(|letter| if letter == '`' || letter.is_control() { ' ' } else { letter }).collect();
    format!("`{inner}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(status: JobStatus) -> ReportFacts {
        ReportFacts {
            job: 7,
            status,
            plan_only: true,
            plan_changes: true,
            counts: Some(PlanCounts { add: 2, change: 1, ..PlanCounts::default() }),
            workspace: "net`work".into(),
            commit: Some("6113728f27ae82c7b1a177c8d03f9e96e0adf246".into()),
            superseded: None,
            url: "https://windlass.example/x".into(),
        }
    }

    #[test]
    fn a_comment_has_numbers_and_a_link() {
        let text = facts(JobStatus::Completed).comment();
        let expected = "**Windlass**: workspace `net work`, commit `6113728f`: the plan is complete.\n\n\
             **2 to add, 1 to change, 0 to destroy**\n\n[Job 7](https://windlass.example/x)";
        assert_eq!(text, expected);
        let none = ReportFacts { plan_changes: false, ..facts(JobStatus::Completed) };
        assert!(none.comment().contains("the plan has no changes.") && !none.comment().contains("to add"));
    }

    #[test]
    fn states_and_descriptions() {
        let of = |status| (facts(status).state(), facts(status).description());
        assert_eq!(of(JobStatus::Queue).0, CommitState::Pending);
        assert_eq!(of(JobStatus::Running).0, CommitState::Running);
        assert_eq!(of(JobStatus::WaitingApproval).0, CommitState::Running);
        let (state, text) = of(JobStatus::Completed);
        assert_eq!(
            (state, text.as_str()),
            (CommitState::Success, "the plan is complete: 2 to add, 1 to change, 0 to destroy")
        );
        assert_eq!(of(JobStatus::Failed).0, CommitState::Failure);
        assert_eq!(of(JobStatus::Cancelled), (CommitState::Cancelled, "the job was cancelled".to_owned()));
        let why = "superseded by job 71: the pull request 5 has newer commits".to_owned();
        let superseded = ReportFacts { superseded: Some(why.clone()), ..facts(JobStatus::Cancelled) };
        assert_eq!(superseded.description(), why);
        assert_eq!(facts(JobStatus::Failed).context(), "windlass/net`work/plan");
    }
}
