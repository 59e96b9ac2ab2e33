//! Pure: when a job runs, in words.

use entity::id::JobId;
use entity::job_spec::{JobSpec, Rhythm, Schedule};

use super::Timing;

/// When a job runs, in words, with the time zone of a schedule.
#[must_use]
pub fn schedule_text(id: JobId, spec: &JobSpec) -> String {
    match &spec.schedule {
        Schedule::Check { rhythm: Rhythm::Period { seconds }, .. } => {
            format!("a ping every {}", span(*seconds))
        }
        Schedule::Cron { scheduled_at, timezone, .. }
        | Schedule::Check { rhythm: Rhythm::Cron { scheduled_at, timezone }, .. } => match Timing::of(id, spec) {
            Ok(Some(timing)) if timing.is_at_start() => timing.words(),
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

/// A number of seconds in the largest unit that it is a multiple of.
#[must_use]
pub fn span(seconds: i32) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
    let (unit, name) = whole.unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_use_the_largest_unit_that_fits() {
        for (seconds, text) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (60, "1 minute"),
            (5400, "90 minutes"),
            (7200, "2 hours"),
            (86_400, "1 day"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
