//! Pure: reads the JSON form of a plan (`show -json`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attribute_changes::{AttributeChange, Change, changes};
use super::hidden_texts::HiddenTexts;
use crate::engine::masking::Masker;

/// The most resources, and the most attributes of one.
const MOST_RESOURCES: usize = 1000;
const MOST_ATTRIBUTES: usize = 200;

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PlanAction {
    Create,
    Update,
    /// Deleted and created again.
    Replace,
    Delete,
    /// A data source is read during the apply.
    Read,
    /// Only the address changes.
    Move,
    /// Only taken into the state.
    Import,
    /// Removed from the state, and kept where it is.
    Forget,
}

/// A resource that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    pub address: String,
    /// The address so far, if it changes.
    pub moved_from: Option<String>,
    pub action: PlanAction,
    /// Whether the object exists already, and is taken into the state.
    pub is_imported: bool,
    /// Why, in words, if the plan says so.
    pub reason: Option<String>,
    /// For a replacement: whether the new one is created before the old one is deleted.
    pub creates_first: bool,
    pub attributes: Vec<AttributeChange>,
    /// Whether more attributes change than are listed.
    pub more: bool,
}

/// An output that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChange {
    pub name: String,
    pub action: PlanAction,
    pub values: Vec<AttributeChange>,
}

/// The number of resources by what happens to them. A replacement counts as one to add and one to destroy, as in the words of the tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    pub add: usize,
    pub change: usize,
    pub destroy: usize,
    pub replace: usize,
    pub read: usize,
    pub moved: usize,
    pub import: usize,
    pub forget: usize,
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    pub counts: PlanCounts,
    pub resources: Vec<ResourceChange>,
    pub outputs: Vec<OutputChange>,
    /// What was changed outside of the tool.
    pub drift: Vec<ResourceChange>,
    /// Whether the plan is incomplete because of errors.
    pub errored: bool,
    /// Whether more resources change than are listed; the counts are complete.
    pub more: bool,
}

/// Reads a plan. What `masker` masks is hidden, and what the plan marks as sensitive.
///
/// # Errors
/// If it is not the JSON form of a plan; the text says what is missing.
pub fn read(plan: &Value, masker: Option<&Masker>) -> Result<PlanView, &'static str> {
    if plan.get("format_version").and_then(Value::as_str).is_none() {
        return Err("format_version is missing; the document must be the output of `show -json` for a plan");
    }
    let list = |key: &str| plan.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let hidden = HiddenTexts::of(plan, masker);
    let (mut view, mut left) = (PlanView::default(), MOST_RESOURCES);
    for resource in list("resource_changes") {
        let Some(action) = action(resource) else { continue };
        view.counts.add(action, is_imported(resource));
        if left == 0 {
            view.more = true;
            continue;
        }
        left -= 1;
        view.resources.push(resource_change(resource, action, &hidden));
    }
    for resource in list("resource_drift").iter().take(MOST_RESOURCES) {
        view.drift.extend(action(resource).map(|action| resource_change(resource, action, &hidden)));
    }
    let outputs = plan.get("output_changes").and_then(Value::as_object);
    for (name, change) in outputs.into_iter().flatten().take(MOST_RESOURCES) {
        let Some(action) = of_actions(change) else { continue };
        view.outputs.push(OutputChange {
            name: hidden.covered(name.clone()),
            action,
            values: attributes(change, &hidden).0,
        });
    }
    view.errored = plan.get("errored").and_then(Value::as_bool).unwrap_or(false);
    Ok(view)
}

impl PlanCounts {
    fn add(&mut self, action: PlanAction, is_imported: bool) {
        match action {
            PlanAction::Create => self.add += 1,
            PlanAction::Update => self.change += 1,
            PlanAction::Replace => {
                self.add += 1;
                self.destroy += 1;
                self.replace += 1;
            }
            PlanAction::Delete => self.destroy += 1,
            PlanAction::Read => self.read += 1,
            PlanAction::Move => self.moved += 1,
            PlanAction::Import => {}
            PlanAction::Forget => self.forget += 1,
        }
        self.import += usize::from(is_imported);
    }
}

fn is_imported(resource: &Value) -> bool {
    resource.pointer("/change/importing").is_some_and(Value::is_object)
}

/// What happens to a resource; none if nothing does.
fn action(resource: &Value) -> Option<PlanAction> {
    let change = resource.get("change")?;
    of_actions(change).or_else(|| {
        if resource.get("previous_address").is_some_and(Value::is_string) {
            Some(PlanAction::Move)
        } else {
            change.get("importing").filter(|importing| importing.is_object()).map(|_| PlanAction::Import)
        }
    })
}

fn of_actions(change: &Value) -> Option<PlanAction> {
    let actions: Vec<&str> = change.get("actions")?.as_array()?.iter().filter_map(Value::as_str).collect();
    match actions.as_slice() {
        ["create"] => Some(PlanAction::Create),
        ["update"] => Some(PlanAction::Update),
        ["delete"] => Some(PlanAction::Delete),
        ["read"] => Some(PlanAction::Read),
        ["forget"] => Some(PlanAction::Forget),
        ["delete", "create"] | ["create", "delete"] | ["create", "forget"] => Some(PlanAction::Replace),
        _ => None,
    }
}

fn resource_change(resource: &Value, action: PlanAction, hidden: &HiddenTexts<'_>) -> ResourceChange {
    let text = |key: &str| resource.get(key).and_then(Value::as_str).map(str::to_owned);
    let change = resource.get("change").unwrap_or(&Value::Null);
    let (attributes, more) = attributes(change, hidden);
    let first = change.pointer("/actions/0").and_then(Value::as_str);
    let deposed = text("deposed").map(|key| format!(" (deposed object {key})")).unwrap_or_default();
    ResourceChange {
        address: hidden.covered(format!("{}{deposed}", text("address").unwrap_or_default())),
        moved_from: text("previous_address").map(|address| hidden.covered(address)),
        action,
        is_imported: is_imported(resource),
        reason: text("action_reason").map(|reason| reason_words(&reason)),
        creates_first: action == PlanAction::Replace && first == Some("create"),
        attributes,
        more,
    }
}

fn attributes(change: &Value, hidden: &HiddenTexts<'_>) -> (Vec<AttributeChange>, bool) {
    let part = |key: &str| change.get(key).unwrap_or(&Value::Null);
    let change = Change {
        before: part("before"),
        after: part("after"),
        after_unknown: part("after_unknown"),
        before_sensitive: part("before_sensitive"),
        after_sensitive: part("after_sensitive"),
        replace_paths: part("replace_paths").as_array().map(Vec::as_slice).unwrap_or_default(),
        hidden,
    };
    changes(&change, MOST_ATTRIBUTES)
}

/// The reasons that the tools give, in words. One that is not known here is shown as it is.
fn reason_words(reason: &str) -> String {
    match reason {
        "replace_because_tainted" => "the object is tainted",
        "replace_because_cannot_update" => "an attribute cannot be changed in place",
        "replace_by_request" => "the replacement was requested",
        "replace_by_triggers" => "a value in replace_triggered_by changes",
        "delete_because_no_resource_config" => "the configuration no longer has this resource",
        "delete_because_wrong_repetition" => "the configuration uses count or for_each differently",
        "delete_because_count_index" => "the index is beyond count",
        "delete_because_each_key" => "the key is not in for_each",
        "delete_because_no_module" => "the module is no longer in the configuration",
        "delete_because_no_move_target" => "the resource was moved to an address that is not in the configuration",
        "read_because_config_unknown" => "the configuration is known only after apply",
        "read_because_dependency_pending" => "a change of this plan comes first",
        "read_because_check_nested" => "the data source belongs to a check",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
#[path = "plan_document_tests.rs"]
mod tests;
