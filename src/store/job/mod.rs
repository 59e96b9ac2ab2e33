//! Jobs.

mod configuration_list;
mod cursor;
mod job_answers;
mod job_change;
mod job_list;
mod job_reads;
mod job_view;
mod locked_job;
mod run_subject;

pub use self::configuration_list::{ComparedJob, ComparedPage, Comparison, list_compared};
pub use self::cursor::Cursor;
pub use self::job_answers::{JobAnswer, JobAnswers};
pub use self::job_change::{
    clear_failures, create, create_check, delete, set_built, set_deployed, set_nothing_deployed,
};
pub use self::job_list::{
    any_deployed, by_id, count_by_environment, list_by_environment, list_by_environments, list_by_ids,
    list_by_organization,
};
pub use self::job_view::{JobPlace, JobView, RegistryView, list_views_by_environment, view_by_id};
pub use self::locked_job::{LockedJob, lock};
pub use self::run_subject::{RunSubject, run_subject, run_subjects};
