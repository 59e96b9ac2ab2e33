//! Errors as pages that say what to do.

use maud::{Markup, html};
use poem::http::StatusCode;

use super::paths::ROOT;
use super::shell::Page;
use crate::error::Error;

/// The status and the page of an error. `wanted` is the page that a reader asked for; none if a form was sent.
pub(super) fn page(error: &Error, wanted: Option<&str>) -> (StatusCode, Page) {
    let (status, title, advice) = match error {
        Error::Invalid { .. } | Error::Faults(_) => {
            (StatusCode::BAD_REQUEST, "This cannot be accepted", "Go back, change it, and send it again.")
        }
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "Sign in first", "Your session has ended."),
        Error::Forbidden(text) if text.starts_with("your role") => (
            StatusCode::FORBIDDEN,
            "Not allowed",
            "An administrator of the organization can give you a role that allows it.",
        ),
        // The text says what would be needed.
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, "Not allowed", ""),
        Error::NotFound(_) => (
            StatusCode::NOT_FOUND,
            "Not found",
            "It was deleted, or you cannot see it: your account may have another role than you expect, or the link is of \
             another server.",
        ),
        Error::Conflict(_) => {
            (StatusCode::CONFLICT, "Not possible now", "Go back, and load the page again to see what has changed.")
        }
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "Too large", "Send less at once."),
        Error::Unavailable { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available now",
            "Nothing was changed. If it stays so for more than a minute, the log of the server says why.",
        ),
        Error::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "Whoever runs the server finds the reason in its log, at this time.",
        ),
    };
    let passes = matches!(error, Error::Unavailable { .. } | Error::Internal(_));
    let text = html! {
        p { (sentence(&error.public())) }
        @if !advice.is_empty() { p { (advice) } }
    };
    (status, of(title, &text, wanted.filter(|_| passes)))
}

/// An address that does not exist.
pub(super) fn no_such_page() -> Page {
    let text = html! { p { "There is no page at this address. Check it, or begin at the overview." } };
    of("Not found", &text, None)
}

fn of(title: &str, text: &Markup, again: Option<&str>) -> Page {
    let body = html! {
        section.fault {
            h1 { (title) }
            (text)
            p.row {
                @if let Some(again) = again { a.button href=(again) { "Try again" } }
                a.button.quiet href=(ROOT) { "Overview" }
            }
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

#[cfg(test)]
mod tests {
    use super::{no_such_page, page};
    use crate::error::Error;

    fn text(error: &Error, wanted: Option<&str>) -> String {
        page(error, wanted).1.body.into_string()
    }

    #[test]
    fn an_error_says_what_to_do() {
        let role = text(&Error::Forbidden("your role does not allow this"), None);
        assert!(role.contains("An administrator of the organization"), "{role}");
        let other = text(&Error::Forbidden("this form is from another session"), None);
        assert!(!other.contains("An administrator"), "{other}");
        assert!(no_such_page().body.into_string().contains("Check it"));
    }

    #[test]
    fn a_page_that_may_come_later_can_be_loaded_again() {
        let down = Error::unavailable("the database cannot be reached; try again", "gone");
        let shown = text(&down, Some("/console/account?a=<"));
        assert!(shown.contains("href=\"/console/account?a=&lt;\">Try again"), "{shown}");
        assert!(shown.contains("The database cannot be reached"), "{shown}");
        assert!(!text(&down, None).contains("Try again<"), "a form is not sent again by a link");
        assert!(!text(&Error::NotFound("job"), Some("/console")).contains("Try again<"));
    }
}
