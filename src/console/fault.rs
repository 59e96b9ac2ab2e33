//! Errors as pages that say what to do.

use maud::{Markup, html};
use poem::http::StatusCode;

use super::paths::ROOT;
use super::shell::Page;
use crate::error::Error;

/// The status and the page of an error.
pub(super) fn page(error: &Error) -> (StatusCode, Page) {
    let (status, title, advice) = match error {
        Error::Invalid { .. } | Error::Faults(_) => {
            (StatusCode::BAD_REQUEST, "This cannot be accepted", "Go back, change the field, and send it again.")
        }
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "Sign in first", "Your session has ended."),
        Error::Forbidden(_) => (
            StatusCode::FORBIDDEN,
            "Not allowed",
            "An administrator of the organization can give you a role that allows it.",
        ),
        Error::NotFound(_) => {
            (StatusCode::NOT_FOUND, "Not found", "It was deleted, or your role does not let you see it.")
        }
        Error::Conflict(_) => {
            (StatusCode::CONFLICT, "Not possible now", "Load the page again to see what has changed.")
        }
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "Too large", "Send less at once."),
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Not available now", "Try again in a moment."),
        Error::Internal(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", "The log of the server says what.")
        }
    };
    (status, of(title, html! { p { (sentence(&error.public())) } p { (advice) } }))
}

/// An address that does not exist.
pub(super) fn no_such_page() -> Page {
    of("Not found", html! { p { "There is no page at this address." } })
}

fn of(title: &str, text: Markup) -> Page {
    let body = html! {
        section.fault {
            h1 { (title) }
            (text)
            p { a.button href=(ROOT) { "Overview" } }
        }
    };
    Page { title: title.to_owned(), place: None, trail: Vec::new(), body, api: None, live: None }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
