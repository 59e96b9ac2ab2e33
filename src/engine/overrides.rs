//! Checks what somebody gives a single run.

use std::collections::BTreeMap;

use super::limits;
use super::manual::RunOverrides;
use crate::error::{Error, Result};

/// Checks the settings that one run overrides.
///
/// # Errors
/// `Invalid`.
pub fn check_overrides(given: RunOverrides) -> Result<RunOverrides> {
    let RunOverrides { entrypoint, arguments, environment, secret_environment, image_tag, timeout_seconds } = given;
    let environment = self::environment("environment", environment)?;
    let secret_environment = self::environment("secret_environment", secret_environment)?;
    if let Some(name) = secret_environment.keys().find(|name| environment.contains_key(*name)) {
        return Err(Error::invalid(format!("secret_environment.{name}"), "must not be in environment as well"));
    }
    Ok(RunOverrides {
        entrypoint: entrypoint.map(|text| limits::text("entrypoint", text)).transpose()?,
        arguments: arguments.map(|list| limits::list("arguments", list)).transpose()?,
        environment,
        secret_environment,
        image_tag: image_tag.map(|tag| limits::image_tag("image_tag", &tag)).transpose()?,
        timeout_seconds: timeout_seconds
            .map(|seconds| limits::between("timeout_seconds", seconds, 0, i32::MAX))
            .transpose()?,
    })
}

/// Checks environment variables: their names must be valid in a shell.
fn environment(field: &str, given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    if given.len() > limits::ITEMS {
        return Err(Error::invalid(field, format!("must have at most {} variables", limits::ITEMS)));
    }
    let checked = |(name, value): (String, String)| {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || name.is_empty() || name.len() > limits::NAME || name.starts_with(|c: char| c.is_ascii_digit()) {
            let shown: String = name.chars().take(40).collect();
            return Err(Error::invalid(field, format!("{shown:?} is not a valid variable name")));
        }
        let value = limits::text(&format!("{field}.{name}"), value)?;
        Ok((name, value))
    };
    given.into_iter().map(checked).collect()
}
