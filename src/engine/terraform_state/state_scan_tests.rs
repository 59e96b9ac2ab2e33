//! Tests of reading the resources of states, in pieces of any size.

use serde_json::{Value, json};

use super::*;

fn scanned(text: &str, depth: Depth, size: usize) -> Vec<FoundInstance> {
    let mut scan = StateScan::new(depth);
    let mut all = Vec::new();
    for piece in text.as_bytes().chunks(size) {
        scan.push(piece, &mut |one| all.push(one));
    }
    assert!(!scan.is_cut);
    all
}

fn state() -> Value {
    json!({
        "version": 4, "serial": 3, "outputs": {"resources": {"value": [{"instances": [{"index_key": "no"}]}], "type": "x"}},
        "check_results": [{"instances": [{"index_key": 1}]}],
        "resources": [
            {"module": "module.m[\"a\"]", "mode": "managed", "type": "terraform_data", "name": "one",
             "provider": "provider[\"terraform.io/builtin/terraform\"].alias",
             "instances": [
                {"index_key": "k\"} ]", "attributes": {"id": "}]", "instances": [{"index_key": 9}]}},
                {"index_key": 12, "deposed": "abc", "attributes": {"type": "no"}},
                {"index_key": null},
             ]},
            {"mode": "data", "type": "d", "name": "n", "provider": "p", "instances": [{"attributes": {}}]},
            {"mode": "managed", "type": "none", "name": "n", "provider": "p", "instances": []},
        ],
    })
}

#[test]
fn the_instances_of_all_resources_are_found() {
    let text = state().to_string();
    for size in [1, 2, 7, 100_000] {
        let found = scanned(&text, Depth::Names, size);
        let addresses: Vec<&str> = found.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(
            addresses,
            [
                "module.m[\"a\"].terraform_data.one[\"k\\\"} ]\"]",
                "module.m[\"a\"].terraform_data.one[12] (deposed object abc)",
                "module.m[\"a\"].terraform_data.one",
                "data.d.n",
            ]
        );
        let one = &found[0];
        assert_eq!((one.module.as_deref(), one.kind.as_str()), (Some("module.m[\"a\"]"), "terraform_data"));
        assert_eq!((one.mode.as_str(), one.name.as_str()), ("managed", "one"));
        assert_eq!(one.provider, "terraform.io/builtin/terraform");
        assert_eq!((found[3].provider.as_str(), &found[3].module), ("p", &None));
    }
}

/// The keys of JSON have no order. `serde_json` sorts them here, so that the names stand behind the instances.
#[test]
fn texts_are_those_of_the_instances() {
    let text = state().to_string();
    assert!(text.find("\"instances\"") < text.find("\"mode\""));
    for size in [1, 5, 100_000] {
        let texts: Vec<Value> = scanned(&text, Depth::Texts, size)
            .into_iter()
            .map(|one| serde_json::from_slice(&one.text.unwrap()).unwrap())
            .collect();
        let all = state();
        let expected: Vec<Value> = all["resources"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|one| one["instances"].as_array().unwrap().clone())
            .collect();
        assert_eq!(texts, expected);
    }
}

#[test]
fn digests_tell_instances_apart() {
    let of = |value: &str, size: usize| {
        let text = format!(
            "{{\"resources\": [{{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"p\", \"instances\": \
             [{{\"index_key\": 1, \"attributes\": {{\"a\": \"{value}\"}}}}, {{\"index_key\": 2}}]}}]}}"
        );
        scanned(&text, Depth::Digests, size).into_iter().map(|one| one.digest.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("x", 1), of("x", 1000));
    assert_ne!(of("x", 3)[0], of("y", 3)[0]);
    assert_eq!(of("x", 3)[1], of("y", 3)[1]);
}

#[test]
fn what_is_long_or_strange_is_bounded() {
    let long = "x".repeat(5000);
    let text = json!({"resources": [{"mode": "managed", "type": long, "name": "n", "provider": "p", "instances": [{"index_key": long}]}]});
    let found = scanned(&text.to_string(), Depth::Names, 100);
    assert!(found[0].address.len() < 2 * LONGEST_NAME + 50 && found[0].address.contains('…'));
    for text in ["", "[]", "]]}}", "{\"resources\": 1}", "{\"resources\": [1, [2], {\"instances\": {}}]}", "\"\\\""] {
        assert_eq!(scanned(text, Depth::Texts, 1), [], "{text}");
    }
    let mut scan = StateScan::new(Depth::Names);
    let many = format!("{{\"resources\": [{{\"instances\": [{}{{}}]}}]}}", "{},".repeat(MOST_WAITING + 5));
    let mut count = 0;
    scan.push(many.as_bytes(), &mut |_| count += 1);
    assert!(scan.is_cut && count <= MOST_WAITING, "{count}");
}
