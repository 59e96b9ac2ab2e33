//! Steps of Terraform and OpenTofu: the scripts that execute them, and the programs on this machine.

pub mod layout;
pub mod script;
mod script_head;
pub mod tfvars;
pub mod toolbox;
