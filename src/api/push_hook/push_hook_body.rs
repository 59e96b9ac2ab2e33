//! The bodies of push hooks and their deliveries.

use entity::push_hook::Model;
use entity::push_hook_delivery;
use poem_openapi::{Enum, Object};
use sea_orm::ActiveEnum as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::Timestamp;
use crate::app::App;
use crate::engine::settings::push_hook_settings::address;
use crate::secret::Secret;

#[derive(Debug, Deserialize, Object)]
pub(super) struct PushHookRequest {
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct PushHook {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    url: String,
}

/// Not `Debug`: the response contains the secret.
#[derive(Serialize, Deserialize, Object)]
pub(super) struct PushHookWithSecret {
    #[serde(flatten)]
    #[oai(flatten)]
    stored: PushHook,
    secret: String,
}

impl PushHook {
    pub(super) fn new(app: &App, row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, name, secret: _ } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            url: address(app, id),
        }
    }
}

impl PushHookWithSecret {
    pub(super) fn new(app: &App, row: Model, secret: &Secret<String>) -> Self {
        Self { stored: PushHook::new(app, row), secret: secret.expose().clone() }
    }
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PushHookOutcomeEnum {
    Accepted,
    Ignored,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct PushHookDelivery {
    id: Uuid,
    created_at: Timestamp,
    provider: String,
    delivery_id: String,
    repository: Option<String>,
    branch: Option<String>,
    git_commit_id: Option<String>,
    author: Option<String>,
    outcome: PushHookOutcomeEnum,
    reason: Option<String>,
    polled_branches: i32,
}

impl From<push_hook_delivery::Model> for PushHookDelivery {
    fn from(row: push_hook_delivery::Model) -> Self {
        let push_hook_delivery::Model {
            id,
            organization_id: _,
            hook_id: _,
            created_at,
            provider,
            delivery,
            digest: _,
            repository,
            branch,
            commit_id,
            author,
            branches,
            reason,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            provider: provider.to_value(),
            delivery_id: delivery,
            repository,
            branch,
            git_commit_id: commit_id,
            author,
            outcome: if reason.is_none() { PushHookOutcomeEnum::Accepted } else { PushHookOutcomeEnum::Ignored },
            reason,
            polled_branches: branches,
        }
    }
}
