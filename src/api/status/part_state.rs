//! The state that a deployment, or the part of one job in it, left behind.

use entity::deployment::{self, Progress};
use entity::deployment_job;

use super::official_state::StateEnum;
use super::part_runs::doing;
use super::response::{ServiceActionEnum, ServiceActionStatusEnum, ServiceSubActionEnum, StatusDetails};
use crate::engine::shown::{self, Doing};

/// What a part of a deployment does, and how far it has come; none for a job that never took part in one.
pub(in crate::api) fn details(part: Option<(&deployment_job::Model, &deployment::Model)>, at: Doing) -> StatusDetails {
    let action = part.map(|(part, of)| shown::effective_action(of.action, part.forced_event));
    let status = match part.map(|(part, _)| part.progress) {
        None => ServiceActionStatusEnum::Never,
        Some(Progress::Queued) => ServiceActionStatusEnum::Queued,
        Some(Progress::Running) if at == Doing::Run => ServiceActionStatusEnum::Executing,
        Some(Progress::Running) => ServiceActionStatusEnum::Ongoing,
        Some(Progress::Succeeded) => ServiceActionStatusEnum::Success,
        Some(Progress::Failed) => ServiceActionStatusEnum::Error,
        Some(Progress::Cancelled) => ServiceActionStatusEnum::Canceled,
    };
    let action = action.map_or(ServiceActionEnum::Unknown, ServiceActionEnum::from);
    StatusDetails { action, status, sub_action: ServiceSubActionEnum::None }
}

/// The state that a part of a deployment left a job in.
pub(in crate::api) fn of_part(part: &deployment_job::Model, of: &deployment::Model) -> StateEnum {
    let action = shown::effective_action(of.action, part.forced_event);
    shown::of_job(Some((action, part.progress)), doing(part)).into()
}

/// The state that a deployment left an environment in.
pub(in crate::api) fn of_deployment(of: &deployment::Model) -> StateEnum {
    shown::of_job(Some((of.action, of.progress)), Doing::Nothing).into()
}

/// The name of a deployment for clients: its id and its number in the environment.
pub(in crate::api) fn execution_id(of: &deployment::Model) -> String {
    format!("{}-{}", of.id, of.number)
}
