//! Steps as plain processes of this machine, each in a scratch folder and a process group of its own.
//!
//! The image and the limits of a step are not used. The folder for outputs is in the scratch folder: where a command
//! names the official one, its place is put in. A process does not outlive the server in this runner's eyes:
//! one that a killed server left behind is ended when its step is asked for, and is lost.

mod launcher;
mod orphan;
mod output_reader;
mod process_runner;
mod process_step;

pub use self::process_runner::ProcessRunner;
