//! The state of a job or an environment after a deployment.

use entity::deployment::{self, Progress};
use entity::deployment_job;

use super::official_state::StateEnum;
use super::response::{ServiceActionEnum, ServiceActionStatusEnum, ServiceSubActionEnum, StatusDetails};
use crate::engine::shown::{self, PartPhase, ShownProgress};
use crate::engine::state::doing;

/// The action and progress of a job in its deployment. Without a part, the job was never deployed.
pub(in crate::api) fn details(
    part: Option<(&deployment_job::Model, &deployment::Model)>,
    at: PartPhase,
) -> StatusDetails {
    let action = part.map(|(part, deployment)| shown::effective_action(deployment.action, part.forced_event));
    let cancelling =
        at != PartPhase::Run && part.is_some_and(|(_, deployment)| deployment.cancel_requested_at.is_some());
    let status = match part.map(|(part, _)| part.progress) {
        None => ServiceActionStatusEnum::Never,
        Some(Progress::Queued | Progress::Running) if cancelling => ServiceActionStatusEnum::Canceling,
        Some(Progress::Queued) => ServiceActionStatusEnum::Queued,
        Some(Progress::Running) if at == PartPhase::Run => ServiceActionStatusEnum::Executing,
        Some(Progress::Running) => ServiceActionStatusEnum::Ongoing,
        Some(Progress::Succeeded) => ServiceActionStatusEnum::Success,
        Some(Progress::Failed) => ServiceActionStatusEnum::Error,
        Some(Progress::Cancelled) => ServiceActionStatusEnum::Canceled,
    };
    let action = action.map_or(ServiceActionEnum::Unknown, ServiceActionEnum::from);
    StatusDetails { action, status, sub_action: ServiceSubActionEnum::None }
}

/// The state of a job after its part in a deployment.
pub(in crate::api) fn of_part(part: &deployment_job::Model, deployment: &deployment::Model) -> StateEnum {
    shown::of_job(Some(ShownProgress::of_part(part, deployment)), doing(part)).into()
}

/// The state of an environment after a deployment.
pub(in crate::api) fn of_deployment(deployment: &deployment::Model) -> StateEnum {
    shown::of_job(Some(ShownProgress::of_deployment(deployment)), PartPhase::Idle).into()
}

/// The execution id that clients see: the id of the deployment and its number within the environment.
pub(in crate::api) fn execution_id(deployment: &deployment::Model) -> String {
    format!("{}-{}", deployment.id, deployment.number)
}
