//! One call of a webhook: what is to be sent, and what came of it.

use sea_orm::entity::prelude::*;

use crate::id::{DeliveryId, WebhookId};
use crate::webhook::{WebhookEvent, WebhookKind};

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryState {
    /// It is to be sent at its next time.
    Pending,
    /// The other side took it.
    Delivered,
    /// It was tried for the last time.
    Failed,
}

/// Row of `webhook_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: WebhookKind,
    pub event: WebhookEvent,
    pub target_url: String,
    pub payload: Json,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: DateTimeUtc,
    /// Of the newest attempt; null when there was no answer.
    pub status_code: Option<i32>,
    /// The beginning of the newest answer, or why there was none.
    pub response: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
