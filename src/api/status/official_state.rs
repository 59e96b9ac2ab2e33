//! The states of jobs, stages and environments under their official names.

use entity::deployment::{Origin, Progress};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::api::wire;
use crate::engine::shown::Shown;

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
    Canceled,
}

impl From<Shown> for StateEnum {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Ready => Self::Ready,
            Shown::DeploymentQueued => Self::DeploymentQueued,
            Shown::Building => Self::Building,
            Shown::Deploying => Self::Deploying,
            Shown::Executing => Self::Executing,
            Shown::Deployed => Self::Deployed,
            Shown::BuildError => Self::BuildError,
            Shown::DeploymentError => Self::DeploymentError,
            Shown::StopQueued => Self::StopQueued,
            Shown::Stopping => Self::Stopping,
            Shown::Stopped => Self::Stopped,
            Shown::StopError => Self::StopError,
            Shown::DeleteQueued => Self::DeleteQueued,
            Shown::Deleting => Self::Deleting,
            Shown::Deleted => Self::Deleted,
            Shown::DeleteError => Self::DeleteError,
            Shown::Canceled => Self::Canceled,
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
    /// The status of a stage, from the progress of its parts; none for a stage without parts.
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
