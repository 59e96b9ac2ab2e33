//! A plan as a difference: what happens to which resource, why, and to which of its values.

use maud::{Markup, html};

use crate::console::widgets::state;
use crate::engine::opened_plan::ShownPlan;
use crate::engine::plan_view::{
    AttributeChange, OutputChange, PlanAction, PlanCounts, PlanValue, PlanView, ResourceChange,
};

/// Up to how many changes are unfolded.
const UNFOLDED: usize = 20;

/// The plan of a step. `key` begins the ids of what can be unfolded, so that an open page keeps it unfolded.
pub(super) fn plan(shown: &ShownPlan, key: &str) -> Markup {
    html! {
        section.card aria-label="Plan" {
            h4 { "Plan" }
            @match shown {
                ShownPlan::TooLarge => p { "The plan is too large to show here. The log of the step has it." },
                ShownPlan::Plan(view) => (difference(view, key)),
            }
        }
    }
}

fn difference(view: &PlanView, key: &str) -> Markup {
    html! {
        p { strong { (summary(view)) } }
        (changes(view, key))
    }
}

/// All that changes, without numbers.
pub(super) fn changes(view: &PlanView, key: &str) -> Markup {
    let is_open = view.resources.len() + view.outputs.len() <= UNFOLDED;
    html! {
        @if view.errored { p.problem { "The plan is incomplete, because it failed. The log says why." } }
        @for (change, place) in view.resources.iter().zip(1..) { (resource(change, is_open, &format!("{key}-change-{place}"))) }
        @if view.more { p.soft { "There are more changes than are shown here." } }
        @if !view.outputs.is_empty() {
            details id={ (key) "-outputs" } open[is_open] {
                summary { "Outputs" }
                (attributes(&view.outputs.iter().flat_map(of_output).collect::<Vec<_>>()))
            }
        }
        @if !view.drift.is_empty() {
            details id={ (key) "-drift" } open[view.drift.len() <= UNFOLDED] {
                summary { (state(("queued", "drift"))) " " (drift_words(view.drift.len())) }
                @for (change, place) in view.drift.iter().zip(1..) { (resource(change, false, &format!("{key}-drift-{place}"))) }
            }
        }
    }
}

/// Resources that were changed, each with its values.
pub(super) fn changed_resources(changes: &[ResourceChange], key: &str) -> Markup {
    html! {
        @for (change, place) in changes.iter().zip(1..) { (resource(change, changes.len() <= UNFOLDED, &format!("{key}-{place}"))) }
    }
}

/// How many resources were changed outside of the tool.
pub(super) fn drift_words(count: usize) -> String {
    match count {
        1 => "1 resource was changed outside of the tool".to_owned(),
        count => format!("{count} resources were changed outside of the tool"),
    }
}

/// What the plan does, in numbers.
fn summary(view: &PlanView) -> String {
    let PlanCounts { add, change, destroy, replace, read, moved, import, forget } = view.counts;
    let mut parts = vec![format!("{add} to add, {change} to change, {destroy} to destroy")];
    let more =
        [(replace, "replaced"), (import, "to import"), (forget, "to forget"), (moved, "moved"), (read, "to read")];
    parts.extend(more.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")));
    if [add, change, destroy, read, moved, import, forget].iter().all(|count| *count == 0) {
        return if view.outputs.is_empty() { "No changes.".into() } else { "Only outputs change.".into() };
    }
    format!("{}.", parts.join(", "))
}

/// The class and the word of an action.
fn word(action: PlanAction) -> (&'static str, &'static str) {
    match action {
        PlanAction::Create => ("ok", "add"),
        PlanAction::Update => ("running", "change"),
        PlanAction::Replace => ("failed", "replace"),
        PlanAction::Delete => ("failed", "destroy"),
        PlanAction::Read => ("queued", "read"),
        PlanAction::Move => ("running", "move"),
        PlanAction::Import => ("ok", "import"),
        PlanAction::Forget => ("cancelled", "forget"),
    }
}

fn resource(change: &ResourceChange, is_open: bool, id: &str) -> Markup {
    html! {
        details id=(id) open[is_open] {
            summary { (state(word(change.action))) " " code { (change.address) } }
            @if let Some(from) = &change.moved_from { p { "Moved from " code { (from) } "." } }
            @if change.is_imported { p { "The object exists already, and is taken into the state." } }
            @if let Some(reason) = &change.reason { p { "Reason: " (reason) "." } }
            @if change.creates_first { p { "The new object is created before the old one is destroyed." } }
            @if !change.attributes.is_empty() { (attributes(&change.attributes.iter().collect::<Vec<_>>())) }
            @if change.more { p.soft { "More values change than are shown here." } }
        }
    }
}

fn of_output(output: &OutputChange) -> impl Iterator<Item = AttributeChange> {
    let named = |value: &AttributeChange| {
        let point = if value.path.is_empty() || value.path.starts_with('[') { "" } else { "." };
        AttributeChange { path: format!("{}{point}{}", output.name, value.path), ..value.clone() }
    };
    output.values.iter().map(named).collect::<Vec<_>>().into_iter()
}

fn attributes(rows: &[impl std::borrow::Borrow<AttributeChange>]) -> Markup {
    html! {
        div.scroll { table.stacked {
            thead { tr { th scope="col" { "Value" } th scope="col" { "Before" } th scope="col" { "After" } } }
            tbody { @for row in rows { @let row = row.borrow(); tr {
                td data-label="Value" {
                    code { @if row.path.is_empty() { "(all)" } @else { (row.path) } }
                    @if row.forces_replacement { " " (state(("failed", "forces replacement"))) }
                }
                td data-label="Before" { (value(&row.old)) }
                td data-label="After" { (value(&row.new)) }
            } } }
        } }
    }
}

fn value(value: &PlanValue) -> Markup {
    html! {
        @match value {
            PlanValue::Absent => span.soft { "–" },
            PlanValue::Known(text) => code { (text) },
            PlanValue::Unknown => span.soft { "known after apply" },
            PlanValue::Sensitive => span.soft { "sensitive" },
        }
    }
}
