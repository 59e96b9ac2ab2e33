//! Messages about one thing arrive in the order of what happened, and tell its newest state.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_delivery::{Item, Items, MessageKind, Model};
use entity::alert_receiver::ReceiverKind;
use entity::id::{AlertDeliveryId, AlertId, AlertReceiverId, AlertRuleId};
use entity::webhook_delivery::DeliveryState;
use uuid::Uuid;

use super::{Placed, place};
use crate::engine::alert::grouping::Capacity;

const SLACK: Capacity = Capacity::of(ReceiverKind::Slack);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// An alert about the thing with a number.
fn item(about: u128) -> Item {
    Item {
        alert: AlertId::create(),
        subject: Some(Uuid::from_u128(about)),
        name: about.to_string(),
        environment_id: None,
        job_id: None,
        run_id: None,
        workspace_id: None,
        workspace_job_id: None,
        cluster_id: None,
        since: at(0),
        at: at(0),
        times: 1,
        reason: None,
        told: false,
    }
}

fn message(id: u128, kind: MessageKind, due: i64, about: &[u128]) -> Model {
    Model {
        id: AlertDeliveryId(Uuid::from_u128(id)),
        receiver_id: AlertReceiverId(Uuid::nil()),
        rule_id: AlertRuleId(Uuid::nil()),
        kind,
        created_at: at(0),
        updated_at: at(0),
        items: Items(about.iter().map(|about| item(*about)).collect()),
        more: 0,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: at(due),
        quiet_until: None,
        error: None,
    }
}

fn firing(id: u128, due: i64, about: &[u128]) -> Model {
    message(id, MessageKind::Firing, due, about)
}

fn resolved(id: u128, due: i64, about: &[u128]) -> Model {
    message(id, MessageKind::Resolved, due, about)
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.name.as_str()).collect()
}

/// The changed messages by their numbers, with what they are about.
fn changed(placed: &Placed) -> Vec<(u128, Vec<&str>)> {
    placed.changed.iter().map(|message| (message.id.0.as_u128(), names(&message.items.0))).collect()
}

fn new(placed: &Placed) -> Vec<Vec<&str>> {
    placed.new.iter().map(|(items, _)| names(items)).collect()
}

fn fires(waiting: &[Model], about: u128) -> Placed {
    place(waiting, (MessageKind::Firing, vec![item(about)]), SLACK)
}

fn resolves(waiting: &[Model], about: u128) -> Placed {
    place(waiting, (MessageKind::Resolved, vec![item(about)]), SLACK)
}

#[test]
fn an_alert_joins_the_message_that_waits() {
    let waiting = [firing(1, 60, &[1])];
    let placed = fires(&waiting, 2);
    assert_eq!((changed(&placed), new(&placed)), (vec![(1, vec!["1", "2"])], Vec::<Vec<&str>>::new()));
    // Each failure after a success is another alert about the same thing.
    let placed = fires(&waiting, 1);
    assert_eq!((changed(&placed), new(&placed)), (vec![(1, vec!["1"])], Vec::<Vec<&str>>::new()));
    let tried = [Model { attempts: 1, ..firing(1, 60, &[1]) }];
    assert_eq!(new(&fires(&tried, 1)), [["1"]]);
}

#[test]
fn a_failure_takes_back_the_end_that_was_not_told() {
    let placed = fires(&[resolved(1, 60, &[1, 2])], 1);
    assert_eq!((changed(&placed), new(&placed)), (vec![(1, vec!["2"])], vec![vec!["1"]]));
    let placed = fires(&[firing(1, 60, &[1]), resolved(2, 60, &[1])], 1);
    assert_eq!((changed(&placed), new(&placed)), (vec![(1, vec!["1"]), (2, vec![])], Vec::<Vec<&str>>::new()));
    // One that is under way arrives, so the failure has to follow it.
    let placed = fires(&[firing(1, 60, &[2]), Model { attempts: 1, ..resolved(2, 600, &[1]) }], 1);
    assert_eq!((changed(&placed), new(&placed), placed.not_before), (vec![], vec![vec!["1"]], None));
}

#[test]
fn an_end_does_not_overtake_its_failure() {
    // The failure is due later than the other end, or its message is newer.
    for failure in [1, 3] {
        let mut waiting = vec![firing(failure, 60, &[1]), resolved(2, 10, &[2])];
        waiting.sort_by_key(|message| message.id);
        let placed = resolves(&waiting, 1);
        assert_eq!((changed(&placed), new(&placed)), (vec![], vec![vec!["1"]]), "{failure}");
        assert_eq!((placed.not_before, placed.continues), (Some(at(60)), None), "{failure}");
    }
    let placed = resolves(&[firing(1, 60, &[1]), resolved(2, 60, &[2])], 1);
    assert_eq!((changed(&placed), new(&placed)), (vec![(2, vec!["2", "1"])], Vec::<Vec<&str>>::new()));
    // One that is tried again keeps all newer ones back, unless it waits for the end of quiet hours.
    let tried = Model { attempts: 1, ..firing(1, 600, &[1]) };
    assert_eq!(changed(&resolves(&[tried.clone(), resolved(2, 10, &[2])], 1)), [(2, vec!["2", "1"])]);
    assert_eq!(resolves(std::slice::from_ref(&tried), 1).not_before, None);
    let quiet = Model { quiet_until: Some(at(600)), ..tried };
    assert_eq!(resolves(&[quiet], 1).not_before, Some(at(600)));
}

#[test]
fn incidents_are_divided_and_texts_count() {
    let items = || (0..120).map(item).collect::<Vec<_>>();
    let opsgenie = Capacity::of(ReceiverKind::Opsgenie);
    let placed = place(&[], (MessageKind::Firing, items()), opsgenie);
    assert_eq!(
        placed.new.iter().map(|(items, more)| (items.len(), *more)).collect::<Vec<_>>(),
        [(50, 0), (50, 0), (20, 0)]
    );
    let open = [firing(1, 60, &[500])];
    let placed = place(&open, (MessageKind::Firing, items()), opsgenie);
    assert_eq!(placed.changed[0].items.0.len(), 50);
    assert_eq!(placed.new.iter().map(|(items, _)| items.len()).collect::<Vec<_>>(), [50, 21]);
    assert_eq!(placed.continues, Some(at(60)), "the rest of a full message is due with it");
    let few = Capacity { most: 100, counts: true };
    let placed = place(&open, (MessageKind::Resolved, items()), few);
    assert_eq!(placed.new.iter().map(|(items, more)| (items.len(), *more)).collect::<Vec<_>>(), [(100, 20)]);
    let placed = place(&open, (MessageKind::Firing, items()), few);
    assert_eq!((placed.changed[0].items.0.len(), placed.changed[0].more, placed.new.len()), (100, 21, 0));
}
