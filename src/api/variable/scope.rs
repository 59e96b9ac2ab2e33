//! The scopes of variables, from the widest to the narrowest.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::engine::variables::VariableScope;

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
    /// The scope on this server; none for those of services that it does not have.
    pub(super) fn known(self) -> Option<VariableScope> {
        match self {
            Self::BuiltIn => Some(VariableScope::BuiltIn),
            Self::Project => Some(VariableScope::Project),
            Self::Environment => Some(VariableScope::Environment),
            Self::Job => Some(VariableScope::Job),
            Self::Application | Self::Container | Self::Helm | Self::Terraform | Self::AgenticWorkflow => None,
        }
    }
}

impl From<VariableScope> for APIVariableScopeEnum {
    fn from(scope: VariableScope) -> Self {
        match scope {
            VariableScope::BuiltIn => Self::BuiltIn,
            VariableScope::Project => Self::Project,
            VariableScope::Environment => Self::Environment,
            VariableScope::Job | VariableScope::Run => Self::Job,
        }
    }
}
