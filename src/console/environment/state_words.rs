//! Pure: the states of environments, jobs and deployments in words, with the classes of their colors.

use entity::deployment::{self, Action, Progress, Scope};
use entity::environment::Mode;

use crate::console::picture::Shade;
use crate::engine::shown::ShownState;
use crate::engine::state::Freshness;

/// A state of a job or an environment.
pub(super) fn of_shown(state: ShownState) -> (Option<Shade>, &'static str) {
    match state {
        ShownState::Ready => (None, "Not deployed"),
        ShownState::DeploymentQueued => (Some(Shade::Queued), "Deployment queued"),
        ShownState::Building => (Some(Shade::Running), "Building"),
        ShownState::Deploying => (Some(Shade::Running), "Deploying"),
        ShownState::Executing => (Some(Shade::Running), "Running"),
        ShownState::Deployed => (Some(Shade::Ok), "Deployed"),
        ShownState::BuildError => (Some(Shade::Failed), "Build failed"),
        ShownState::DeploymentError => (Some(Shade::Failed), "Deployment failed"),
        ShownState::StopQueued => (Some(Shade::Queued), "Stop queued"),
        ShownState::Stopping => (Some(Shade::Running), "Stopping"),
        ShownState::Stopped => (Some(Shade::Cancelled), "Stopped"),
        ShownState::StopError => (Some(Shade::Failed), "Stop failed"),
        ShownState::DeleteQueued => (Some(Shade::Queued), "Removal queued"),
        ShownState::Deleting => (Some(Shade::Running), "Being removed"),
        ShownState::Deleted => (Some(Shade::Cancelled), "Removed"),
        ShownState::DeleteError => (Some(Shade::Failed), "Removal failed"),
        ShownState::Canceling => (Some(Shade::Running), "Being cancelled"),
        ShownState::Canceled => (Some(Shade::Cancelled), "Cancelled"),
    }
}

/// The same as class and words.
pub(super) fn shown(state: ShownState) -> (&'static str, &'static str) {
    let (shade, words) = of_shown(state);
    (shade.map_or("", Shade::class), words)
}

/// How far a deployment, or a part of one, is.
pub(in crate::console) fn of_progress(progress: Progress, is_cancelling: bool) -> (&'static str, &'static str) {
    match progress {
        Progress::Queued | Progress::Running if is_cancelling => ("running", "Being cancelled"),
        Progress::Queued => ("queued", "Queued"),
        Progress::Running => ("running", "In progress"),
        Progress::Succeeded => ("ok", "Succeeded"),
        Progress::Failed => ("failed", "Failed"),
        Progress::Cancelled => ("cancelled", "Cancelled"),
    }
}

/// Whether the current configuration is deployed; none if there is nothing to say.
pub(super) fn of_freshness(freshness: Freshness) -> Option<&'static str> {
    match freshness {
        Freshness::OutOfDate => Some("Out of date"),
        Freshness::NeverDeployed | Freshness::UpToDate => None,
    }
}

/// What a deployment does.
pub(in crate::console) fn of_deployment(row: &deployment::Model) -> &'static str {
    match (row.action, row.scope) {
        (Action::Deploy, Scope::Environment) => "Deploy everything",
        (Action::Deploy, Scope::Jobs) => "Deploy jobs",
        (Action::Stop, Scope::Environment) => "Stop everything",
        (Action::Stop, Scope::Jobs) => "Stop jobs",
        (Action::Delete, Scope::Environment) => "Delete the environment",
        (Action::Delete, Scope::Jobs) => "Delete jobs",
        (Action::Uninstall, _) => "Uninstall",
    }
}

/// The modes, in the order of a choice.
pub(in crate::console) const MODES: [Mode; 4] = [Mode::Development, Mode::Preview, Mode::Staging, Mode::Production];

/// A mode in words.
pub(in crate::console) fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Development => "Development",
        Mode::Preview => "Preview",
        Mode::Production => "Production",
        Mode::Staging => "Staging",
    }
}

/// The mode with these words.
pub(super) fn mode_of(words: &str) -> Option<Mode> {
    MODES.into_iter().find(|mode| mode_words(*mode) == words)
}
