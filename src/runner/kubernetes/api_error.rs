//! What errors of the API of Kubernetes mean.

use std::error::Error as _;

use crate::runner::interface::Unavailable;

/// An error with what is behind it.
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

/// What an error says to its reader.
pub(super) fn reason_of(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => {
            let innermost = other.source().map(chain);
            innermost.unwrap_or_else(|| other.to_string())
        }
    }
}

/// Why something was refused for good; none where asking again later may help.
pub(super) fn refusal(error: &kube::Error) -> Option<String> {
    let kube::Error::Api(status) = error else { return None };
    // A namespace that is going away takes nothing, but comes back.
    let terminating = status.message.contains("being terminated");
    let for_good = matches!(status.code, 400 | 401 | 403 | 405 | 413 | 422) && !terminating;
    for_good.then(|| status.message.clone())
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

/// Lets what is gone be gone.
pub(super) fn unless_gone<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if code(&error) == Some(404) => Ok(()),
        Err(error) => Err(error),
    }
}
