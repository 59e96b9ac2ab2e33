//! Tests of the states shown by the API.

use entity::deployment::{Action, Progress};
use entity::run::Event;

use super::{PartPhase, ShownProgress, ShownState, effective_action, of_environment, of_job};

#[test]
fn states_of_jobs_and_environments() {
    let part = |action, progress| Some(ShownProgress { action, progress, cancelling: false });
    assert_eq!(of_job(None, PartPhase::Idle), ShownState::Ready);
    assert_eq!(of_job(part(Action::Deploy, Progress::Running), PartPhase::Run), ShownState::Executing);
    assert_eq!(of_job(part(Action::Stop, Progress::Running), PartPhase::Run), ShownState::Stopping);
    assert_eq!(of_job(part(Action::Deploy, Progress::Running), PartPhase::Build), ShownState::Building);
    assert_eq!(of_job(part(Action::Deploy, Progress::Failed), PartPhase::Build), ShownState::BuildError);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Delete)), Action::Delete);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Cron)), Action::Deploy);
    assert_eq!(of_environment(&[]), ShownState::Ready);
    assert_eq!(of_environment(&[ShownState::Deployed, ShownState::Executing]), ShownState::Deploying);
    assert_eq!(of_environment(&[ShownState::Deployed, ShownState::StopError]), ShownState::StopError);
    assert_eq!(of_environment(&[ShownState::Stopped, ShownState::Deployed, ShownState::Ready]), ShownState::Deployed);
    assert_eq!(of_environment(&[ShownState::Ready, ShownState::Stopped]), ShownState::Stopped);
}

/// Whatever is still open in a deployment that is being cancelled shows that, except for commands that go on.
#[test]
fn a_cancellation_shows_until_the_end() {
    for action in [Action::Deploy, Action::Stop, Action::Delete, Action::Uninstall] {
        for progress in
            [Progress::Queued, Progress::Running, Progress::Succeeded, Progress::Failed, Progress::Cancelled]
        {
            for phase in [PartPhase::Idle, PartPhase::Build, PartPhase::Run] {
                let of = |cancelling| of_job(Some(ShownProgress { action, progress, cancelling }), phase);
                let unchanged = progress.is_final() || phase == PartPhase::Run;
                let expected = if unchanged { of(false) } else { ShownState::Canceling };
                assert_eq!(of(true), expected, "{action:?} {progress:?} {phase:?}");
            }
        }
    }
    assert!(ShownState::Canceling.is_open() && !ShownState::Canceling.is_error());
    assert_eq!(of_environment(&[ShownState::Deployed, ShownState::Canceling]), ShownState::Canceling);
}
