//! Commands: deploy, stop, uninstall, delete, cancel. Each stores a request in one transaction and wakes the engine, which
//! carries it out.

mod cancel;
mod delete;
mod deploy;
mod guard;
mod job_target;
mod queue;

pub use self::cancel::{RunningRuns, cancel_environment, cancel_request};
pub use self::delete::{Removal, delete_environment, delete_jobs, delete_jobs_in};
pub use self::deploy::{
    deploy_selected, deploy_selected_in, request_environment, request_environment_in, request_jobs,
};
pub use self::guard::lock_for_addition;
pub(super) use self::guard::{refuse_while_job_is_deleted, share_for_addition};
pub use self::job_target::JobTarget;
