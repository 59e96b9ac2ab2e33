//! Cron schedules, pure: expressions and their words, the times at which a job is due, what happens at each time, and who schedules the job.

mod clock_change;
mod controller;
mod cron_job;
mod due;
mod error;
mod expression;
mod field;
mod hold;
mod keeper;
mod next_time;
mod policy;
mod quartz;
mod quartz_days;
mod quartz_field;
mod quartz_words;
mod quartz_years;
mod schedule_text;
mod spacing;
mod time_zone;
mod timing;
mod wall_clock;
mod word_days;
mod words;

#[cfg(test)]
pub(in crate::engine) mod fixtures;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod reader_tests;

pub use self::cron_job::{KUBERNETES_CLOCK_CHANGES, cron_job_times};
pub use self::due::{DueTimes, TimeDecision};
pub use self::error::ParseError;
pub use self::expression::CronExpression;
pub use self::hold::{Hold, Holds};
pub use self::keeper::{Keeper, StoredSchedule, keeper, keeper_of_deployed, repeats_by_kubernetes};
pub use self::policy::{Concurrency, Policy};
pub use self::quartz::{QuartzExpression, WorkspaceCron, from_quartz};
pub use self::schedule_text::schedule_text;
pub(in crate::engine) use self::time_zone::gap_end;
pub use self::time_zone::parse_timezone;
pub use self::timing::{Timing, jitter};
