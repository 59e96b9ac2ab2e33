//! What an outbox hands out: to each destination one message at a time, and to those that accept nothing not all places, so that what hangs
//! delays only itself.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter as _, Select};
use uuid::Uuid;

/// The places that are free.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// The destinations to which a message is under way.
    pub busy: Vec<Uuid>,
    /// How many messages can begin.
    pub places: usize,
    /// How many of them may be messages that were tried before.
    pub retries: usize,
}

impl Room {
    /// Leaves the messages to destinations that are not busy.
    pub(super) fn to_others<E: EntityTrait>(&self, messages: Select<E>, destination: E::Column) -> Select<E> {
        match self.busy.is_empty() {
            true => messages,
            false => messages.filter(destination.is_not_in(self.busy.iter().copied())),
        }
    }

    /// How many messages that were tried before can begin beside others.
    pub(super) fn retries_beside(&self, others: usize) -> u64 {
        self.retries.min(self.places.saturating_sub(others)) as u64
    }
}
