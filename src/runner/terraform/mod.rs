//! A Terraform step: the script that executes it, and the programs found on this machine.

/// The script and the files of a step.
pub mod script;
/// The versions of Terraform and OpenTofu on this machine.
pub mod toolbox;
