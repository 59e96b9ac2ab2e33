//! Runners: they execute steps in a container engine, as processes on this machine, in a Kubernetes cluster, or by agents.
//!
//! The name of a step is derived from its run: starting a step is idempotent, and a restarted server finds its steps
//! again.

pub mod agent;
pub mod archive_file;
pub mod built_name;
pub mod docker;
mod image_build;
mod interface;
pub mod kubernetes;
mod line;
mod line_buffer;
mod line_splitter;
mod log_position;
mod memory;
mod output_file;
pub mod process;
mod runners;
pub mod source_archive;
mod step_spec;
mod step_state;
pub mod terraform;
pub mod time_limit;
mod upload;

pub use self::image_build::{Build, Dockerfile};
pub use self::interface::{OutputError, Runner, Target, Unavailable};
pub use self::line::{BATCH_BYTES, LINE_BYTES, Line, Lines, Stream};
pub use self::output_file::{OUTPUT_BYTES, OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE};
pub use self::runners::Runners;
pub use self::step_spec::{Credentials, Image, ProcessOptions, SourceTree, StepFile, StepSpec, StepTool};
pub use self::step_state::{StepState, StepTimes};
pub use self::upload::{Upload, UploadWriter};
