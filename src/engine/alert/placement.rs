//! Pure: which message new alerts belong to. What a receiver is told last about something has to be its state, so a message must not
//! overtake another one about the same thing, and of what was not sent yet, the newest counts.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::alert_delivery::{Item, MessageKind, Model};
use uuid::Uuid;

use super::grouping::{Capacity, join};

/// What becomes of the messages of a rule to a receiver when there are new alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed {
    /// The waiting messages whose alerts have changed. Some may have none any more.
    pub changed: Vec<Model>,
    /// The alerts of new messages, and how many more each of them counts.
    pub new: Vec<(Vec<Item>, i32)>,
    /// The new ones only continue a full message, which is due then.
    pub continues: Option<DateTime<Utc>>,
    /// The new ones must not be due before.
    pub not_before: Option<DateTime<Utc>>,
}

/// Whether `first` is sent before `second`, whatever happens to it.
fn precedes(first: &Model, second: &Model) -> bool {
    first.id < second.id && (keeps_back(first) || first.next_attempt_at <= second.next_attempt_at)
}

/// Whether all newer messages to the receiver wait for a message: it was tried, and not put off to the end of quiet hours.
fn keeps_back(message: &Model) -> bool {
    message.attempts > 0 && message.quiet_until.is_none()
}

fn has(message: &Model, about: Uuid) -> bool {
    message.items.0.iter().any(|item| item.about() == about)
}

/// Places new alerts. `waiting` are the messages that were not accepted yet, in order.
#[must_use]
pub fn place(waiting: &[Model], (kind, items): (MessageKind, Vec<Item>), capacity: Capacity) -> Placed {
    let about: HashSet<Uuid> = items.iter().map(Item::about).collect();
    let mut messages = waiting.to_vec();
    let open = messages.iter().rposition(|message| message.kind == kind && message.attempts == 0);
    for (place, message) in messages.iter_mut().enumerate() {
        // A failure that was not told yet is told even if it is over by then, but an end only if it has not failed again.
        let is_outdated = message.kind == kind || kind == MessageKind::Firing;
        if message.attempts == 0 && is_outdated && Some(place) != open {
            message.items.0.retain(|item| !about.contains(&item.about()));
        }
    }
    let others: Vec<Model> = messages.iter().filter(|message| message.kind != kind).cloned().collect();
    let of_other_kind = |item: &Item| {
        let about = item.about();
        others.iter().filter(move |message| has(message, about))
    };
    let mut placed = Placed::default();
    let mut left = items;
    if let Some(open) = open.and_then(|place| messages.get_mut(place)) {
        let target = open.clone();
        let (joins, waits): (Vec<Item>, Vec<Item>) =
            left.into_iter().partition(|item| of_other_kind(item).all(|message| precedes(message, &target)));
        open.items.0.retain(|item| waits.iter().all(|new| new.about() != item.about()));
        left = join(&mut open.items.0, joins, capacity.most);
        if capacity.counts {
            open.more = open.more.saturating_add(i32::try_from(left.len()).unwrap_or(i32::MAX));
            left = Vec::new();
        }
        placed.continues = waits.is_empty().then_some(open.next_attempt_at);
        left.extend(waits);
    }
    let ahead = left.iter().flat_map(of_other_kind).filter(|message| !keeps_back(message));
    placed.not_before = ahead.map(|message| message.next_attempt_at).max();
    placed.new = divided(left, capacity);
    placed.changed = messages.into_iter().zip(waiting).filter(|(new, old)| new != *old).map(|(new, _)| new).collect();
    placed
}

/// The alerts of new messages.
fn divided(items: Vec<Item>, capacity: Capacity) -> Vec<(Vec<Item>, i32)> {
    let mut messages = Vec::new();
    let mut left = items;
    while !left.is_empty() {
        let mut listed = Vec::new();
        left = join(&mut listed, left, capacity.most.max(1));
        let mut more = 0;
        if capacity.counts {
            more = i32::try_from(left.len()).unwrap_or(i32::MAX);
            left = Vec::new();
        }
        messages.push((listed, more));
    }
    messages
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
