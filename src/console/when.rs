//! Times in pages: in a zone that is named, and how far away they are. The script keeps the distance fresh.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::job_spec::{JobSpec, Rhythm, Schedule};
use maud::{Markup, html};
use windlass_schedule::time_zone::{self, Zone};

use super::format::{relative, zoned};

/// A time with its zone, and its distance from now.
pub(super) fn when(at: DateTime<Utc>, zone: Option<Zone>, now: DateTime<Utc>) -> Markup {
    html! { (exact(at, zone)) " (" (distance(at, now)) ")" }
}

/// A time with its zone.
pub(super) fn exact(at: DateTime<Utc>, zone: Option<Zone>) -> Markup {
    html! { time datetime=(stamp(at)) { (in_zone(at, zone)) } }
}

/// How far away a time is. The exact time is its title.
pub(super) fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! { time data-relative datetime=(stamp(at)) title=(stamp(at)) { (relative(at, now)) } }
}

/// As text; in UTC if the zone is not known.
pub(super) fn in_zone(at: DateTime<Utc>, zone: Option<Zone>) -> String {
    zone.map_or_else(|| at.format("%Y-%m-%d %H:%M:%S UTC").to_string(), |zone| zoned(at, zone))
}

/// As clients write times.
pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The zone of the schedule of a job; UTC for others.
pub(super) fn zone_of(spec: &JobSpec) -> Option<Zone> {
    match &spec.schedule {
        Schedule::Cron { timezone, .. } | Schedule::Check { rhythm: Rhythm::Cron { timezone, .. }, .. } => {
            time_zone::find(timezone)
        }
        Schedule::Lifecycle { .. } | Schedule::Check { .. } => time_zone::find("Etc/UTC"),
    }
}
