//! Pure: the statuses of workspace jobs and steps in words, with the classes of their colors.

use entity::workspace_job::JobStatus;
use sea_orm::ActiveEnum as _;

/// A status of a job or a step.
pub(super) fn status(status: JobStatus) -> (&'static str, &'static str) {
    match status {
        JobStatus::Pending => ("queued", "Pending"),
        JobStatus::Queue => ("queued", "Queued"),
        JobStatus::Running => ("running", "Running"),
        JobStatus::WaitingApproval => ("queued", "Waits for approval"),
        JobStatus::Approved => ("running", "Approved"),
        JobStatus::Completed => ("ok", "Completed"),
        JobStatus::Failed => ("failed", "Failed"),
        JobStatus::Rejected => ("cancelled", "Rejected"),
        JobStatus::Cancelled => ("cancelled", "Cancelled"),
        JobStatus::NotExecuted => ("cancelled", "Not executed"),
    }
}

/// The status of the last job, as a workspace stores it.
pub(super) fn last(text: &str) -> (&'static str, &'static str) {
    JobStatus::try_from_value(&text.to_owned()).map_or(("", "Never executed"), status)
}
