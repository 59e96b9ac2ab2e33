//! Tests of the states shown by the API.

use entity::deployment::{Action, Progress};
use entity::run::Event;

use super::{PartPhase, ShownState, effective_action, of_environment, of_job};

#[test]
fn states_of_jobs_and_environments() {
    assert_eq!(of_job(None, PartPhase::Idle), ShownState::Ready);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Running)), PartPhase::Run), ShownState::Executing);
    assert_eq!(of_job(Some((Action::Stop, Progress::Running)), PartPhase::Run), ShownState::Stopping);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Running)), PartPhase::Build), ShownState::Building);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Failed)), PartPhase::Build), ShownState::BuildError);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Delete)), Action::Delete);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Cron)), Action::Deploy);
    assert_eq!(of_environment(&[]), ShownState::Ready);
    assert_eq!(of_environment(&[ShownState::Deployed, ShownState::Executing]), ShownState::Deploying);
    assert_eq!(of_environment(&[ShownState::Deployed, ShownState::StopError]), ShownState::StopError);
    assert_eq!(of_environment(&[ShownState::Stopped, ShownState::Deployed, ShownState::Ready]), ShownState::Deployed);
    assert_eq!(of_environment(&[ShownState::Ready, ShownState::Stopped]), ShownState::Stopped);
}
