//! Errors of the official fields, under the names that a declaration has for them.

use crate::error::Error;
use crate::input::Refusal;

/// The error, with its fields renamed.
pub(super) fn renamed(error: Error, name: impl Fn(&str) -> String) -> Error {
    match error {
        Error::Invalid { field, message } => Error::Invalid { field: name(&field), message },
        Error::Faults(faults) => {
            let rename = |Refusal { field, message }| Refusal { field: name(&field), message };
            Error::Faults(faults.into_iter().map(rename).collect())
        }
        other => other,
    }
}

/// The error, with its fields below `at`.
pub(super) fn below(at: &str, error: Error) -> Error {
    renamed(error, |field| format!("{at}.{}", own_name(field)))
}

/// What a declaration calls an official field.
fn own_name(field: &str) -> &str {
    match field {
        "max_nb_restart" => "retries",
        "schedule.cronjob.scheduled_at" => "schedule",
        "schedule.cronjob.timezone" => "timezone",
        "schedule.cronjob.entrypoint" => "entrypoint",
        "source" => "image",
        field => field.strip_prefix("schedule.cronjob.arguments").map_or(field, |_| "command"),
    }
}
