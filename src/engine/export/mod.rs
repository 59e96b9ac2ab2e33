//! An environment as a configuration for the official Terraform provider.
//!
//! Applied to another server, the configuration creates the same environment. Values of secrets and IDs of the organization are
//! variables. What the provider has no attribute for is listed in comments at the beginning of `main.tf`.

mod context;
mod exported;
mod hcl;
mod job_block;
mod job_parts;
mod label;
mod manifest;
mod stage_blocks;
mod variable_blocks;

pub use self::exported::{Exported, ExportedJob};
pub use self::manifest::{ManifestFile, manifest};
