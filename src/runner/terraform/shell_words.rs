//! Pure: words of shell scripts.

/// Quotes a word for the shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Passes the values whose type the module declares, in the environment, which other users of the machine cannot read.
pub(super) fn given(command: &str) -> String {
    format!("export TF_CLI_ARGS_{command}=\"$TF_CLI_ARGS_{command}$options\"\n")
}
