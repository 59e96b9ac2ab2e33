//! A delivery of a webhook: the request to send and its result.

use sea_orm::entity::prelude::*;

use crate::id::{DeliveryId, WebhookId};
use crate::webhook::{OwnEvent, WebhookEvent, WebhookKind};

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryState {
    /// Waiting for the next attempt.
    Pending,
    /// Accepted by the receiver.
    Delivered,
    /// The last attempt failed.
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
    /// For an event of ours, the official one that comes nearest.
    pub event: WebhookEvent,
    pub target_url: String,
    pub payload: Json,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: DateTimeUtc,
    /// The status of the newest attempt; null if there was no response.
    pub status_code: Option<i32>,
    /// The beginning of the newest response, or why there was none.
    pub response: Option<String>,
    /// The event, if it is one of ours.
    pub own_event: Option<OwnEvent>,
    /// What it tells; each webhook is told it once.
    pub cause: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
