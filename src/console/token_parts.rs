//! What the pages about tokens and other secrets have in common.

use chrono::{DateTime, NaiveDate, Utc};
use maud::{Markup, html};

use super::form::Form;
use super::problems::Problems;
use super::viewer::Viewer;
use super::when::distance;
use super::widgets::{Field, button};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A token that was created. It is shown once.
pub(super) fn created_token(created: Option<&Secret<String>>, list: &str) -> Markup {
    html! {
        @if let Some(created) = created {
            (shown_once(list, "The token was created. Copy it now: it is not shown again.", created.expose(), None))
        }
    }
}

/// A text with a secret, which is shown once: what it is, the text to copy, and what to do with it. A reload shows the list at this
/// address instead of sending the form again, which would make another secret.
pub(super) fn shown_once(list: &str, said: &str, copied: &str, advice: Option<Markup>) -> Markup {
    html! {
        div.notice role="status" data-reload=(list) {
            p { (said) }
            pre { code { (copied) } }
            @if let Some(advice) = advice { (advice) }
        }
    }
}

pub(super) fn revoke_button(viewer: &Viewer, to: &str, name: &str) -> Markup {
    button(viewer, to, "Revoke", "danger", Some(&format!("Revoke {name}? What uses it stops working at once.")))
}

/// A time that some tokens do not have.
pub(super) fn time(at: Option<DateTime<Utc>>, none: &str, now: DateTime<Utc>) -> Markup {
    html! { @match at { Some(at) => (distance(at, now)), None => span.soft { (none) } } }
}

pub(super) fn end_field(typed: &str, problems: &Problems) -> Markup {
    Field { kind: "date", ..Field::text("expires_at", "Ends on", typed) }
        .hint("Without a date, it ends when the settings of the server say so.")
        .show(problems)
}

/// The end of the day that was chosen.
pub(super) fn chosen_end(form: &Form) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = form.given("expires_at") else { return Ok(None) };
    let day: NaiveDate = text.parse().map_err(|_| Error::invalid("expires_at", "must be a date"))?;
    Ok(day.and_hms_opt(23, 59, 59).map(|end| end.and_utc()))
}
