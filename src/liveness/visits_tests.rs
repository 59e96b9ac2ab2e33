//! Which runs each pass visits.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run::RunnerKind;

use super::{QuietStep, Scope, Visit, Visits};
use crate::liveness::wake::Wake;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn step(name: &str) -> QuietStep {
    QuietStep { name: name.into(), runner: RunnerKind::Docker, place: "here".into(), lines: 0, until: None }
}

fn no_news() -> HashSet<String> {
    HashSet::new()
}

fn news(name: &str) -> HashSet<String> {
    HashSet::from([name.to_owned()])
}

fn ids(count: u128) -> Vec<RunId> {
    (1..=count).map(|number| RunId(uuid::Uuid::from_u128(number))).collect()
}

fn visited(visits: &Visits, scope: Scope, news: &HashSet<String>) -> Vec<RunId> {
    ids_of(visits.next(scope, news, at(0)).visits)
}

/// The runs of visits that end at once.
fn ids_of(visits: Vec<Visit>) -> Vec<RunId> {
    visits.iter().map(Visit::id).collect()
}

/// All of these runs are known and quiet; each step is named after the number of its run.
fn all_quiet(count: u128) -> (Visits, Vec<RunId>) {
    let (visits, ids) = (Visits::default(), ids(count));
    visits.listed(&ids);
    assert_eq!(visited(&visits, Scope::News, &no_news()), ids, "new runs are visited at once");
    for id in &ids {
        visits.named(*id, &id.0.as_u128().to_string());
        visits.quiet(*id, step(&id.0.as_u128().to_string()));
    }
    (visits, ids)
}

#[test]
fn a_quiet_run_is_visited_on_news_about_its_step() {
    let (visits, ids) = all_quiet(3);
    assert!(visited(&visits, Scope::News, &no_news()).is_empty());
    assert!(visited(&visits, Scope::News, &news("unknown")).is_empty());
    assert_eq!(visited(&visits, Scope::News, &news("2")), [ids[1]]);
    assert!(visited(&visits, Scope::News, &no_news()).is_empty(), "open runs wait for the next look");
    assert_eq!(visited(&visits, Scope::Look, &no_news()), [ids[1]]);
    assert_eq!(visited(&visits, Scope::News, &news("2")), [ids[1]], "or for news");
    visits.named(ids[1], "second attempt");
    assert!(visited(&visits, Scope::News, &news("2")).is_empty());
    assert_eq!(visited(&visits, Scope::News, &news("second attempt")), [ids[1]]);
    assert_eq!(visited(&visits, Scope::All, &no_news()), ids);
}

#[test]
fn a_quiet_run_is_visited_when_its_time_has_come() {
    let (visits, ids) = (Visits::default(), ids(1));
    visits.visit(ids.clone());
    assert_eq!(visited(&visits, Scope::News, &no_news()), ids);
    visits.quiet(ids[0], QuietStep { until: Some(at(60)), ..step("1") });
    assert!(visits.next(Scope::News, &no_news(), at(59)).visits.is_empty());
    assert_eq!(ids_of(visits.next(Scope::News, &no_news(), at(60)).visits), ids);
}

#[test]
fn a_cancelled_run_is_visited_at_once_and_then_by_every_look() {
    let (visits, ids) = all_quiet(2);
    visits.cancelled(vec![ids[0]]);
    assert_eq!(visited(&visits, Scope::News, &no_news()), [ids[0]]);
    visits.cancelled(vec![ids[0]]);
    assert!(visited(&visits, Scope::News, &no_news()).is_empty());
    assert_eq!(visited(&visits, Scope::Look, &no_news()), [ids[0]]);
}

#[test]
fn every_quiet_run_is_glanced_at_within_a_round() {
    let (visits, ids) = all_quiet(25);
    let mut glanced = BTreeSet::new();
    for _ in 0..10 {
        let round = visits.next(Scope::Look, &no_news(), at(0));
        assert!(round.glances.len() <= 3, "{}", round.glances.len());
        assert!(round.visits.is_empty());
        glanced.extend(round.glances.into_iter().map(|(id, _)| id));
    }
    assert_eq!(glanced.into_iter().collect::<Vec<_>>(), ids);
}

#[test]
fn runs_are_listed_first_and_then_regularly() {
    let visits = Visits::default();
    let lists: Vec<bool> = (0..43).map(|_| visits.lists(Scope::Look)).collect();
    let listed: Vec<usize> = (0..43).filter(|look| lists[*look]).collect();
    assert_eq!(listed, [0, 21, 42]);
    visits.list_soon();
    assert!(!visits.lists(Scope::News));
    assert!(visits.lists(Scope::Look));
    assert!(!visits.lists(Scope::Look) && visits.lists(Scope::All));
}

#[test]
fn a_run_that_another_server_has_is_forgotten() {
    let (visits, ids) = all_quiet(3);
    visits.seen(ids[0], at(5));
    assert_eq!(visits.seen_at(ids[0]), Some(at(5)));
    visits.listed(&ids[1..]);
    assert_eq!(visits.seen_at(ids[0]), None);
    assert!(visited(&visits, Scope::News, &news("1")).is_empty());
    visits.gone(ids[1]);
    assert_eq!(visited(&visits, Scope::All, &no_news()), [ids[2]]);
}

#[test]
fn news_during_a_visit_lead_to_another_one() {
    let (visits, ids) = all_quiet(1);
    assert_eq!(visited(&visits, Scope::News, &news("1")), ids);
    visits.visit(ids.clone());
    visits.quiet(ids[0], step("1"));
    assert_eq!(visited(&visits, Scope::News, &no_news()), ids);
}

/// A run is never visited twice at once; whatever happens meanwhile leads to another visit afterwards.
#[tokio::test]
async fn a_run_has_one_visit_at_a_time() {
    let wake = Wake::default();
    let (visits, ids) = (Visits::new(wake.clone()), ids(2));
    visits.visit(ids.clone());
    let mut first = visits.next(Scope::News, &no_news(), at(0)).visits;
    let second = first.pop();
    visits.named(ids[0], "1");
    for scope in [Scope::News, Scope::Look, Scope::All] {
        visits.visit([ids[0]]);
        assert!(visited(&visits, scope, &news("1")).is_empty(), "{scope:?}");
    }
    // One that was claimed again, for example for its next attempt.
    visits.gone(ids[0]);
    visits.visit([ids[0]]);
    assert!(visited(&visits, Scope::All, &no_news()).is_empty());
    let mut woken = wake.listen();
    drop(second);
    let soon = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(soon, woken.wait()).await.is_err(), "nothing happened to the other one");
    drop(first);
    woken.wait().await;
    assert_eq!(visited(&visits, Scope::News, &no_news()), [ids[0]]);
    assert_eq!(visited(&visits, Scope::Look, &no_news()), ids, "all of them can be visited again");
}
