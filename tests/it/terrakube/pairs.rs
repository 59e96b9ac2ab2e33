//! What the real Terrakube server answered, held against this server. The pairs, in `pairs/*.json`, are requests in an order, each
//! with the status and the shape of the real answer: which resources it names, in which order if one was asked for, what it
//! includes, and some values.
//!
//! A pair that differs on purpose has our answer too, and the decision of docs/compatibility-terrakube.md that explains it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::House;
use crate::harness::Client;

/// The page that may call both servers from a browser.
const ORIGIN: &str = "http://localhost:3000";
/// Who created the rows of the real server, and those of ours.
const AUTHORS: (&str, &str) = ("mail@example.com", "test");
const MEDIA: &str = "application/vnd.api+json";

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn table(name: &str) -> Value {
    serde_json::from_str(&file(&format!("tests/it/terrakube/pairs/{name}.json"))).unwrap()
}

/// The rows of a table of pairs, apart from its first one, which is a comment.
fn rows(name: &str) -> Vec<Value> {
    table(name).as_array().unwrap().iter().skip(1).cloned().collect()
}

/// Puts the ids of earlier answers into a text, for `{name}`.
fn filled(value: &Value, ids: &BTreeMap<String, String>) -> Value {
    let mut text = value.to_string();
    for (name, id) in ids {
        text = text.replace(&format!("{{{name}}}"), id);
    }
    serde_json::from_str(&text.replace(AUTHORS.0, AUTHORS.1)).unwrap()
}

/// Percent-encodes what a URL cannot contain.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?&=%[]()'*:;,+!@$".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The type of a resource, and the name under which its id is known, or its own.
fn label(resource: &Value, ids: &BTreeMap<String, String>) -> String {
    let id = resource["id"].as_str().unwrap_or_default();
    let known = ids.iter().find(|(_, known)| *known == id).map(|(name, _)| name.as_str());
    let attribute = |name: &str| resource["attributes"][name].as_str();
    let name = known.or(attribute("name")).or(attribute("key")).unwrap_or("*");
    format!("{} {name}", resource["type"].as_str().unwrap_or_default())
}

fn labels(data: &Value, ids: &BTreeMap<String, String>, ordered: bool) -> Value {
    let Some(list) = data.as_array() else {
        return if data.is_null() { Value::Null } else { json!(label(data, ids)) };
    };
    let mut all: Vec<String> = list.iter().map(|one| label(one, ids)).collect();
    if !ordered {
        all.sort();
    }
    json!(all)
}

/// The shape of a relationship, as in `types.json`.
fn arity(relationship: &Value) -> &'static str {
    if relationship["data"].is_array() { "many" } else { "one" }
}

/// What a resource object lacks of the real one.
fn lacking(resource: &Value, types: &Value) -> Vec<String> {
    let kind = resource["type"].as_str().unwrap();
    let real = &types[kind];
    let mut lacks = Vec::new();
    for (name, expected) in real["attributes"].as_object().into_iter().flatten() {
        let value = resource["attributes"].get(name);
        let fits = value.is_some_and(|value| match expected.as_str().unwrap() {
            _ if value.is_null() => true,
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64(),
            "array" => value.is_array(),
            _ => true,
        });
        if !fits {
            lacks.push(format!("{kind}.{name} is {value:?}, not {expected}"));
        }
    }
    for (name, expected) in real["relationships"].as_object().into_iter().flatten() {
        let value = resource["relationships"].get(name);
        if value.is_none_or(|value| arity(value) != *expected) {
            lacks.push(format!("{kind}.{name} is not {expected}"));
        }
    }
    lacks
}

struct Walk {
    house: House,
    ids: BTreeMap<String, String>,
    types: Value,
}

impl Walk {
    async fn new() -> Self {
        let app = crate::harness::TestApp::configured(|config| config.cors_origins = vec![ORIGIN.into()]).await;
        let house = House::of(app).await;
        let ids = BTreeMap::from([("o".to_owned(), house.organization.to_string())]);
        Self { house, ids, types: table("types") }
    }

    async fn caller(&self, name: Option<&str>) -> Client {
        match name {
            None => self.house.client.clone(),
            Some("nobody") => self.house.client.with(None),
            Some(group) => self.house.of_groups(&[group]).await,
        }
    }

    /// Sends the request of a pair, and describes the answer as the table does.
    async fn ask(&mut self, pair: &Value) -> (Value, Vec<String>) {
        let asked = pair["ask"].as_str().unwrap();
        let (method, path) = asked.split_once(' ').unwrap();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") };
        let path = filled(&json!(path), &self.ids);
        let body = pair.get("body").map(|body| match filled(body, &self.ids) {
            Value::String(text) => text,
            body => body.to_string(),
        });
        let given = filled(pair.get("with").unwrap_or(&json!({})), &self.ids);
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if body.is_some() && given.get("Content-Type").is_none() {
            headers.push(("Content-Type", MEDIA));
        }
        headers.extend(
            given.as_object().unwrap().iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))),
        );
        let mut caller = self.caller(pair["as"].as_str()).await;
        if given.get("Authorization").is_some() {
            caller = caller.with(None);
        }
        let answer = caller.whole(method, &encoded(path.as_str().unwrap()), body.as_deref(), &headers).await;
        let document: Value = serde_json::from_str(&answer.2).unwrap_or_default();
        if let (Some(name), 201) = (pair["keep"].as_str(), answer.0) {
            self.ids.insert(name.to_owned(), document["data"]["id"].as_str().unwrap().to_owned());
        }
        self.described(pair, method, (answer.0, &answer.1), &answer.2, &document)
    }

    fn described(
        &self,
        pair: &Value,
        method: &str,
        (status, headers): (u16, &poem::http::HeaderMap),
        text: &str,
        document: &Value,
    ) -> (Value, Vec<String>) {
        let mut seen = Map::from_iter([("status".to_owned(), json!(status))]);
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if ["HEAD", "OPTIONS"].contains(&method) || pair["with"].get("Origin").is_some() {
            let mut named = Map::new();
            if let Some(allow) = header("allow") {
                named.insert("allow".into(), json!(allow.split(',').map(str::trim).collect::<BTreeSet<_>>()));
            }
            for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
                named.extend(header(name).map(|value| (name.to_owned(), json!(value))));
            }
            if !named.is_empty() {
                seen.insert("headers".into(), json!(named));
            }
        }
        let media = header("content-type").unwrap_or_default();
        if method == "HEAD" || text.is_empty() {
            return (json!(seen), Vec::new());
        }
        let last = document.as_array().and_then(|list| list.last()).unwrap_or(document);
        if last.get("errors").is_some() {
            assert!(last["errors"][0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{text}");
            assert!(media.starts_with(MEDIA), "{media}");
            seen.insert("errors".into(), json!(true));
            return (json!(seen), Vec::new());
        }
        if !media.starts_with(MEDIA) {
            let kind = ["json", "html"].into_iter().find(|kind| media.contains(kind)).unwrap_or("text");
            seen.insert("media".into(), json!(kind));
            return (json!(seen), Vec::new());
        }
        let mut lacks = Vec::new();
        self.describe_document(pair, document, &mut seen, &mut lacks);
        (json!(seen), lacks)
    }

    fn describe_document(
        &self,
        pair: &Value,
        document: &Value,
        seen: &mut Map<String, Value>,
        lacks: &mut Vec<String>,
    ) {
        let asked = pair["ask"].as_str().unwrap();
        if let Some(results) = document["atomic:results"].as_array() {
            let all: Vec<Value> = results.iter().map(|result| labels(&result["data"], &self.ids, true)).collect();
            seen.insert("results".into(), json!(all));
            return;
        }
        let data = &document["data"];
        let ordered = asked.contains("sort");
        seen.insert("data".into(), labels(data, &self.ids, ordered && pair["unordered"] != true));
        let first = if data.is_array() { &data[0] } else { data };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let sparse: Vec<&str> = asked.split("fields[").skip(1).filter_map(|rest| rest.split(']').next()).collect();
        for resource in list(data).into_iter().chain(document["included"].as_array().into_iter().flatten().cloned()) {
            let whole = resource["attributes"].is_object() && !sparse.contains(&resource["type"].as_str().unwrap());
            if whole {
                lacks.extend(lacking(&resource, &self.types));
            }
        }
        let members = |name: &str| first[name].as_object().cloned().unwrap_or_default();
        if pair["full"] == true && !data.is_array() {
            seen.insert("attributes".into(), json!(members("attributes")));
        }
        if !sparse.is_empty() && !first.is_null() {
            let names: BTreeSet<String> =
                members("attributes").into_iter().chain(members("relationships")).map(|(name, _)| name).collect();
            seen.insert("fields".into(), json!(names));
        }
        if let Some(names) = pair["links"].as_array().filter(|_| !first.is_null()) {
            let links: Map<String, Value> = names
                .iter()
                .map(|name| name.as_str().unwrap())
                .map(|name| (name.to_owned(), labels(&first["relationships"][name]["data"], &self.ids, false)))
                .collect();
            seen.insert("links".into(), json!(links));
        }
        if let Some(included) =
            document.get("included").filter(|included| included.as_array().is_some_and(|list| !list.is_empty()))
        {
            seen.insert("included".into(), labels(included, &self.ids, false));
        }
        seen.extend(document.get("meta").map(|meta| ("meta".to_owned(), meta.clone())));
    }
}

/// Whether an answer is the expected one. It may have more attributes.
fn agrees(expected: &Value, seen: &Value) -> bool {
    let (mut expected, mut seen) = (expected.clone(), seen.clone());
    if let (Some(some), Some(all)) = (expected["attributes"].as_object(), seen["attributes"].as_object()) {
        let fits = some.iter().all(|(name, value)| all.get(name) == Some(value));
        if !fits {
            return false;
        }
    }
    for side in [&mut expected, &mut seen] {
        side.as_object_mut().unwrap().remove("attributes");
    }
    expected == seen
}

async fn walk(name: &str) {
    let decisions = file("docs/compatibility-terrakube.md");
    let mut walk = Walk::new().await;
    let mut wrong = Vec::new();
    for (number, pair) in rows(name).iter().enumerate() {
        let (seen, lacks) = walk.ask(pair).await;
        let what = format!("{name}[{number}] {} {}", pair["ask"], pair.get("body").unwrap_or(&Value::Null));
        let real = filled(&pair["real"], &walk.ids);
        if !lacks.is_empty() {
            wrong.push(format!("{what}: {lacks:?}"));
        }
        let holds = agrees(&real, &seen);
        match pair.get("ours").map(|ours| filled(ours, &walk.ids)) {
            None if !holds => wrong.push(format!("{what}\n  real {real}\n  ours {seen}")),
            Some(_) if holds => wrong.push(format!("{what} no longer differs: remove its mark")),
            Some(ours) => {
                let because = pair["because"].as_str().unwrap();
                if !decisions.contains(because) {
                    wrong.push(format!("{what}: the decision {because:?} is not in the documentation"));
                }
                if !agrees(&ours, &seen) {
                    wrong.push(format!("{what}\n  decided {ours}\n  ours {seen}"));
                }
            }
            None => {}
        }
    }
    assert!(wrong.is_empty(), "{} of the pairs:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! tables {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                walk(stringify!($name)).await;
            }
        )*

        const TABLES: &[&str] = &[$(stringify!($name)),*];
    };
}

tables! { documents filters relationships empty jobs resources operations }

#[test]
fn every_table_is_walked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/terrakube/pairs");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let known: BTreeSet<String> = TABLES.iter().copied().chain(["types"]).map(str::to_owned).collect();
    assert_eq!(files, known);
    let all: usize = TABLES.iter().map(|name| rows(name).len()).sum();
    assert!(all >= 200, "{all} pairs");
}
