//! Queries across the jobs of an organization, for pages and forecasts: all bounded, and limited to what a caller sees.

mod attention_list;
mod attention_rows;
mod found_runs;
mod job_outcomes;
mod job_page;
mod lane_rows;
mod newest_runs;
mod planned_jobs;
mod run_number;

mod sight;
mod waiting_list;

pub use self::attention_list::{Attention, COUNTED, SHOWN};
pub use self::attention_rows::{FailedDeployment, FailingJob, LateRun, failed_deployments, failing_jobs, late_runs};
pub use self::found_runs::{FoundRun, RunPage, RunPlace, RunSearch, run_page};
pub use self::job_outcomes::{JobOutcome, job_outcomes};
pub use self::job_page::{JobEntry, JobFilter, JobPosition, job_page};
pub use self::lane_rows::{LaneRows, lane_rows};
pub use self::newest_runs::{RunSummary, newest_runs, success_durations};
pub use self::planned_jobs::{PlannedJob, planned_jobs};
pub use self::sight::Sight;
pub use self::waiting_list::{OpenRun, WaitingJob, running, waiting_jobs};
