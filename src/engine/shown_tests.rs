//! Tests of the states that are shown.

use entity::deployment::{Action, Progress};
use entity::run::Event;

use super::{Doing, Shown, effective_action, of_environment, of_job};

#[test]
fn what_is_of_job() {
    assert_eq!(of_job(None, Doing::Nothing), Shown::Ready);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Running)), Doing::Run), Shown::Executing);
    assert_eq!(of_job(Some((Action::Stop, Progress::Running)), Doing::Run), Shown::Stopping);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Running)), Doing::Build), Shown::Building);
    assert_eq!(of_job(Some((Action::Deploy, Progress::Failed)), Doing::Build), Shown::BuildError);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Delete)), Action::Delete);
    assert_eq!(effective_action(Action::Deploy, Some(Event::Cron)), Action::Deploy);
    assert_eq!(of_environment(&[]), Shown::Ready);
    assert_eq!(of_environment(&[Shown::Deployed, Shown::Executing]), Shown::Deploying);
    assert_eq!(of_environment(&[Shown::Deployed, Shown::StopError]), Shown::StopError);
    assert_eq!(of_environment(&[Shown::Stopped, Shown::Deployed, Shown::Ready]), Shown::Deployed);
    assert_eq!(of_environment(&[Shown::Ready, Shown::Stopped]), Shown::Stopped);
}
