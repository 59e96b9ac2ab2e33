//! Pure: when a job is due.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::JobId;
use entity::job_spec::{JobSpec, Rhythm, Schedule as JobSchedule};
use windlass_schedule::time_zone::Zone;
use windlass_schedule::{ClockChangeRules, GapRule, HashKey, OverlapRule, ParseError, Schedule, parse_timezone};

use super::written_schedule::written_schedule;
use crate::engine::advanced_settings::Settings;

/// The times at which one job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    schedule: Schedule,
    zone: Zone,
    clock_changes: ClockChangeRules,
    /// Added to every time; fixed for each job.
    pub jitter: TimeDelta,
}

impl Timing {
    /// The schedule in words, such as "every day at 03:00".
    #[must_use]
    pub fn words(&self) -> String {
        self.schedule.words()
    }

    /// The times of a job with this configuration; `None` for a LIFECYCLE job, and for a check with a period.
    ///
    /// # Errors
    /// If the expression or the time zone is invalid.
    pub fn of(job: JobId, spec: &JobSpec) -> Result<Option<Self>, ParseError> {
        let (JobSchedule::Cron { timezone, .. } | JobSchedule::Check { rhythm: Rhythm::Cron { timezone, .. }, .. }) =
            &spec.schedule
        else {
            return Ok(None);
        };
        let Some(schedule) = written_schedule(HashKey::of(job.0.as_bytes()), spec)? else { return Ok(None) };
        let settings = Settings(&spec.settings);
        let gap = settings.text("cronjob.dst_gap").map(|gap| match gap.as_str() {
            "skip" => GapRule::Skip,
            "shift" => GapRule::Shift,
            _ => GapRule::RunAfter,
        });
        let overlap = settings.text("cronjob.dst_overlap").map(|overlap| match overlap.as_str() {
            "first" => OverlapRule::First,
            "last" => OverlapRule::Last,
            _ => OverlapRule::Both,
        });
        let widest = settings.number("cronjob.jitter_seconds").unwrap_or(0);
        Ok(Some(Self {
            schedule,
            zone: parse_timezone(timezone)?,
            clock_changes: ClockChangeRules { gap, overlap },
            jitter: jitter(job, widest),
        }))
    }

    /// The first time after `after`.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let plain = self.schedule.next_by(after.checked_sub_signed(self.jitter)?, &self.zone, self.clock_changes)?;
        plain.checked_add_signed(self.jitter)
    }

    /// Whether the schedule has no times, but is due at each start of the server.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.schedule.is_at_start()
    }

    /// Whether the schedule is ever due.
    #[must_use]
    pub fn can_fire(&self) -> bool {
        self.schedule.can_fire()
    }

    /// Whether `time` is a time of the schedule.
    #[must_use]
    pub fn is_due(&self, time: DateTime<Utc>) -> bool {
        time.checked_sub_signed(TimeDelta::microseconds(1)).and_then(|before| self.next(before)) == Some(time)
    }

    /// The same times with other rules for clock changes.
    #[must_use]
    pub fn with_clock_changes(self, clock_changes: ClockChangeRules) -> Self {
        Self { clock_changes, ..self }
    }

    /// The time zone of the schedule.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Up to `count` of the newest times in `from..=until`, oldest first; `from` is a time of this schedule or
    /// earlier. Takes a bounded number of steps, however long the span is.
    #[must_use]
    pub fn newest(&self, from: DateTime<Utc>, until: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        let spans = [
            TimeDelta::hours(2),
            TimeDelta::days(2),
            TimeDelta::days(40),
            TimeDelta::days(400),
            TimeDelta::days(366 * 9),
            TimeDelta::days(366 * 100),
        ];
        for span in spans {
            let start = from.max(until - span) - TimeDelta::microseconds(1);
            let mut found: Vec<_> = std::iter::successors(self.next(start), |time| self.next(*time))
                .take_while(|time| *time <= until)
                .collect();
            if found.len() >= count || start < from {
                return found.split_off(found.len().saturating_sub(count));
            }
        }
        Vec::new()
    }
}

/// Between 0 and `widest` seconds, derived only from the job's id, so that planned times can be shown.
#[must_use]
pub fn jitter(job: JobId, widest: i32) -> TimeDelta {
    let Ok(choices) = u64::try_from(i64::from(widest) + 1) else { return TimeDelta::zero() };
    // FNV-1a over the bytes of the id: the same on every machine and in every version.
    let hash =
        job.0.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    // Without this, the last bytes would not reach the high bits.
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let seconds = mixed % choices.max(1);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
