//! The definition of a job: what is valid, and how it is stored. Callers have loaded the job or its environment through `access`.

mod cluster_check;
mod command_check;
mod cron_definition;
mod default_icon;
mod image_source;
mod job_edit;
mod job_number;
mod references;
mod settings_edit;
mod stored_definition;

pub use self::cluster_check::{check_image, check_limits};
pub use self::command_check::check_command;
pub use self::cron_definition::{
    AT_START, DEFAULT_TIMEZONE, NEVER_FIRES, check_cron, check_times, check_times_of, never_fires,
};
pub use self::default_icon::default_icon;
pub use self::image_source::{GivenImage, check_image_source};
pub use self::job_edit::{job_change, or_taken};
pub use self::job_number::{DEFAULT_CPU_MILLI, DEFAULT_MEMORY_MIB, JobNumber};
pub use self::references::{References, check_git_token, check_references};
pub use self::settings_edit::save_settings;
pub use self::stored_definition::{Checked, check, create, update};
