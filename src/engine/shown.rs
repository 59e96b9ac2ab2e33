//! Pure: the states of jobs and environments in the API, derived from their deployments and never stored.

use entity::deployment::{Action, Progress};
use entity::run::Event;
use entity::{deployment, deployment_job};

/// The state of a job or an environment, under the names of the official API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownState {
    Ready,
    DeploymentQueued,
    Building,
    Deploying,
    Executing,
    Deployed,
    BuildError,
    DeploymentError,
    StopQueued,
    Stopping,
    Stopped,
    StopError,
    DeleteQueued,
    Deleting,
    Deleted,
    DeleteError,
    Canceling,
    Canceled,
}

impl ShownState {
    /// Whether a deployment is queued or running.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::DeploymentQueued
                | Self::Building
                | Self::Deploying
                | Self::Executing
                | Self::StopQueued
                | Self::Stopping
                | Self::DeleteQueued
                | Self::Deleting
                | Self::Canceling
        )
    }

    /// Whether the last deployment failed.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Self::BuildError | Self::DeploymentError | Self::StopError | Self::DeleteError)
    }
}

/// The action that a deployment part counts as: a forced event may change it.
#[must_use]
pub fn effective_action(action: Action, forced: Option<Event>) -> Action {
    match forced {
        Some(Event::Stop) => Action::Stop,
        Some(Event::Delete) => Action::Delete,
        Some(Event::Start | Event::Cron | Event::Build | Event::Workspace | Event::Apply) | None => action,
    }
}

/// Whether a part says nothing about whether its job is deployed: it has run the command of a CRON job once, which has no schedule before
/// and after it.
#[must_use]
pub fn only_ran_once(part: &deployment_job::Model) -> bool {
    part.forced_event == Some(Event::Cron) && part.progress == Progress::Succeeded
}

/// The phase of a deployment part, or the phase in which it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartPhase {
    #[default]
    Idle,
    /// Its image is being built, or the build failed.
    Build,
    /// Its command is running.
    Run,
}

/// How far a deployment is, or the part of a job in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownProgress {
    pub action: Action,
    pub progress: Progress,
    /// Whether the cancellation of the deployment was requested.
    pub cancelling: bool,
}

impl ShownProgress {
    /// How far a deployment is.
    #[must_use]
    pub fn of_deployment(row: &deployment::Model) -> Self {
        Self { action: row.action, progress: row.progress, cancelling: row.cancel_requested_at.is_some() }
    }

    /// How far the part of a job in a deployment is.
    #[must_use]
    pub fn of_part(part: &deployment_job::Model, row: &deployment::Model) -> Self {
        let action = effective_action(row.action, part.forced_event);
        Self { action, progress: part.progress, ..Self::of_deployment(row) }
    }
}

/// The state of a job, derived from its part in its newest deployment. A command that goes on although the deployment is being
/// cancelled is shown as such.
#[must_use]
pub fn of_job(part: Option<ShownProgress>, phase: PartPhase) -> ShownState {
    let cancelling = phase != PartPhase::Run && part.is_some_and(|part| part.cancelling && !part.progress.is_final());
    match part.map(|part| (part.action, part.progress)) {
        None => ShownState::Ready,
        _ if cancelling => ShownState::Canceling,
        Some((Action::Deploy, Progress::Queued)) => ShownState::DeploymentQueued,
        Some((Action::Deploy, Progress::Running)) if phase == PartPhase::Build => ShownState::Building,
        Some((Action::Deploy, Progress::Running)) if phase == PartPhase::Run => ShownState::Executing,
        Some((Action::Deploy, Progress::Running)) => ShownState::Deploying,
        Some((Action::Deploy, Progress::Succeeded)) => ShownState::Deployed,
        Some((Action::Deploy, Progress::Failed)) if phase == PartPhase::Build => ShownState::BuildError,
        Some((Action::Deploy, Progress::Failed)) => ShownState::DeploymentError,
        Some((Action::Stop, Progress::Queued)) => ShownState::StopQueued,
        Some((Action::Stop, Progress::Running)) => ShownState::Stopping,
        Some((Action::Stop, Progress::Succeeded)) => ShownState::Stopped,
        Some((Action::Stop, Progress::Failed)) => ShownState::StopError,
        Some((Action::Delete | Action::Uninstall, Progress::Queued)) => ShownState::DeleteQueued,
        Some((Action::Delete | Action::Uninstall, Progress::Running)) => ShownState::Deleting,
        Some((Action::Delete | Action::Uninstall, Progress::Succeeded)) => ShownState::Deleted,
        Some((Action::Delete | Action::Uninstall, Progress::Failed)) => ShownState::DeleteError,
        Some((_, Progress::Cancelled)) => ShownState::Canceled,
    }
}

/// The state of an environment, derived from its jobs; never `Executing`, which official clients reject there.
#[must_use]
pub fn of_environment(jobs: &[ShownState]) -> ShownState {
    let without_executing =
        |state: ShownState| if state == ShownState::Executing { ShownState::Deploying } else { state };
    let first =
        |wanted: fn(ShownState) -> bool| jobs.iter().copied().map(without_executing).find(|state| wanted(*state));
    first(ShownState::is_open)
        .or_else(|| first(ShownState::is_error))
        .or_else(|| first(|state| state == ShownState::Deployed))
        .or_else(|| first(|state| state != ShownState::Ready))
        .unwrap_or(ShownState::Ready)
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
