//! Terraform and OpenTofu steps: their scripts, and the programs on this machine.

pub mod layout;
pub mod lock_file;
pub mod script;
pub mod script_backend;
mod script_generate;
mod script_head;
mod script_init;
mod shell_words;
pub mod tfvars;
pub mod toolbox;
pub mod version_range;
