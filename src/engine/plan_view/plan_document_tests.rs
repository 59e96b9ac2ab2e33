//! Tests of reading plans. `tests/it` reads plans that OpenTofu made.

use serde_json::{Value, json};

use super::super::attribute_changes::PlanValue;
use super::*;

fn known(text: &str) -> PlanValue {
    PlanValue::Known(text.into())
}

fn one(change: Value) -> ResourceChange {
    let plan = json!({"format_version": "1.2", "resource_changes": [{"address": "a.b", "change": change}]});
    read(&plan, None).unwrap().resources.remove(0)
}

fn rows(change: &ResourceChange) -> Vec<(&str, &PlanValue, &PlanValue, bool)> {
    change.attributes.iter().map(|row| (row.path.as_str(), &row.old, &row.new, row.forces_replacement)).collect()
}

#[test]
fn changed_attributes_are_listed_and_the_others_not() {
    let found = one(json!({
        "actions": ["delete", "create"],
        "before": {"id": "1", "same": [1, {"x": null}], "ports": [80, 443], "tags": {"a b": "old"}, "gone": true},
        "after": {"same": [1, {"x": null}], "ports": [80, 8443], "tags": {"a b": "new", "more": {"deep": 1}}, "gone": null},
        "after_unknown": {"id": true, "same": [false, {}], "ports": [false, false]},
        "before_sensitive": {}, "after_sensitive": false,
        "replace_paths": [["ports"], ["tags", "a b"]],
    }));
    assert_eq!((found.action, found.creates_first), (PlanAction::Replace, false));
    assert_eq!(
        rows(&found),
        [
            ("gone", &known("true"), &PlanValue::Absent, false),
            ("id", &known("1"), &PlanValue::Unknown, false),
            ("ports[1]", &known("443"), &known("8443"), true),
            ("tags[\"a b\"]", &known("old"), &known("new"), true),
            ("tags.more.deep", &PlanValue::Absent, &known("1"), false),
        ]
    );
}

/// Each value contains a word that may appear nowhere in the answer.
#[test]
fn sensitive_values_are_hidden() {
    for (before_sensitive, after_sensitive) in [
        (json!(true), json!(true)),
        (json!({"a": true, "b": [true, {"c": true}], "d": true}), json!({"a": true, "b": true, "d": true})),
    ] {
        let found = one(json!({
            "actions": ["update"],
            "before": {"a": "hidden-1", "b": ["hidden-2", {"c": "hidden-3"}], "d": "hidden"},
            "after": {"a": "hidden-4", "b": ["hidden-5", {"c": "hidden-6"}, "hidden-7"], "d": "hidden"},
            "after_unknown": {},
            "before_sensitive": before_sensitive, "after_sensitive": after_sensitive,
        }));
        let text = format!("{found:?}");
        assert!(!text.contains("hidden") && text.contains("Sensitive"), "{text}");
    }
    // A value inside that is compared as a whole, because its kind changes.
    let found = one(json!({
        "actions": ["update"], "before": {"a": ["hidden"]}, "after": {"a": {"k": "hidden", "open": 1}}, "after_unknown": {},
        "before_sensitive": {"a": [true]}, "after_sensitive": {"a": {"k": true}},
    }));
    assert_eq!(rows(&found), [("a", &PlanValue::Sensitive, &PlanValue::Sensitive, false)]);
    let outputs = json!({"format_version": "1.2", "output_changes": {
        "password": {"actions": ["create"], "before": null, "after": "hidden", "after_unknown": false, "before_sensitive": true, "after_sensitive": true},
        "address": {"actions": ["update"], "before": "a", "after": "b", "after_unknown": false},
        "same": {"actions": ["no-op"], "before": "a", "after": "a"},
    }});
    let view = read(&outputs, None).unwrap();
    assert_eq!(view.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(), ["address", "password"]);
    assert!(!format!("{view:?}").contains("hidden"));
}

#[test]
fn actions_and_counts() {
    let change = |actions: Value| json!({"actions": actions, "before": null, "after": null});
    let resource = |address: &str, actions: Value| json!({"address": address, "change": change(actions)});
    let mut moved = resource("new", json!(["no-op"]));
    moved["previous_address"] = json!("old");
    let mut imported = resource("imported", json!(["update"]));
    imported["change"]["importing"] = json!({"id": "i"});
    let mut tainted = resource("tainted", json!(["create", "delete"]));
    tainted["action_reason"] = json!("replace_because_tainted");
    let plan = json!({"format_version": "1.2", "errored": true, "resource_changes": [
        resource("a", json!(["create"])), resource("b", json!(["delete"])), resource("c", json!(["no-op"])),
        resource("d", json!(["read"])), resource("e", json!(["forget"])), moved, imported, tainted,
    ]});
    let view = read(&plan, None).unwrap();
    let expected = PlanCounts { add: 2, change: 1, destroy: 2, replace: 1, read: 1, moved: 1, import: 1, forget: 1 };
    assert_eq!(view.counts, expected);
    let last = view.resources.last().unwrap();
    assert_eq!((last.reason.as_deref(), last.creates_first), (Some("the object is tainted"), true));
    assert_eq!(view.resources[4].moved_from.as_deref(), Some("old"));
    assert!(view.errored && !view.more);
}

#[test]
fn large_and_wrong_documents() {
    assert!(read(&json!({"resource_changes": []}), None).is_err());
    assert!(read(&json!([]), None).is_err());
    let many: Vec<Value> =
        (0..1500).map(|number| json!({"address": format!("r.{number}"), "change": {"actions": ["create"]}})).collect();
    let view = read(&json!({"format_version": "1.2", "resource_changes": many}), None).unwrap();
    assert_eq!((view.counts.add, view.resources.len(), view.more), (1500, 1000, true));
    let wide: serde_json::Map<String, Value> =
        (0..300).map(|number| (format!("a{number}"), json!("x".repeat(5000)))).collect();
    let found = one(json!({"actions": ["create"], "before": null, "after": wide}));
    assert_eq!((found.attributes.len(), found.more), (200, true));
    assert!(
        found.attributes.iter().all(|row| matches!(&row.new, PlanValue::Known(text) if text.chars().count() == 2001))
    );
}
