//! The settings of an agent, besides those that it shares with the server.

use std::path::PathBuf;

use clap::Args;

use super::setting_value::hidden;
use crate::secret::Secret;

/// The variable with the token of an agent.
pub const AGENT_TOKEN: &str = "WINDLASS_AGENT_TOKEN";

/// The settings of an agent.
#[derive(Clone, Debug, Args)]
pub struct AgentOptions {
    /// URL of the server, such as `https://windlass.example.com`.
    #[arg(long, env = "WINDLASS_URL")]
    pub url: String,

    /// Token of the agent. Others on the machine can see the words of a command: use the variable or --token-file.
    #[arg(long, alias = "agent-token", env = AGENT_TOKEN, hide_env_values = true, value_parser = hidden)]
    pub token: Option<Secret<String>>,

    /// File with the token of the agent.
    #[arg(long, env = "WINDLASS_AGENT_TOKEN_FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,

    /// PEM file with certificates to trust in addition to those of the machine.
    #[arg(long, env = "WINDLASS_AGENT_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}
