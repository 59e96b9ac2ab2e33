//! Deployments and the parts of jobs in them.

mod deployment_list;
mod deployment_retention;
mod part_list;
mod part_progress;
mod progress;
mod queue;

pub use self::deployment_list::{
    count_by_progress, count_open_by_environment, is_environment_being_deleted, list_newest, list_open,
    newest_by_environment,
};
pub use self::deployment_retention::{delete, list_expired};
pub use self::part_list::{
    Part, count_open_by_job, list_newest_parts, list_parts, list_parts_by_keys, list_parts_of, list_queued_parts,
    newest_part_by_job, newest_parts_by_environment, newest_unforced_parts, was_started,
};
pub use self::part_progress::{add_parts, advance_part, set_build, set_commit, set_spec};
pub use self::progress::{advance, create, give_up, request_cancel};
pub use self::queue::{due, is_due, list_ready};
