//! What a rule finds that looks for something.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_rule::Model as Rule;

use super::happened::{Fulfils, Happened};
use super::subject::Subject;
use crate::engine::alert::default_threshold;

/// Something that a rule has found.
pub(super) struct Found<'a> {
    pub(super) rule: &'a Rule,
    pub(super) happened: Happened,
}

/// The threshold of a rule in time.
pub(super) fn patience(rule: &Rule) -> TimeDelta {
    TimeDelta::seconds(rule.threshold.or(default_threshold(rule.condition)).unwrap_or(0).into())
}

/// What a rule found about a subject.
pub(super) fn found<'a>(
    rule: &'a Rule,
    subject: Subject,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
    reason: String,
) -> Found<'a> {
    let fulfils = Fulfils::Rule(rule.id);
    Found { rule, happened: Happened { fulfils, subject, run: None, at: now, since, reason: Some(reason) } }
}
