//! The advanced settings that make a schedule mean what it meant.

use serde_json::{Map, Value};
use windlass_import::ImportedJob;
use windlass_schedule::{ClockChangeRules, DayMatch, GapRule, OverlapRule};

use crate::failure::{Failure, Result};

/// Those of a job.
pub(super) fn settings(job: &ImportedJob) -> Result<Map<String, Value>> {
    let mut settings = of_schedule(job.day_match, job.clock_changes);
    for (key, text) in &job.settings {
        let value = serde_json::from_str(text).map_err(|error| Failure::Refused(format!("{key}: {error}")))?;
        settings.insert(key.clone(), value);
    }
    Ok(settings)
}

/// Those of a schedule alone.
pub(super) fn of_schedule(day_match: DayMatch, clock_changes: ClockChangeRules) -> Map<String, Value> {
    let mut settings = Map::new();
    if day_match == DayMatch::And {
        settings.insert("cronjob.day_match".into(), "and".into());
    }
    if let Some(gap) = clock_changes.gap {
        let rule = match gap {
            GapRule::RunAfter => "run_after",
            GapRule::Skip => "skip",
            GapRule::Shift => "shift",
        };
        settings.insert("cronjob.dst_gap".into(), rule.into());
    }
    if let Some(overlap) = clock_changes.overlap {
        let rule = match overlap {
            OverlapRule::First => "first",
            OverlapRule::Last => "last",
            OverlapRule::Both => "both",
        };
        settings.insert("cronjob.dst_overlap".into(), rule.into());
    }
    settings
}
