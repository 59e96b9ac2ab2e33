//! Steps as plain processes on this machine, each in a scratch folder and a process group of its own.
//!
//! The image and the limits of a step are not used. The output folder is in the scratch folder; references to the
//! official output folder in the command are rewritten. Between the server and each step is a supervisor (`supervisor`), which ends
//! everything that the step has started, and which does not outlive the server. The step of a killed server counts as lost.

mod control_group;
mod descendants;
mod launcher;
mod orphan;
mod output_reader;
mod own_file;
mod private_folder;
mod process_runner;
mod process_step;
mod process_user;
mod report;
mod scratch_folders;
mod spawn_steps;
mod spawner;
mod step_order;
mod step_request;
mod supervisor;
mod supervisors;

pub use self::process_runner::ProcessRunner;
pub use self::process_user::{check_default_user, runs_as_root};
pub use self::spawn_steps::{SPAWN_STEPS, spawn_steps};
