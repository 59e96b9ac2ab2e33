//! Pure: when a job runs, in words.

use entity::id::JobId;
use entity::job_spec::{JobSpec, Schedule};

use super::Timing;

/// When a job runs, in words, with the time zone of a schedule.
#[must_use]
pub fn schedule_text(id: JobId, spec: &JobSpec) -> String {
    match &spec.schedule {
        Schedule::Cron { scheduled_at, timezone, .. } => match Timing::of(id, spec) {
            Ok(Some(timing)) => format!("{} ({timezone})", timing.words()),
            Ok(None) | Err(_) => format!("{scheduled_at} ({timezone})"),
        },
        Schedule::Lifecycle { on_start, on_stop, on_delete, .. } => {
            let events = [("start", on_start), ("stop", on_stop), ("deletion", on_delete)];
            let named: Vec<&str> =
                events.into_iter().filter(|(_, command)| command.is_some()).map(|(name, _)| name).collect();
            match named.split_last() {
                None => "never: no event has a command".into(),
                Some((last, [])) => format!("at the {last} of its environment"),
                Some((last, first)) => format!("at the {} and {last} of its environment", first.join(", ")),
            }
        }
    }
}
