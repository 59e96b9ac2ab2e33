//! The targets of aliases and overrides in responses.

use entity::variable::VariableKind;
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::mirrored;
use super::scope::APIVariableScopeEnum;
use crate::engine::variable::ShownTarget;

mirrored!(APIVariableTypeEnum of VariableKind { Value, Alias, Override, BuiltIn, File });

/// The target of an alias or override of a variable.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "EnvironmentVariableAlias")]
pub(super) struct Target {
    id: Uuid,
    key: String,
    value: String,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

/// The target of an alias or override of a secret, without its value.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "SecretAlias")]
pub(super) struct SecretTarget {
    id: Uuid,
    key: String,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

/// The target in the unified family, where the value of a secret is null.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "VariableAlias")]
pub(super) struct AnyTarget {
    id: Uuid,
    key: String,
    value: Option<String>,
    mount_path: String,
    scope: APIVariableScopeEnum,
    variable_type: APIVariableTypeEnum,
}

impl From<ShownTarget> for AnyTarget {
    fn from(target: ShownTarget) -> Self {
        let ShownTarget { id, key, value, mount_path, scope, kind } = target;
        Self { id, key, value, mount_path, scope: scope.into(), variable_type: kind.into() }
    }
}

impl From<AnyTarget> for Target {
    fn from(target: AnyTarget) -> Self {
        let AnyTarget { id, key, value, mount_path, scope, variable_type } = target;
        Self { id, key, value: value.unwrap_or_default(), mount_path, scope, variable_type }
    }
}

impl From<AnyTarget> for SecretTarget {
    fn from(target: AnyTarget) -> Self {
        let AnyTarget { id, key, value: _, mount_path, scope, variable_type } = target;
        Self { id, key, mount_path, scope, variable_type }
    }
}
