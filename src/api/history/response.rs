//! Types shared by both formats of the history.

use entity::deployment::Action as DeploymentAction;
use entity::job_spec::{JobSpec, Source};
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

/// A page of a history. There is only one page.
#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct Page<T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON> {
    pub(super) page: i32,
    pub(super) page_size: i32,
    pub(super) results: Vec<T>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DeploymentHistoryTriggerAction {
    Deploy,
    Delete,
    Stop,
    Uninstall,
}

impl From<DeploymentAction> for DeploymentHistoryTriggerAction {
    fn from(action: DeploymentAction) -> Self {
        match action {
            DeploymentAction::Deploy => Self::Deploy,
            DeploymentAction::Delete => Self::Delete,
            DeploymentAction::Stop => Self::Stop,
            DeploymentAction::Uninstall => Self::Uninstall,
        }
    }
}

pub(super) fn image(spec: &JobSpec) -> (Option<String>, Option<String>) {
    match &spec.source {
        Source::Image { image_name, tag, .. } => (Some(image_name.clone()), Some(tag.clone())),
        Source::Docker { .. } => (None, None),
    }
}
