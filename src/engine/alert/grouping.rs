//! Pure: alerts that belong together share one message.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_delivery::Item;

/// The most alerts that a message lists; it counts the others.
pub const ITEMS: usize = 50;
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

/// Adds alerts to those of a message. An alert that is in it already is replaced by its newer form.
pub fn join((items, more): (&mut Vec<Item>, &mut i32), new: Vec<Item>) {
    for item in new {
        let is_full = items.len() >= ITEMS;
        match items.iter_mut().find(|known| known.alert == item.alert) {
            Some(known) => *known = item,
            None if is_full => *more = more.saturating_add(1),
            None => items.push(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use entity::alert_delivery::Item;
    use entity::id::{AlertId, EnvironmentId};

    use super::{ITEMS, join, send_at};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn item(name: &str) -> Item {
        Item {
            alert: AlertId::create(),
            name: name.into(),
            environment_id: Some(EnvironmentId::create()),
            job_id: None,
            run_id: None,
            workspace_id: None,
            workspace_job_id: None,
            cluster_id: None,
            since: at(0),
            at: at(0),
            times: 1,
            reason: None,
        }
    }

    #[test]
    fn the_first_message_leaves_soon_and_the_next_one_waits() {
        assert_eq!(send_at(None, at(100)), at(101));
        assert_eq!(send_at(Some(at(100)), at(101)), at(160));
        assert_eq!(send_at(Some(at(0)), at(100)), at(101));
        assert_eq!(send_at(Some(at(86_400)), at(100)), at(101), "one that is put off for a day delays nothing");
    }

    #[test]
    fn a_message_lists_the_first_alerts_and_counts_the_others() {
        let (mut items, mut more) = (Vec::new(), 0);
        join((&mut items, &mut more), (0..ITEMS + 3).map(|_| item("job")).collect());
        assert_eq!((items.len(), more), (ITEMS, 3));
        let again = Item { times: 7, ..items[0].clone() };
        join((&mut items, &mut more), vec![again]);
        assert_eq!((items.len(), more, items[0].times), (ITEMS, 3, 7), "the same alert is listed once");
    }
}
