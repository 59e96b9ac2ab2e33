//! Tests of comparing two versions of a state.

use serde_json::{Value, json};

use super::*;
use crate::engine::plan_view::{AttributeChange, PlanAction, PlanValue};

fn instance(attributes: Value, sensitive: Value) -> Side {
    Side::Instance(json!({"schema_version": 0, "attributes": attributes, "sensitive_attributes": sensitive}))
}

fn pair(before: Side, after: Side) -> InstancePair {
    InstancePair { address: "a.b".into(), before, after }
}

fn rows(view: &PlanView) -> Vec<(String, PlanAction, Vec<&AttributeChange>)> {
    view.resources.iter().map(|one| (one.address.clone(), one.action, one.attributes.iter().collect())).collect()
}

fn known(text: &str) -> PlanValue {
    PlanValue::Known(text.into())
}

#[test]
fn resources_are_created_changed_and_deleted() {
    let side = |size: i64| instance(json!({"id": "1", "size": size, "tags": {"a": "x"}}), json!([]));
    let all =
        [pair(Side::Absent, side(1)), pair(side(1), side(2)), pair(side(2), Side::Absent), pair(side(3), side(3))];
    let view = difference(&all, &[], None).unwrap();
    let rows = rows(&view);
    assert_eq!(
        rows.iter().map(|(_, action, _)| *action).collect::<Vec<_>>(),
        [PlanAction::Create, PlanAction::Update, PlanAction::Delete]
    );
    assert_eq!((view.counts.add, view.counts.change, view.counts.destroy), (1, 1, 1));
    let changed = &rows[1].2;
    assert_eq!((changed.len(), changed[0].path.as_str()), (1, "size"));
    assert_eq!((&changed[0].old, &changed[0].new), (&known("1"), &known("2")));
    assert_eq!(rows[0].2.len(), 3);
}

/// Each secret contains a word that may appear nowhere in the answer.
#[test]
fn sensitive_values_are_hidden() {
    let path = |steps: Value| json!([steps]);
    let attribute = |name: &str| json!({"type": "get_attr", "value": name});
    let index = |value: Value, kind: &str| json!({"type": "index", "value": {"value": value, "type": kind}});
    for (sensitive, key) in [
        (path(json!([attribute("a")])), "a"),
        (path(json!([attribute("list"), index(json!(0), "number"), attribute("x")])), "list"),
        (path(json!([attribute("map"), index(json!("k"), "string")])), "map"),
        (path(json!([attribute("list"), index(json!("no"), "string")])), "list"),
        (path(json!([])), "a"),
    ] {
        let of = |word: &str| {
            let value = match key {
                "a" => json!(word),
                "list" => json!([{"x": word, "y": 1}]),
                _ => json!({"k": word}),
            };
            instance(json!({key: value, "copy": format!("copy of {word}"), "open": "seen"}), sensitive.clone())
        };
        let view = difference(&[pair(of("hidden-1"), of("hidden-2")), pair(Side::Absent, of("hidden-1"))], &[], None);
        let text = format!("{:?}", view.unwrap());
        assert!(!text.contains("hidden") && text.contains("Sensitive"), "{sensitive}: {text}");
    }
    let side = |word: &str| instance(json!({"a": word, "open": "seen"}), path(json!([attribute("a")])));
    let view = difference(&[pair(Side::Absent, side("hidden-1"))], &[], None).unwrap();
    assert!(format!("{view:?}").contains("seen"));
    let side = |word: &str| instance(json!({"db": [{"master_Password": word, "token_count": 3}]}), json!([]));
    let view = difference(&[pair(side("hidden-1"), side("hidden-2"))], &[], None).unwrap();
    assert!(!format!("{view:?}").contains("hidden"));
    let masker = Masker::new(&["of-a-variable".to_owned()]);
    let side = |word: &str| instance(json!({"a": format!("{word} of-a-variable")}), json!([]));
    let view = difference(&[pair(side("x"), side("y"))], &[], Some(&masker)).unwrap();
    assert!(!format!("{view:?}").contains("of-a-variable"));
}

#[test]
fn outputs_and_what_cannot_be_compared() {
    let output = |name: &str, before: Option<(Value, bool)>, after: Option<(Value, bool)>| OutputPair {
        name: name.into(),
        before,
        after,
    };
    let outputs = [
        output("same", Some((json!("hidden-same"), true)), Some((json!("hidden-same"), true))),
        output("key", Some((json!("hidden-1"), true)), Some((json!("hidden-2"), true))),
        output("size", Some((json!(1), false)), Some((json!(2), false))),
        output("gone", Some((json!(1), false)), None),
    ];
    let side = |word: &str| instance(json!({"a": word}), json!([]));
    let large = pair(Side::TooLarge, side("x"));
    let repeated = pair(side("x"), side("has hidden-same"));
    let view = difference(&[large, repeated], &outputs, None).unwrap();
    let names: Vec<&str> = view.outputs.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["gone", "key", "size"]);
    assert!(!format!("{view:?}").contains("hidden"));
    assert!(view.resources[0].reason.as_deref().unwrap().contains("too large"));
    let status = |word: &str| Side::Instance(json!({"status": word, "attributes": {}}));
    let view =
        difference(&[pair(status(""), status("tainted")), pair(status("tainted"), status(""))], &[], None).unwrap();
    let notes: Vec<_> = view.resources.iter().map(|one| one.reason.as_deref().unwrap()).collect();
    assert_eq!(notes, ["the resource is tainted now", "the resource is not tainted any more"]);
}
