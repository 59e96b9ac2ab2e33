//! The schedules of CRON jobs, pure: the times at which a job is due, what happens at each time, and who schedules the job. What an
//! expression means is in `schedule/`.

mod controller;
mod cron_job;
mod due;
mod expectation;
mod hold;
mod keeper;
mod policy;
mod schedule_text;
mod timing;
mod written_schedule;

#[cfg(test)]
pub(in crate::engine) mod fixtures;

pub use self::cron_job::{KUBERNETES_CLOCK_CHANGES, cron_job_times};
pub use self::due::{DueTimes, TimeDecision};
pub use self::expectation::{Expectation, Missing};
pub use self::hold::{Hold, Holds};
pub use self::keeper::{Keeper, StoredSchedule, keeper, keeper_of_deployed, repeats_by_kubernetes};
pub use self::policy::{Concurrency, Policy};
pub use self::schedule_text::{schedule_text, span};
pub use self::timing::{Timing, jitter};
pub(in crate::engine) use windlass_schedule::gap_end;
pub use windlass_schedule::{ParseError, WorkspaceCron, from_quartz, parse_timezone};
