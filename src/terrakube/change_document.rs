//! Pure: changes of resources as JSON. Sensitive values are only named as such.

use serde_json::{Value, json};

use crate::engine::plan_view::{AttributeChange, OutputChange, PlanAction, PlanValue, ResourceChange};

fn word(action: PlanAction) -> &'static str {
    match action {
        PlanAction::Create => "created",
        PlanAction::Update => "changed",
        PlanAction::Replace => "replaced",
        PlanAction::Delete => "deleted",
        PlanAction::Read => "read",
        PlanAction::Move => "moved",
        PlanAction::Import => "imported",
        PlanAction::Forget => "forgotten",
    }
}

fn side(value: &PlanValue) -> Value {
    match value {
        PlanValue::Absent => json!({"kind": "absent"}),
        PlanValue::Known(text) => json!({"kind": "known", "value": text}),
        PlanValue::Unknown => json!({"kind": "unknown"}),
        PlanValue::Sensitive => json!({"kind": "sensitive"}),
    }
}

fn attributes(changes: &[AttributeChange]) -> Vec<Value> {
    let one = |change: &AttributeChange| json!({"path": change.path, "before": side(&change.old), "after": side(&change.new)});
    changes.iter().map(one).collect()
}

/// A resource that was changed.
pub(super) fn resource(change: &ResourceChange) -> Value {
    json!({
        "address": change.address,
        "action": word(change.action),
        "note": change.reason,
        "attributes": attributes(&change.attributes),
        "more": change.more,
    })
}

/// An output that was changed.
pub(super) fn output(change: &OutputChange) -> Value {
    json!({"name": change.name, "action": word(change.action), "attributes": attributes(&change.values)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_values_are_only_named() {
        let change = AttributeChange {
            path: "tags.owner".into(),
            old: PlanValue::Sensitive,
            new: PlanValue::Known("b".into()),
            forces_replacement: false,
        };
        let expected =
            json!([{"path": "tags.owner", "before": {"kind": "sensitive"}, "after": {"kind": "known", "value": "b"}}]);
        assert_eq!(json!(attributes(&[change])), expected);
    }
}
