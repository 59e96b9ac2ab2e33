//! Templates of workspace jobs, pure.

mod defaults;
mod flow_step;
mod needs;
mod parse;

pub use self::defaults::{APPLY, CLI_APPLY, CLI_DESTROY, DEFAULTS, DefaultTemplate, PLAN, TERRAFORM_CLI, is_default};
pub use self::flow_step::{Command, FlowStep, FlowType, ImportCommands, Runtime, ScheduledTemplate};
pub use self::needs::{destroys, refusal, writes_state};
pub use self::parse::{TemplateError, parse, parse_commands, refuse_logins};
