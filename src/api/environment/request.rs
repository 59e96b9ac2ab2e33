//! Environment requests.

use entity::environment::Mode;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum CreateEnvironmentModeEnum {
    Development,
    Production,
    Staging,
}

impl From<CreateEnvironmentModeEnum> for Mode {
    fn from(mode: CreateEnvironmentModeEnum) -> Self {
        match mode {
            CreateEnvironmentModeEnum::Development => Self::Development,
            CreateEnvironmentModeEnum::Production => Self::Production,
            CreateEnvironmentModeEnum::Staging => Self::Staging,
        }
    }
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct CreateEnvironmentRequest {
    pub(super) name: String,
    #[serde(default)]
    #[oai(default)]
    pub(super) cluster: Option<Uuid>,
    #[serde(default)]
    #[oai(default)]
    pub(super) mode: Option<CreateEnvironmentModeEnum>,
}

#[derive(Debug, Deserialize, Object)]
pub(super) struct EnvironmentEditRequest {
    #[serde(default)]
    #[oai(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) mode: Option<CreateEnvironmentModeEnum>,
}
