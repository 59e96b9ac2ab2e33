//! The command that a job runs on an event.

use entity::job_spec::Command;
use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::api) enum JobLifecycleTypeEnum {
    Generic,
    Terraform,
    Cloudformation,
}

/// The command that a job runs on one event.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(super) struct JobCommand {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<String>,
}

impl From<Command> for JobCommand {
    fn from(command: Command) -> Self {
        let Command { entrypoint, arguments } = command;
        Self { arguments, entrypoint }
    }
}

/// The command of an event in a history, where `arguments` is always present.
#[derive(Debug, Serialize, Deserialize, Object)]
#[oai(rename = "JobLifecyleSchedule")]
pub(in crate::api) struct JobCommandResponse {
    arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<String>,
}

impl From<Command> for JobCommandResponse {
    fn from(command: Command) -> Self {
        let Command { entrypoint, arguments } = command;
        Self { arguments: arguments.unwrap_or_default(), entrypoint }
    }
}

impl From<JobCommand> for Command {
    fn from(command: JobCommand) -> Self {
        let JobCommand { arguments, entrypoint } = command;
        Self { entrypoint, arguments }
    }
}
