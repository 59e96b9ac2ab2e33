//! What many pages consist of: states, buttons that send a form, and fields with their problems.

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use maud::{Markup, html};

use super::format::{between, duration};
use super::post_button::form_button;
use super::problems::Problems;
use super::shell::{Place, Section};
use super::viewer::Viewer;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// Where a page stands in the navigation.
///
/// # Errors
/// `NotFound` if the organization is gone; database errors.
pub(super) async fn place(app: &App, organization: OrganizationId, section: Section) -> Result<Place> {
    let row = store::organization::by_id(&app.db, organization).await?.ok_or(Error::NotFound("organization"))?;
    Ok(Place { organization, name: row.name, section })
}

/// How long something took, or takes so far.
pub(super) fn took(from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Markup {
    html! {
        @match from {
            Some(from) => (duration(between(from, until.unwrap_or(now)))),
            None => span.soft { "–" },
        }
    }
}

/// A state, in words and as a color.
pub(super) fn state((class, words): (&str, &str)) -> Markup {
    html! { span class={ "state " (class) } { (words) } }
}

/// A button that sends a form with nothing but its token. With a question, it asks first.
pub(super) fn button(viewer: &Viewer, to: &str, words: &str, class: &str, question: Option<&str>) -> Markup {
    form_button(&viewer.csrf, to, words, class, question)
}

/// A field of one line.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'a str,
    pub(super) value: &'a str,
    pub(super) kind: &'static str,
    pub(super) hint: Option<&'a str>,
    pub(super) required: bool,
    /// Whether it may contain a secret, so that the browser does not keep what is typed.
    pub(super) is_secret: bool,
}

impl<'a> Field<'a> {
    /// A field of text.
    pub(super) fn text(name: &'static str, label: &'a str, value: &'a str) -> Self {
        Self { name, label, value, kind: "text", hint: None, required: false, is_secret: false }
    }

    /// One that may contain a secret.
    pub(super) fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// The field with its label and its problem.
    pub(super) fn show(&self, problems: &Problems) -> Markup {
        let Self { name, label, value, kind, hint, required, is_secret } = self;
        let (id, problem) = (format!("field-{name}"), problems.at(name));
        html! {
            div.field {
                label for=(id) { (label) }
                input id=(id) type=(kind) name=(name) value=(value) required[*required] autocomplete="off" data-secret[*is_secret]
                    aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby={ (id) "-note" };
                (note(&id, label, problem.as_deref(), *hint))
            }
        }
    }

    /// The same as a field of several lines.
    pub(super) fn area(&self, problems: &Problems) -> Markup {
        let Self { name, label, value, kind: _, hint, required, is_secret } = self;
        let (id, problem) = (format!("field-{name}"), problems.at(name));
        html! {
            div.field {
                label for=(id) { (label) }
                textarea id=(id) name=(name) required[*required] spellcheck="false" data-secret[*is_secret]
                    aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby={ (id) "-note" } { "\n" (value) }
                (note(&id, label, problem.as_deref(), *hint))
            }
        }
    }
}

fn note(id: &str, label: &str, problem: Option<&str>, hint: Option<&str>) -> Markup {
    html! {
        span id={ (id) "-note" } {
            @if let Some(problem) = problem { span.problem { (label) " " (problem) ". " } }
            @if let Some(hint) = hint { span.hint { (hint) } }
        }
    }
}

/// A choice of one of several values, each with its words.
pub(super) fn choice<'a>(
    name: &'static str,
    label: &str,
    options: impl Iterator<Item = (String, &'a str)>,
    chosen: &str,
    problems: &Problems,
) -> Markup {
    let options: Vec<_> = options.collect();
    let entries = options.iter().map(|(value, words)| Entry { value, words, question: None });
    choice_that_asks(name, label, entries, chosen, problems)
}

/// An entry of a choice.
pub(super) struct Entry<'a> {
    pub(super) value: &'a str,
    pub(super) words: &'a str,
    /// What is asked before a form is sent in which it is chosen.
    pub(super) question: Option<&'a str>,
}

/// The same; some entries ask before the form is sent.
pub(super) fn choice_that_asks<'a>(
    name: &'static str,
    label: &str,
    entries: impl Iterator<Item = Entry<'a>>,
    chosen: &str,
    problems: &Problems,
) -> Markup {
    let (id, problem) = (format!("field-{name}"), problems.at(name));
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby={ (id) "-note" } {
                @for Entry { value, words, question } in entries {
                    option value=(value) selected[value == chosen] data-confirm=[question] { (words) }
                }
            }
            (note(&id, label, problem.as_deref(), None))
        }
    }
}

/// A box to check.
pub(super) fn check(name: &'static str, label: &str, is_checked: bool) -> Markup {
    html! {
        label.check { input type="checkbox" name=(name) value="on" checked[is_checked]; (label) }
    }
}
