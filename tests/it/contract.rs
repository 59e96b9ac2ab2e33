//! The contract and the code agree on operations, parameters, bodies, statuses and schemas.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::harness::TestApp;
use super::validate::{CONTRACT, flat, resolve};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Statuses of the official description that this server never sends, because an official client treats them as errors.
const NEVER_ANSWERED: [(&str, &str); 1] = [("POST /job/{jobId}/uninstall", "204")];

/// The differences between code and contract.
struct Comparison<'a> {
    code: &'a Value,
    lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Request,
    Answer,
}

fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.insert((method.to_owned(), path.clone()), operation.clone());
            }
        }
    }
    found
}

fn strings(value: Option<&Value>) -> BTreeSet<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn body<'a>(root: &'a Value, holder: &'a Value) -> Option<&'a Value> {
    let content = resolve(root, holder).get("content")?.as_object()?;
    content.iter().find(|(kind, _)| kind.starts_with("application/json")).map(|(_, media)| &media["schema"])
}

/// The media types of a body.
fn media(root: &Value, holder: &Value) -> Vec<String> {
    let content = resolve(root, holder).get("content").and_then(Value::as_object);
    content.map(|content| content.keys().cloned().collect()).unwrap_or_default()
}

/// What the code says of parts that it does not look at, and of things that it has none of.
fn is_open(schema: &Value) -> bool {
    let optional = schema.get("allOf").and_then(|parts| parts.get(0));
    let name = optional.unwrap_or(schema).get("$ref").and_then(Value::as_str).unwrap_or_default();
    name.ends_with("/Ignored") || name.ends_with("/Never")
}

impl Comparison<'_> {
    fn say(&mut self, place: &str, what: impl std::fmt::Display) {
        self.lines.push(format!("{place}: {what}"));
    }

    fn operation(&mut self, place: &str, ours: &Value, theirs: &Value) {
        for key in ["operationId", "tags"] {
            if ours.get(key) != theirs.get(key) {
                self.say(place, format!("{key} is {} in the contract, {} in the code", theirs[key], ours[key]));
            }
        }
        self.parameters(place, ours, theirs);
        match (ours.get("requestBody"), theirs.get("requestBody")) {
            (None, None) => {}
            (Some(a), Some(b)) => match (body(self.code, a).cloned(), body(&CONTRACT, b)) {
                (Some(a), Some(b)) => self.schema(&format!("{place} request"), &a, b, Side::Request),
                (None, None) if media(self.code, a) == media(&CONTRACT, b) => {}
                _ => self.say(place, "a request body is not JSON"),
            },
            (a, b) => self
                .say(place, format!("a request body in the code: {}, in the contract: {}", a.is_some(), b.is_some())),
        }
        self.answers(place, ours, theirs);
    }

    fn parameters(&mut self, place: &str, ours: &Value, theirs: &Value) {
        let read = |root: &Value, operation: &Value| -> BTreeMap<(String, String), Value> {
            let list = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
            list.iter()
                .map(|parameter| resolve(root, parameter).clone())
                .map(|p| ((p["in"].as_str().unwrap().to_owned(), p["name"].as_str().unwrap().to_owned()), p))
                .collect()
        };
        let (a, b) = (read(self.code, ours), read(&CONTRACT, theirs));
        for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
            let spot = format!("{place} {} parameter {}", key.0, key.1);
            match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => {
                    let required = |p: &Value| p.get("required") == Some(&Value::Bool(true));
                    if required(a) && !required(b) {
                        self.say(&spot, "required in the code only");
                    }
                    let (a, b) = (flat(self.code, &a["schema"]), flat(&CONTRACT, &b["schema"]));
                    for what in ["type", "format", "default"] {
                        let integer = |v: Option<&Value>| v.is_some_and(|v| v == "int32");
                        if a.get(what) != b.get(what) && !integer(a.get(what)) {
                            self.say(
                                &spot,
                                format!("{what} is {:?} in the contract, {:?} in the code", b.get(what), a.get(what)),
                            );
                        }
                    }
                    if strings(a.get("enum")) != strings(b.get("enum")) {
                        self.say(&spot, "another enum");
                    }
                }
                (a, _) => self.say(&spot, if a.is_some() { "in the code only" } else { "in the contract only" }),
            }
        }
    }

    fn answers(&mut self, place: &str, ours: &Value, theirs: &Value) {
        let (a, b) = (ours["responses"].as_object().unwrap().clone(), theirs["responses"].as_object().unwrap());
        for status in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
            let spot = format!("{place} answer {status}");
            match (a.get(status), b.get(status)) {
                (Some(a), Some(b)) => match (body(self.code, a).cloned(), body(&CONTRACT, b)) {
                    (Some(a), Some(b)) => self.schema(&spot, &a, b, Side::Answer),
                    (None, None) => {}
                    _ => self.say(&spot, "only one of them has a JSON body"),
                },
                // All operations share one error type; the responses show which statuses an operation has.
                (Some(_), None) if !status.starts_with('2') => {}
                (None, Some(_)) if NEVER_ANSWERED.contains(&(place, status)) => {}
                (a, _) => self.say(&spot, if a.is_some() { "in the code only" } else { "in the contract only" }),
            }
        }
    }

    /// Responses of the code match the contract and have all required fields; requests that the contract allows are
    /// accepted.
    fn schema(&mut self, place: &str, ours: &Value, theirs: &Value, side: Side) {
        if place.matches('.').count() > 8 || is_open(ours) {
            return;
        }
        if side == Side::Answer && self.is_member(place, ours, theirs) {
            return;
        }
        let (a, b) = (flat(self.code, ours), flat(&CONTRACT, theirs));
        if let (Some(Value::Array(a)), Some(Value::Array(b))) = (a.get("oneOf"), b.get("oneOf")) {
            return self.union(
                place,
                (&a.clone(), a_discriminator(ours, self.code)),
                (b, a_discriminator(theirs, &CONTRACT)),
                side,
            );
        }
        let kind = |schema: &Map<String, Value>| schema.get("type").and_then(Value::as_str).map(str::to_owned);
        if kind(&a) != kind(&b) {
            return self.say(place, format!("type {:?} in the contract, {:?} in the code", kind(&b), kind(&a)));
        }
        for format in ["uuid", "date-time"] {
            let has = |schema: &Map<String, Value>| schema.get("format").is_some_and(|f| f == format);
            let written = |schema: &Map<String, Value>| {
                schema.get("format").is_some_and(|f| f == "string") || !schema.contains_key("format")
            };
            if has(&a) && !has(&b) && !(side == Side::Answer && written(&b)) {
                self.say(place, format!("format {format} in the code only"));
            }
        }
        let (ours, theirs) = (strings(a.get("enum")), strings(b.get("enum")));
        if side == Side::Answer && !ours.is_subset(&theirs) {
            self.say(place, "answers values that the contract does not name");
        }
        if side == Side::Request && ours != theirs {
            self.say(place, "takes other values than the contract names");
        }
        if let (Some(a), Some(b)) = (a.get("items"), b.get("items")) {
            self.schema(&format!("{place}[]"), &a.clone(), b, side);
        }
        self.properties(place, &a, &b, side);
    }

    /// Whether the code answers one member of a union of the contract, or a union of fewer members; then each of its
    /// members is what a member of the contract promises.
    fn is_member(&mut self, place: &str, ours: &Value, theirs: &Value) -> bool {
        let (a, b) = (flat(self.code, ours), flat(&CONTRACT, theirs));
        let Some(Value::Array(theirs)) = b.get("oneOf").or(b.get("anyOf")) else { return false };
        let own = match a.get("oneOf") {
            Some(Value::Array(members)) if members.len() == theirs.len() => return false,
            _ => ours.clone(),
        };
        let attempts = theirs.iter().map(|member| {
            let mut attempt = Comparison { code: self.code, lines: Vec::new() };
            attempt.schema(&format!("{place}|"), &own, member, Side::Answer);
            attempt.lines
        });
        let best = attempts.min_by_key(Vec::len).unwrap_or_default();
        self.lines.extend(best);
        true
    }

    fn properties(&mut self, place: &str, a: &Map<String, Value>, b: &Map<String, Value>, side: Side) {
        let empty = Map::new();
        let read =
            |schema: &Map<String, Value>| schema.get("properties").and_then(Value::as_object).unwrap_or(&empty).clone();
        let (ours, theirs) = (read(a), read(b));
        if b.contains_key("additionalProperties") && theirs.is_empty() {
            return;
        }
        let (required, promised) = (strings(a.get("required")), strings(b.get("required")));
        for (name, schema) in &ours {
            match theirs.get(name) {
                Some(other) => self.schema(&format!("{place}.{name}"), schema, other, side),
                None => self.say(place, format!("{name} is in the code only")),
            }
        }
        for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
            match side {
                Side::Request => self.say(place, format!("{name} is in the contract only")),
                Side::Answer if promised.contains(name) => {
                    self.say(place, format!("{name} is promised and not answered"))
                }
                Side::Answer => {}
            }
        }
        if side == Side::Request {
            for name in required.difference(&promised) {
                self.say(place, format!("{name} is required in the code only"));
            }
        }
    }

    fn union(&mut self, place: &str, ours: (&[Value], Option<Value>), theirs: (&[Value], Option<Value>), side: Side) {
        if ours.1 != theirs.1 {
            self.say(place, format!("discriminator {:?} in the contract, {:?} in the code", theirs.1, ours.1));
        }
        if ours.0.len() != theirs.0.len() {
            return self.say(place, "another number of members");
        }
        for (a, b) in ours.0.iter().zip(theirs.0) {
            self.schema(&format!("{place}|"), a, b, side);
        }
    }
}

fn a_discriminator(schema: &Value, root: &Value) -> Option<Value> {
    flat(root, schema).get("discriminator").cloned()
}

#[tokio::test]
async fn code_and_contract_agree() {
    let app = TestApp::new().await;
    let code: Value = serde_json::from_str(&windlass::api::described(&app.app)).unwrap();
    let (ours, theirs) = (operations(&code), operations(&CONTRACT));
    let mut comparison = Comparison { code: &code, lines: Vec::new() };
    for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let place = format!("{} {}", key.0.to_uppercase(), key.1);
        match (ours.get(key), theirs.get(key)) {
            (Some(a), Some(b)) => comparison.operation(&place, a, b),
            (a, _) => comparison.say(&place, if a.is_some() { "in the code only" } else { "in the contract only" }),
        }
    }
    assert!(comparison.lines.is_empty(), "\n{}", comparison.lines.join("\n"));
    let security = |document: &Value| {
        document["components"]["securitySchemes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(security(&code), security(&CONTRACT));
    assert!(ours.values().all(|operation| operation["security"].as_array().is_some_and(|list| list.len() == 2)));
}

#[tokio::test]
async fn the_job_union_has_the_official_names() {
    let response = &CONTRACT["components"]["schemas"]["JobResponse"];
    let names: Vec<&str> = response["oneOf"].as_array().unwrap().iter().map(|m| m["$ref"].as_str().unwrap()).collect();
    assert_eq!(names, ["#/components/schemas/LifecycleJobResponse", "#/components/schemas/CronJobResponse"]);
    assert_eq!(response["discriminator"]["propertyName"], "job_type");
    assert_eq!(response["discriminator"]["mapping"]["LIFECYCLE"], names[0]);
    assert_eq!(response["discriminator"]["mapping"]["CRON"], names[1]);
}

#[tokio::test]
async fn the_contract_is_served_as_it_stands() {
    let app = TestApp::new().await;
    let client = app.client(None);
    let raw = |path: &'static str| {
        let client = client.clone();
        async move { client.raw(path).await }
    };
    assert_eq!(raw("/openapi.yaml").await, windlass::api::CONTRACT);
    assert_eq!(serde_json::from_str::<Value>(&raw("/openapi.json").await).unwrap(), *CONTRACT);
    let page = raw("/docs").await;
    for operation in ["listJobNextRuns", "createWorkspaceOfOrganization"] {
        assert!(page.contains(operation), "the page does not hold the contract with {operation}");
    }
    for elsewhere in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(elsewhere), "the page loads something from elsewhere: {elsewhere}");
    }
}

#[test]
fn every_operation_is_described() {
    for ((method, path), operation) in operations(&CONTRACT) {
        for (text, least) in [("summary", 9), ("description", 12)] {
            let found = operation[text].as_str().unwrap_or_default();
            assert!(found.len() >= least, "{method} {path} has no {text}");
        }
        let parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        for parameter in parameters {
            let parameter = resolve(&CONTRACT, &parameter).clone();
            assert!(parameter["description"].is_string(), "{method} {path}: {} has no description", parameter["name"]);
        }
    }
}
