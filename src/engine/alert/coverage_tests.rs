//! Pure: tests of what rules and silences cover.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::{Model as Rule, Target};
use entity::alert_silence::{Model as Silence, SilenceTarget};
use entity::id::{AlertSilenceId, ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};

use super::{Position, covers, silence_words, silenced};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn rule(target: Target) -> Rule {
    Rule { target, ..Rule::new(OrganizationId::create(), ClusterId::create(), at(0)) }
}

fn position() -> Position {
    Position {
        project: Some(ProjectId::create()),
        cluster: Some(ClusterId::create()),
        environment: Some(EnvironmentId::create()),
        job: Some(JobId::create()),
        labels: vec![("team".into(), "data".into()), ("tier".into(), "1".into())],
    }
}

fn silence(rule: &Rule, target: SilenceTarget, (begin, end): (i64, i64)) -> Silence {
    Silence {
        id: AlertSilenceId::create(),
        organization_id: rule.organization_id,
        created_at: at(0),
        updated_at: at(0),
        author: "Ada".into(),
        comment: "move of the racks".into(),
        begins_at: at(begin),
        ends_at: at(end),
        target,
        project_id: None,
        environment_id: None,
        job_id: None,
        rule_id: None,
        label_key: None,
        label_value: None,
    }
}

#[test]
fn a_rule_without_the_id_of_its_target_covers_nothing() {
    let nowhere = Position::default();
    for target in [Target::Project, Target::Cluster, Target::Environment, Target::Job, Target::Label] {
        assert!(!covers(&rule(target), &nowhere), "{target:?}");
        assert!(!covers(&rule(target), &position()), "{target:?}");
    }
    assert!(covers(&rule(Target::Organization), &nowhere));
}

#[test]
fn a_label_is_a_key_and_its_value() {
    let mut labelled = rule(Target::Label);
    for (key, value, is_covered) in
        [("team", "data", true), ("team", "1", false), ("tier", "1", true), ("x", "", false)]
    {
        (labelled.label_key, labelled.label_value) = (Some(key.into()), Some(value.into()));
        assert_eq!(covers(&labelled, &position()), is_covered, "{key}={value}");
    }
}

#[test]
fn a_silence_begins_and_ends() {
    let rule = rule(Target::Organization);
    let row = silence(&rule, SilenceTarget::Organization, (10, 20));
    for (second, is_silent) in [(9, false), (10, true), (19, true), (20, false)] {
        let found = silenced(std::slice::from_ref(&row), &rule, &position(), at(second));
        assert_eq!(found.is_some(), is_silent, "{second}");
    }
    assert_eq!(silence_words(&row), "silenced until 1970-01-01 00:00:20 UTC by Ada: move of the racks");
}

#[test]
fn a_silence_is_about_its_target_and_organization_only() {
    let rule = rule(Target::Organization);
    let here = position();
    let now = at(15);
    let mut rows: Vec<Silence> = [
        SilenceTarget::Project,
        SilenceTarget::Environment,
        SilenceTarget::Job,
        SilenceTarget::Label,
        SilenceTarget::Rule,
    ]
    .into_iter()
    .map(|target| silence(&rule, target, (10, 20)))
    .collect();
    assert_eq!(silenced(&rows, &rule, &here, now), None, "none of them names anything");
    for place in 0..rows.len() {
        let mut row = rows.remove(place);
        (row.project_id, row.environment_id, row.job_id) = (here.project, here.environment, here.job);
        (row.label_key, row.label_value) = (Some("tier".into()), Some("1".into()));
        row.rule_id = Some(rule.id);
        let one = [row.clone()];
        assert_eq!(silenced(&one, &rule, &here, now), Some(&one[0]), "{:?}", row.target);
        let others = [Silence { organization_id: OrganizationId::create(), ..row.clone() }];
        assert_eq!(silenced(&others, &rule, &here, now), None, "of another organization");
        rows.insert(place, row);
    }
    let long = silence(&rule, SilenceTarget::Organization, (0, 100));
    rows.push(long.clone());
    assert_eq!(silenced(&rows, &rule, &here, now), Some(&long), "the one that ends last");
}
