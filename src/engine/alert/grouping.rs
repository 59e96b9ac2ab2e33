//! Pure: alerts that belong together share one message.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_delivery::Item;
use entity::alert_receiver::ReceiverKind;

/// The most alerts that the text of a message lists; it counts the others.
pub const LISTED: usize = 50;
/// The most alerts that a message has for a receiver that is told about each by itself: each is a request.
const INCIDENTS: usize = 50;
/// The most alerts that any other message has. It counts those beyond, which nothing tells apart any more.
const KNOWN: usize = 1000;
/// How long a new message waits for more alerts of its rule.
const WAIT: TimeDelta = TimeDelta::seconds(1);
/// The shortest time between two messages of a rule to a receiver.
const INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// When a new message is sent, after the newest of its rule to the same receiver.
#[must_use]
pub fn send_at(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let first = now + WAIT;
    // A message that is due later than the interval was put off, or the clock went back.
    last.filter(|last| *last <= now + INTERVAL).map_or(first, |last| first.max(last + INTERVAL))
}

/// How many alerts a message to a receiver has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    pub most: usize,
    /// Whether others are counted. If not, they are in a further message.
    pub counts: bool,
}

impl Capacity {
    /// That of messages to a kind of receiver.
    #[must_use]
    pub const fn of(kind: ReceiverKind) -> Self {
        match kind.keeps_incidents() {
            true => Self { most: INCIDENTS, counts: false },
            false => Self { most: KNOWN, counts: true },
        }
    }
}

/// Adds alerts to those of a message, and returns those for which there is no room. One about the same thing is replaced.
pub(super) fn join(items: &mut Vec<Item>, new: Vec<Item>, most: usize) -> Vec<Item> {
    let mut left = Vec::new();
    for item in new {
        let is_full = items.len() >= most;
        match items.iter_mut().find(|known| known.about() == item.about()) {
            Some(known) => *known = item,
            None if is_full => left.push(item),
            None => items.push(item),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::send_at;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_first_message_leaves_soon_and_the_next_one_waits() {
        assert_eq!(send_at(None, at(100)), at(101));
        assert_eq!(send_at(Some(at(100)), at(101)), at(160));
        assert_eq!(send_at(Some(at(0)), at(100)), at(101));
        assert_eq!(send_at(Some(at(86_400)), at(100)), at(101), "one that is put off for a day delays nothing");
    }
}
