//! Pure: the states of jobs and environments that the API shows, derived from their deployments and never stored.

use entity::deployment::{Action, Progress};
use entity::run::Event;

/// The state of a job, by the names of the official API that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
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
    Canceled,
}

impl Shown {
    /// Whether a deployment is under way or waits.
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
        )
    }

    /// Whether the last deployment failed.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Self::BuildError | Self::DeploymentError | Self::StopError | Self::DeleteError)
    }
}

/// What a forced event counts as.
#[must_use]
pub fn effective_action(action: Action, forced: Option<Event>) -> Action {
    match forced {
        Some(Event::Stop) => Action::Stop,
        Some(Event::Delete) => Action::Delete,
        Some(Event::Start | Event::Cron | Event::Build | Event::Workspace | Event::Apply) | None => action,
    }
}

/// What a part of a deployment is at, or has failed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    #[default]
    Nothing,
    /// Its image is being built, or could not be.
    Build,
    /// Its run is running.
    Run,
}

/// The state of a job from its part in its newest deployment.
#[must_use]
pub fn of_job(part: Option<(Action, Progress)>, doing: Doing) -> Shown {
    match part {
        None => Shown::Ready,
        Some((Action::Deploy, Progress::Queued)) => Shown::DeploymentQueued,
        Some((Action::Deploy, Progress::Running)) if doing == Doing::Build => Shown::Building,
        Some((Action::Deploy, Progress::Running)) if doing == Doing::Run => Shown::Executing,
        Some((Action::Deploy, Progress::Running)) => Shown::Deploying,
        Some((Action::Deploy, Progress::Succeeded)) => Shown::Deployed,
        Some((Action::Deploy, Progress::Failed)) if doing == Doing::Build => Shown::BuildError,
        Some((Action::Deploy, Progress::Failed)) => Shown::DeploymentError,
        Some((Action::Stop, Progress::Queued)) => Shown::StopQueued,
        Some((Action::Stop, Progress::Running)) => Shown::Stopping,
        Some((Action::Stop, Progress::Succeeded)) => Shown::Stopped,
        Some((Action::Stop, Progress::Failed)) => Shown::StopError,
        Some((Action::Delete | Action::Uninstall, Progress::Queued)) => Shown::DeleteQueued,
        Some((Action::Delete | Action::Uninstall, Progress::Running)) => Shown::Deleting,
        Some((Action::Delete | Action::Uninstall, Progress::Succeeded)) => Shown::Deleted,
        Some((Action::Delete | Action::Uninstall, Progress::Failed)) => Shown::DeleteError,
        Some((_, Progress::Cancelled)) => Shown::Canceled,
    }
}

/// The state of an environment from its jobs; never `Executing`, which the official clients refuse there.
#[must_use]
pub fn of_environment(jobs: &[Shown]) -> Shown {
    let calm = |state: Shown| if state == Shown::Executing { Shown::Deploying } else { state };
    let first = |wanted: fn(Shown) -> bool| jobs.iter().copied().map(calm).find(|state| wanted(*state));
    first(Shown::is_open)
        .or_else(|| first(Shown::is_error))
        .or_else(|| first(|state| state == Shown::Deployed))
        .or_else(|| first(|state| state != Shown::Ready))
        .unwrap_or(Shown::Ready)
}

#[cfg(test)]
#[path = "shown_tests.rs"]
mod tests;
