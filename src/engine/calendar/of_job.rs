//! Pure: the calendars that the settings of a job name, and the times that they remove from its schedule.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::job_spec::JobSpec;

use super::contents::Calendar;
use crate::engine::advanced_settings::Settings;

/// The setting with the calendars whose times do not run.
pub const EXCLUDE: &str = "cronjob.exclude_calendars";
/// The setting with the calendars outside of which no time runs.
pub const ONLY: &str = "cronjob.only_calendars";

/// The names of the calendars in the settings of a job.
#[must_use]
pub fn names(spec: &JobSpec) -> Vec<String> {
    let settings = Settings(&spec.settings);
    [settings.names(EXCLUDE), settings.names(ONLY)].concat()
}

/// The calendars of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendars {
    exclude: Vec<Arc<Calendar>>,
    /// The names of the required calendars; empty if none is required.
    required: Vec<String>,
    only: Vec<Arc<Calendar>>,
}

impl Calendars {
    /// Those that the settings name, of the calendars of the organization.
    #[must_use]
    pub fn of(spec: &JobSpec, known: &[Arc<Calendar>]) -> Self {
        let settings = Settings(&spec.settings);
        let (exclude, required) = (settings.names(EXCLUDE), settings.names(ONLY));
        let found = |names: &[String]| known.iter().filter(|one| names.contains(&one.name)).cloned().collect();
        Self { exclude: found(&exclude), only: found(&required), required }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exclude.is_empty() && self.required.is_empty()
    }

    /// Why a time does not run, naming the calendar and its entry; none if no calendar removes it.
    #[must_use]
    pub fn removal(&self, at: DateTime<Utc>) -> Option<String> {
        let entry = self.exclude.iter().find_map(|calendar| Some((&calendar.name, calendar.entry_at(at)?)));
        if let Some((name, entry)) = entry {
            return Some(format!("the calendar {name} excludes it: {entry}"));
        }
        if self.required.is_empty() || self.only.iter().any(|calendar| calendar.entry_at(at).is_some()) {
            return None;
        }
        Some(format!("the schedule is confined to times in the calendar {}", self.required.join(" or ")))
    }
}

#[cfg(test)]
#[path = "of_job_tests.rs"]
mod tests;
