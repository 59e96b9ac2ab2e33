//! Errors of the Kubernetes API, and what they mean for a step.

use std::error::Error as _;

use crate::runner::interface::Unavailable;

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}

/// The reason to show for an error.
pub(super) fn reason_of(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => {
            let innermost = other.source().map(chain);
            innermost.unwrap_or_else(|| other.to_string())
        }
    }
}

/// The reason for a permanent rejection; none if a retry may succeed.
pub(super) fn refusal(error: &kube::Error) -> Option<String> {
    let kube::Error::Api(status) = error else { return None };
    // A terminating namespace rejects new objects, but the namespace can be created again afterwards.
    let terminating = status.message.contains("being terminated");
    let permanent = matches!(status.code, 400 | 401 | 403 | 405 | 413 | 422) && !terminating;
    permanent.then(|| status.message.clone())
}

pub(super) fn unavailable(error: &kube::Error) -> Unavailable {
    Unavailable(reason_of(error))
}

pub(super) fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Treats an object that is gone as success.
pub(super) fn unless_gone<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if code(&error) == Some(404) => Ok(()),
        Err(error) => Err(error),
    }
}
