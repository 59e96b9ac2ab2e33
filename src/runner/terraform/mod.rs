//! Terraform and OpenTofu steps: their scripts, and the programs on this machine.

pub mod layout;
pub mod script;
mod script_head;
pub mod tfvars;
pub mod toolbox;
pub mod version_range;
