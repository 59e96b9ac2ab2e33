//! Checks the command of a job.

use entity::job_spec::Command;

use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::Result;

/// Checks a command. The names of its fields begin with `field`.
///
/// # Errors
/// `Invalid` if a text or the list is too long.
pub fn check_command(field: &str, given: Command) -> Result<Command> {
    let Command { entrypoint, arguments } = given;
    let mut faults = Faults::default();
    let entrypoint = entrypoint.map(|program| limits::text(&format!("{field}.entrypoint"), program));
    let arguments = arguments.map(|list| limits::list(&format!("{field}.arguments"), list));
    let command =
        Command { entrypoint: faults.note(entrypoint.transpose()), arguments: faults.note(arguments.transpose()) };
    faults.result().map(|()| command)
}
