//! The states of jobs and environments, derived from what the engine has recorded.

use std::collections::HashMap;

use entity::deployment::{Action, Origin, Progress};
use entity::id::{EnvironmentId, JobId};
use entity::{deployment, deployment_job, environment, job, run};
use poem_openapi::{Enum, Object};
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::history::durations::{Runs, ServiceStepMetrics, doing, metrics, named};
use super::wire::{self, Timestamp};
use crate::engine::deployment::is_outdated;
use crate::engine::shown::{self, PartPhase, ShownState};
use crate::error::Result;
use crate::store;
use crate::store::deployment::Part;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum StageStatusEnum {
    Queued,
    Ongoing,
    Done,
    Error,
    Canceled,
}

impl StageStatusEnum {
    /// Of a stage whose parts have come so far; none for a stage without parts.
    pub(super) fn of(parts: &[Progress]) -> Option<Self> {
        let any = |wanted: Progress| parts.contains(&wanted);
        match parts {
            [] => None,
            _ if any(Progress::Running) => Some(Self::Ongoing),
            _ if any(Progress::Failed) => Some(Self::Error),
            _ if any(Progress::Cancelled) => Some(Self::Canceled),
            _ if any(Progress::Queued) => Some(Self::Queued),
            _ => Some(Self::Done),
        }
    }
}

/// Those of the official states that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum StateEnum {
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

impl From<ShownState> for StateEnum {
    fn from(shown: ShownState) -> Self {
        match shown {
            ShownState::Ready => Self::Ready,
            ShownState::DeploymentQueued => Self::DeploymentQueued,
            ShownState::Building => Self::Building,
            ShownState::Deploying => Self::Deploying,
            ShownState::Executing => Self::Executing,
            ShownState::Deployed => Self::Deployed,
            ShownState::BuildError => Self::BuildError,
            ShownState::DeploymentError => Self::DeploymentError,
            ShownState::StopQueued => Self::StopQueued,
            ShownState::Stopping => Self::Stopping,
            ShownState::Stopped => Self::Stopped,
            ShownState::StopError => Self::StopError,
            ShownState::DeleteQueued => Self::DeleteQueued,
            ShownState::Deleting => Self::Deleting,
            ShownState::Deleted => Self::Deleted,
            ShownState::DeleteError => Self::DeleteError,
            ShownState::Canceled => Self::Canceled,
        }
    }
}

/// Whether what is configured is what is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ServiceDeploymentStatusEnum {
    NeverDeployed,
    OutOfDate,
    UpToDate,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ServiceActionEnum {
    Deploy,
    Delete,
    Stop,
    Unknown,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ServiceActionStatusEnum {
    Queued,
    Ongoing,
    Success,
    Error,
    Executing,
    Canceled,
    Never,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum ServiceSubActionEnum {
    None,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct StatusDetails {
    action: ServiceActionEnum,
    status: ServiceActionStatusEnum,
    sub_action: ServiceSubActionEnum,
}

/// The state of one job.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Status {
    id: Uuid,
    state: StateEnum,
    service_deployment_status: ServiceDeploymentStatusEnum,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    last_deployment_date: Option<Timestamp>,
    is_part_last_deployment: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    steps: Option<ServiceStepMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    execution_id: Option<String>,
    status_details: StatusDetails,
    deployment_request_id: Option<Uuid>,
    deployment_requests_count: i32,
}

wire::mirrored!(EventOriginEnum of Origin { Api, Cli, Console, TerraformProvider });

/// The state of an environment.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentStatus {
    id: Uuid,
    state: StateEnum,
    last_deployment_date: Option<Timestamp>,
    last_deployment_state: StateEnum,
    last_deployment_id: Option<String>,
    total_deployment_duration_in_seconds: Option<i64>,
    origin: Option<EventOriginEnum>,
    triggered_by: Option<String>,
    deployment_status: ServiceDeploymentStatusEnum,
    deployment_request_id: Option<Uuid>,
}

/// The state of an environment and of its jobs; the other kinds of services are not there.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentStatuses {
    environment: EnvironmentStatus,
    applications: Vec<Status>,
    containers: Vec<Status>,
    jobs: Vec<Status>,
    databases: Vec<Status>,
    helms: Vec<Status>,
    terraforms: Vec<Status>,
}

/// What a part of a deployment does, and how far it has come; none for a job that never took part in one.
pub(super) fn details(part: Option<(&deployment_job::Model, &deployment::Model)>, at: PartPhase) -> StatusDetails {
    let action = part.map(|(part, of)| shown::effective_action(of.action, part.forced_event));
    let status = match part.map(|(part, _)| part.progress) {
        None => ServiceActionStatusEnum::Never,
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

/// The state that a part of a deployment left a job in.
pub(super) fn of_part(part: &deployment_job::Model, of: &deployment::Model) -> StateEnum {
    let action = shown::effective_action(of.action, part.forced_event);
    shown::of_job(Some((action, part.progress)), doing(part)).into()
}

/// The state that a deployment left an environment in.
pub(super) fn of_deployment(of: &deployment::Model) -> StateEnum {
    shown::of_job(Some((of.action, of.progress)), PartPhase::Idle).into()
}

impl From<Action> for ServiceActionEnum {
    fn from(action: Action) -> Self {
        match action {
            Action::Deploy => Self::Deploy,
            Action::Stop => Self::Stop,
            Action::Delete | Action::Uninstall => Self::Delete,
        }
    }
}

/// What the state of one job is derived from.
struct Known<'a> {
    job: &'a job::Model,
    part: Option<&'a Part>,
    runs: Runs,
    /// The newest deployment of the environment.
    newest: Option<&'a deployment::Model>,
}

impl Known<'_> {
    fn shown(&self) -> ShownState {
        let progress =
            self.part.map(|(part, of)| (shown::effective_action(of.action, part.forced_event), part.progress));
        shown::of_job(progress, self.doing())
    }

    fn doing(&self) -> PartPhase {
        self.part.map_or(PartPhase::Idle, |(part, _)| self.runs.doing(part))
    }

    fn deployment_status(&self) -> ServiceDeploymentStatusEnum {
        let forced = self.part.is_none_or(|(part, _)| part.forced_event.is_some());
        match &self.job.deployed {
            _ if self.shown().is_error() => ServiceDeploymentStatusEnum::OutOfDate,
            None if forced => ServiceDeploymentStatusEnum::NeverDeployed,
            None => ServiceDeploymentStatusEnum::UpToDate,
            Some(_) if is_outdated(self.job) => ServiceDeploymentStatusEnum::OutOfDate,
            Some(_) => ServiceDeploymentStatusEnum::UpToDate,
        }
    }

    fn details(&self) -> StatusDetails {
        details(self.part.map(|(part, of)| (part, of)), self.doing())
    }

    /// Among others the requests of one job are not counted one by one.
    fn status_among(&self) -> Status {
        self.status(i32::from(self.part.is_some_and(|(part, _)| !part.progress.is_final())))
    }

    fn status(&self, requests: i32) -> Status {
        let of = self.part.map(|(_, of)| of);
        let queued = of.filter(|of| of.progress == Progress::Queued);
        Status {
            id: self.job.id.0,
            state: self.shown().into(),
            service_deployment_status: self.deployment_status(),
            last_deployment_date: of.map(|of| Timestamp(of.started_at.unwrap_or(of.created_at))),
            is_part_last_deployment: of.is_some() && of.map(|of| of.id) == self.newest.map(|row| row.id),
            steps: self.part.map(|(part, of)| metrics(part, of, &self.runs)),
            execution_id: of.map(execution_id),
            status_details: self.details(),
            deployment_request_id: queued.map(|of| of.id.0),
            deployment_requests_count: requests,
        }
    }
}

/// The name of a deployment for clients: its id and its number in the environment.
pub(super) fn execution_id(of: &deployment::Model) -> String {
    format!("{}-{}", of.id, of.number)
}

/// The state of one job.
pub(super) async fn of_job(db: &DatabaseConnection, row: &job::Model) -> Result<Status> {
    let part = store::deployment::newest_part_by_job(db, row.id).await?;
    let runs = match &part {
        Some((part, _)) => Runs::read(db, part).await?,
        None => Runs::default(),
    };
    let newest = store::deployment::newest_by_environment(db, row.environment_id).await?;
    let requests = match &part {
        Some((part, _)) if !part.progress.is_final() => store::deployment::count_open_by_job(db, row.id).await?,
        _ => 0,
    };
    let known = Known { job: row, part: part.as_ref(), runs, newest: newest.as_ref() };
    Ok(known.status(i32::try_from(requests).unwrap_or(i32::MAX)))
}

/// Everything of an environment, read once.
struct Whole {
    environment: EnvironmentId,
    jobs: Vec<job::Model>,
    parts: HashMap<JobId, Part>,
    runs: Vec<run::Model>,
    newest: Option<deployment::Model>,
}

impl Whole {
    async fn read(db: &DatabaseConnection, environment: EnvironmentId) -> Result<Self> {
        let mut jobs: Vec<job::Model> = Vec::new();
        loop {
            let after = jobs.last().map(|job| (job.created_at, job.id));
            let page = store::job::list_by_environment(db, environment, after, store::PAGE).await?;
            if page.is_empty() {
                break;
            }
            jobs.extend(page);
        }
        let parts = store::deployment::newest_parts_by_environment(db, environment).await?;
        let mut runs = Vec::new();
        for ids in named(parts.values().map(|(part, _)| part)).chunks(500) {
            runs.extend(store::run::list_by_ids(db, ids.to_vec()).await?);
        }
        let newest = store::deployment::newest_by_environment(db, environment).await?;
        Ok(Self { environment, jobs, parts, runs, newest })
    }

    fn known(&self) -> impl Iterator<Item = Known<'_>> {
        self.jobs.iter().map(|job| {
            let part = self.parts.get(&job.id);
            let runs = part.map(|(part, _)| Runs::of(part, &self.runs)).unwrap_or_default();
            Known { job, part, runs, newest: self.newest.as_ref() }
        })
    }

    fn environment(&self) -> EnvironmentStatus {
        let shown: Vec<ShownState> = self.known().map(|known| known.shown()).collect();
        let statuses: Vec<_> = self.known().map(|known| known.deployment_status()).collect();
        let deployment_status = [ServiceDeploymentStatusEnum::OutOfDate, ServiceDeploymentStatusEnum::UpToDate]
            .into_iter()
            .find(|status| statuses.contains(status))
            .unwrap_or(ServiceDeploymentStatusEnum::NeverDeployed);
        let newest = self.newest.as_ref();
        let last = shown::of_job(newest.map(|of| (of.action, of.progress)), PartPhase::Idle);
        // A deployment that is under way counts although none of its jobs may have been reached.
        let together = if last.is_open() { last } else { shown::of_environment(&shown) };
        EnvironmentStatus {
            id: self.environment.0,
            state: together.into(),
            last_deployment_date: newest.map(|of| Timestamp(of.started_at.unwrap_or(of.created_at))),
            last_deployment_state: last.into(),
            last_deployment_id: newest.map(execution_id),
            total_deployment_duration_in_seconds: newest
                .and_then(|of| Some((of.finished_at? - of.started_at?).num_seconds())),
            origin: newest.map(|of| of.origin.into()),
            triggered_by: newest.map(|of| of.triggered_by.clone()),
            deployment_status,
            deployment_request_id: newest.filter(|of| of.progress == Progress::Queued).map(|of| of.id.0),
        }
    }
}

/// The state of an environment.
pub(super) async fn of_environment(db: &DatabaseConnection, id: EnvironmentId) -> Result<EnvironmentStatus> {
    Ok(Whole::read(db, id).await?.environment())
}

/// The state of an environment and of its jobs.
pub(super) async fn of_all(db: &DatabaseConnection, row: &environment::Model) -> Result<EnvironmentStatuses> {
    let whole = Whole::read(db, row.id).await?;
    let jobs = whole.known().map(|known| known.status_among()).collect();
    Ok(EnvironmentStatuses {
        environment: whole.environment(),
        applications: Vec::new(),
        containers: Vec::new(),
        jobs,
        databases: Vec::new(),
        helms: Vec::new(),
        terraforms: Vec::new(),
    })
}

impl EnvironmentStatuses {
    pub(super) fn into_jobs(self) -> Vec<Status> {
        self.jobs
    }
}

/// A stage, with how far its services have come in the newest deployment.
#[derive(Debug, Serialize, Deserialize, Object)]
struct Stage {
    id: Uuid,
    name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StageStatusEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct DeploymentStageWithServicesStatuses {
    applications: Vec<Status>,
    containers: Vec<Status>,
    jobs: Vec<Status>,
    databases: Vec<Status>,
    helms: Vec<Status>,
    terraforms: Vec<Status>,
    stage: Stage,
}

/// The state of an environment, stage by stage.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct EnvironmentStatusesWithStages {
    environment: EnvironmentStatus,
    stages: Vec<DeploymentStageWithServicesStatuses>,
}

/// The state of an environment and of its jobs, stage by stage.
pub(super) async fn with_stages(
    db: &DatabaseConnection,
    row: &environment::Model,
) -> Result<EnvironmentStatusesWithStages> {
    let whole = Whole::read(db, row.id).await?;
    let places = store::stage::places(db, row.id).await?;
    let mut stages = Vec::new();
    for stage in store::stage::list(db, row.id).await? {
        let inside = |known: &Known<'_>| places.get(&known.job.id).is_some_and(|place| place.stage_id == stage.id);
        let known: Vec<_> = whole.known().filter(inside).collect();
        let newest = whole.newest.as_ref().map(|of| of.id);
        let parts = known.iter().filter_map(|known| known.part).filter(|(_, of)| Some(of.id) == newest);
        let progress: Vec<_> = parts.map(|(part, _)| part.progress).collect();
        stages.push(DeploymentStageWithServicesStatuses {
            applications: Vec::new(),
            containers: Vec::new(),
            jobs: known.iter().map(Known::status_among).collect(),
            databases: Vec::new(),
            helms: Vec::new(),
            terraforms: Vec::new(),
            stage: Stage {
                id: stage.id.0,
                name: stage.name,
                description: stage.description,
                status: StageStatusEnum::of(&progress),
            },
        });
    }
    Ok(EnvironmentStatusesWithStages { environment: whole.environment(), stages })
}

/// The answer to a request that nothing follows from.
pub(super) fn of_nothing(id: Uuid) -> Status {
    Status {
        id,
        state: StateEnum::Ready,
        service_deployment_status: ServiceDeploymentStatusEnum::UpToDate,
        last_deployment_date: None,
        is_part_last_deployment: false,
        steps: None,
        execution_id: None,
        status_details: details(None, PartPhase::Idle),
        deployment_request_id: None,
        deployment_requests_count: 0,
    }
}

/// The answer to a request on a whole environment, in the shape of a job's state (as the official API answers it).
pub(super) async fn of_request(db: &DatabaseConnection, row: &deployment::Model) -> Result<Status> {
    let requests = store::deployment::count_open_by_environment(db, row.environment_id).await?;
    Ok(Status {
        id: row.environment_id.0,
        state: shown::of_job(Some((row.action, row.progress)), PartPhase::Idle).into(),
        service_deployment_status: ServiceDeploymentStatusEnum::OutOfDate,
        last_deployment_date: Some(Timestamp(row.created_at)),
        is_part_last_deployment: true,
        steps: None,
        execution_id: Some(execution_id(row)),
        status_details: StatusDetails {
            action: row.action.into(),
            status: ServiceActionStatusEnum::Queued,
            sub_action: ServiceSubActionEnum::None,
        },
        deployment_request_id: Some(row.id.0),
        deployment_requests_count: i32::try_from(requests).unwrap_or(i32::MAX),
    })
}
