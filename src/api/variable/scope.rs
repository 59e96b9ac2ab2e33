//! The scopes of variables, from the widest to the narrowest.

use entity::variable::{Model, VariableKind};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

/// The scope of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum APIVariableScopeEnum {
    Application,
    BuiltIn,
    Environment,
    Project,
    Container,
    Job,
    Helm,
    Terraform,
    AgenticWorkflow,
}

impl APIVariableScopeEnum {
    pub(super) fn of(row: &Model) -> Self {
        match (row.kind, row.job_id, row.environment_id) {
            (VariableKind::BuiltIn, _, _) => Self::BuiltIn,
            (_, Some(_), _) => Self::Job,
            (_, None, Some(_)) => Self::Environment,
            (_, None, None) if row.project_id.is_some() => Self::Project,
            (_, None, None) => Self::BuiltIn,
        }
    }

    /// Orders scopes: narrower ones are greater. Scopes of services that this server does not support are `None`.
    pub(super) fn narrowness(self) -> Option<u8> {
        match self {
            Self::BuiltIn => Some(0),
            Self::Project => Some(1),
            Self::Environment => Some(2),
            Self::Job => Some(3),
            Self::Application | Self::Container | Self::Helm | Self::Terraform | Self::AgenticWorkflow => None,
        }
    }
}
