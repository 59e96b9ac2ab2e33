//! Buttons that change something: each is a form of its own.

use maud::{Markup, html};

use super::form;

/// How a button looks, and whether it asks first.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    Main,
    Quiet,
    /// Asks this before it is done.
    Danger(&'static str),
}

/// A form with nothing but a button.
pub(super) fn post_button(csrf: &str, action: &str, label: &str, manner: Manner) -> Markup {
    let (class, question) = match manner {
        Manner::Main => ("", None),
        Manner::Quiet => ("quiet", None),
        Manner::Danger(question) => ("danger", Some(question)),
    };
    form_button(csrf, action, label, class, question)
}

/// A form with nothing but a button of this class. With a question, it asks first.
pub(super) fn form_button(csrf: &str, action: &str, label: &str, class: &str, question: Option<&str>) -> Markup {
    html! {
        form.inline method="post" action=(action) data-confirm=[question] {
            (token(csrf))
            button class=(class) type="submit" { (label) }
        }
    }
}

/// The hidden field without which a form is refused.
pub(super) fn token(csrf: &str) -> Markup {
    html! { input type="hidden" name=(form::TOKEN) value=(csrf); }
}
