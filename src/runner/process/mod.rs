//! Steps as plain processes on this machine, each in a scratch folder and a process group of its own.
//!
//! The image and the limits of a step are not used. The output folder is in the scratch folder; references to the
//! official output folder in the command are rewritten. Processes do not outlive the server: one that a killed server left behind
//! is killed when its step is polled, and the step counts as lost.

mod launcher;
mod orphan;
mod output_reader;
mod own_file;
mod private_folder;
mod process_runner;
mod process_step;
mod process_user;

pub use self::process_runner::ProcessRunner;
