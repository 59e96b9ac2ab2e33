//! The states of jobs, stages and environments under their official names.

use entity::deployment::{Origin, Progress};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::api::wire;
use crate::engine::shown::ShownState;
use crate::engine::state::Freshness;

/// The official states that this server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum StateEnum {
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
            ShownState::Canceling => Self::Canceling,
            ShownState::Canceled => Self::Canceled,
        }
    }
}

/// Whether the deployed configuration is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum ServiceDeploymentStatusEnum {
    NeverDeployed,
    OutOfDate,
    UpToDate,
}

impl From<Freshness> for ServiceDeploymentStatusEnum {
    fn from(freshness: Freshness) -> Self {
        match freshness {
            Freshness::NeverDeployed => Self::NeverDeployed,
            Freshness::OutOfDate => Self::OutOfDate,
            Freshness::UpToDate => Self::UpToDate,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum StageStatusEnum {
    Queued,
    Ongoing,
    Done,
    Error,
    Canceled,
}

impl StageStatusEnum {
    /// The status of a stage, from the progress of its parts; `None` for a stage without parts.
    pub(in crate::api) fn of(parts: &[Progress]) -> Option<Self> {
        let any = |progress: Progress| parts.contains(&progress);
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

wire::mirrored!(EventOriginEnum of Origin { Api, Cli, Console, TerraformProvider });
