//! The examples of the contracts: every request body has a valid one, and a server accepts it.
//!
//! Those of the Qovery-compatible API are the bodies that `world` sends to every operation, so `outcomes` shows that they succeed. Those
//! of people are sent here, and those of the Terrakube-compatible API.

use std::collections::BTreeMap;

use poem::http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, id};
use crate::jwt::{AUDIENCE, Issuer};
use crate::terrakube::House;
use crate::validate::{CLOUD, CONTRACT, TERRAKUBE, json_schema};
use crate::world::{PERSON, example};

const METHODS: [&str; 4] = ["post", "put", "patch", "delete"];

/// The bodies of a contract: the operation, the media type, and what the contract says of it.
fn bodies(contract: &'static Value) -> Vec<(&'static str, &'static str, &'static Value)> {
    let mut found = Vec::new();
    for item in contract["paths"].as_object().unwrap().values() {
        for operation in METHODS.iter().filter_map(|method| item.get(method)) {
            for (media, body) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                found.push((operation["operationId"].as_str().unwrap(), media.as_str(), body));
            }
        }
    }
    found
}

#[test]
fn every_body_has_a_valid_example() {
    for (contract, least) in [(&*CONTRACT, 50), (&*TERRAKUBE, 50), (&*CLOUD, 12)] {
        let bodies = bodies(contract);
        assert!(bodies.len() > least, "{} bodies", bodies.len());
        for (operation, media, body) in bodies {
            let example = body.get("example").unwrap_or_else(|| panic!("{operation} {media} has no example"));
            let validator = jsonschema::validator_for(&json_schema(contract, &body["schema"], 0)).unwrap();
            let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{operation} {media}: {errors:?}");
        }
    }
}

#[test]
fn every_required_parameter_has_an_example() {
    for contract in [&*CONTRACT, &*TERRAKUBE, &*CLOUD] {
        let own = contract["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
        let own = own.filter_map(|operation| operation.get("parameters")?.as_array()).flatten();
        let shared = contract["components"]["parameters"].as_object().unwrap().values();
        for parameter in own.chain(shared).filter(|parameter| parameter["required"] == true) {
            assert!(parameter.get("example").is_some(), "{} has no example", parameter["name"]);
        }
    }
}

/// The bodies that only people may send.
#[tokio::test]
async fn the_examples_of_people_are_accepted() {
    let issuer = Issuer::start().await;
    let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await;
    let it = app.furnished().await;
    let person = |name: &str| {
        let claims =
            json!({"sub": name, "email": format!("{name}@example.com"), "name": name, "groups": ["developers"]});
        app.client(Some(format!("Bearer {}", issuer.token(0, "one", claims))))
    };
    let path = |rest: &str| format!("/organization/{}/{rest}", it.organization);
    let join = async |name: &str, client: &Client| {
        let body = json!({"email": format!("{name}@example.com"), "role": "ADMIN"});
        let invitation = id(&it.client.post(&path("inviteMember"), body).await.expect(201));
        client.post(&path(&format!("inviteMember/{invitation}")), json!({})).await.expect(201);
        id(&client.get("/account").await.expect(200))
    };
    let alice = person("alice");
    alice.put("/account", example("editAccountInformation").unwrap().clone()).await.expect(200);
    alice.post("/organization", example("createOrganization").unwrap().clone()).await.expect(201);
    for (path, operation) in [
        ("/pat/v1", "createPersonalToken"),
        ("/access-token/v1/teams", "createTeamToken"),
        ("/api/v1/organization", "createOrganization"),
    ] {
        let (_, _, body) = bodies(&TERRAKUBE).into_iter().find(|(id, ..)| *id == operation).unwrap();
        alice.post(path, body["example"].clone()).await.expect(201);
    }
    let alice_id = join("alice", &alice).await;
    let role = id(&it.client.post(&path("customRole"), json!({"name": "made"})).await.expect(201));
    let of = |operation: &str, person: &str| {
        let text = example(operation).unwrap().to_string().replace(PERSON, person);
        let shown = CONTRACT["components"]["parameters"]["customRoleId"]["example"].as_str().unwrap();
        Some(text.replace(shown, &role))
    };
    it.client.call(Method::PUT, &path("member"), of("editOrganizationMemberRole", &alice_id)).await.expect(200);
    it.client.call(Method::DELETE, &path("member"), of("deleteMember", &alice_id)).await.expect(204);
    let (bob, eve) = (person("bob"), person("eve"));
    let (bob_id, eve_id) = (join("bob", &bob).await, join("eve", &eve).await);
    let transfer = path("transferOwnership");
    it.client.call(Method::POST, &transfer, of("postOrganizationTransferOwnership", &bob_id)).await.expect(204);
    bob.call(Method::POST, &transfer, of("postOrganizationTransferOwnership", &eve_id)).await.expect(204);
}

/// What the walk through the Terrakube-compatible API has created, by the template of its collection.
struct Walk {
    house: House,
    created: BTreeMap<String, String>,
}

impl Walk {
    /// The ID that a parameter of a path stands for: what was created at the path before it, or at any path to the same kind.
    fn id(&self, before: &str, parameter: &str) -> String {
        let collection = before.trim_end_matches('/');
        let kind = parameter.trim_end_matches("Id");
        match kind {
            "organization" => self.house.organization.to_string(),
            "file" => "terraform.tfstate".to_owned(),
            _ => {
                let of_kind = self.created.iter().find(|(path, _)| path.to_lowercase().ends_with(&format!("/{kind}")));
                let found = self.created.get(collection).or(of_kind.map(|(_, id)| id));
                found.unwrap_or_else(|| panic!("no {kind} was created at {collection}")).clone()
            }
        }
    }

    fn path(&self, template: &str) -> String {
        let mut parts = Vec::new();
        let mut before = String::new();
        for part in template.split('/').skip(1) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(parameter) => parts.push(self.id(&before, parameter)),
                None => parts.push(part.to_owned()),
            }
            before = format!("{before}/{part}");
        }
        format!("/{}", parts.join("/"))
    }

    /// The example with the IDs of what was created. `path` is the template of the operation.
    fn body(&self, path: &str, example: &Value) -> Value {
        let mut text = example.to_string();
        for parameter in TERRAKUBE["components"]["parameters"].as_object().unwrap().values() {
            let (Some(name), Some(shown)) = (parameter["name"].as_str(), parameter["example"].as_str()) else {
                continue;
            };
            if text.contains(shown) {
                let before = path.split_once(&format!("/{{{name}}}")).map_or("", |(before, _)| before);
                text = text.replace(shown, &self.id(before, name));
            }
        }
        let mut body: Value = serde_json::from_str(&text).unwrap();
        // IDs of jobs are numbers.
        if let Some((before, "{jobId}")) = path.rsplit_once('/').filter(|_| body["data"]["type"] == "job") {
            body["data"]["id"] = json!(self.id(before, "jobId"));
        }
        body
    }

    async fn send(&mut self, method: &str, path: &str, media: &str, example: &Value) {
        let body = self.body(path, example);
        let real = self.path(path);
        let method: Method = method.to_uppercase().parse().unwrap();
        let headers = [("content-type", media), ("accept", media)];
        let answer = self.house.client.call_with(method.clone(), &real, Some(&body.to_string()), &headers).await;
        assert!((200..300).contains(&answer.status), "{method} {path} with {body}: {} {}", answer.status, answer.text);
        if let Some(id) = answer.body["data"]["id"].as_str().filter(|_| answer.status == 201) {
            self.created.insert(path.to_owned(), id.to_owned());
        }
    }
}

/// Collections in the order in which what they refer to exists; those that are not named come last.
const FIRST: [&str; 7] = ["/project", "/ssh", "/vcs", "/tag", "/template", "/workspace", "/webhook"];
/// Tokens and organizations are of people; `the_examples_of_people_are_accepted` sends these. Deliveries are signed by providers.
const OF_OTHERS: [&str; 5] =
    ["createTeamToken", "createPersonalToken", "createOrganization", "deliverWebhook", "deliverWebhookToFirstAddress"];

#[tokio::test]
async fn the_examples_of_terrakube_are_accepted() {
    let house = House::new().await;
    // Clusters, which are no part of this contract, are its agents.
    let agents = "/api/v1/organization/{organizationId}/agent";
    let local = id(&house.get("agent").await["data"][0]);
    let mut walk = Walk { house, created: BTreeMap::from([(agents.to_owned(), local)]) };
    let mut operations = Vec::new();
    for (path, item) in TERRAKUBE["paths"].as_object().unwrap() {
        for method in METHODS {
            let Some(operation) = item.get(method).filter(|operation| operation.get("requestBody").is_some()) else {
                continue;
            };
            if OF_OTHERS.contains(&operation["operationId"].as_str().unwrap()) {
                continue;
            }
            let content = operation["requestBody"]["content"].as_object().unwrap();
            // What is always refused, as the contract says.
            if !operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2')) {
                continue;
            }
            let is_relationship = path.contains("/relationships/");
            let first = FIRST.iter().position(|end| path.ends_with(end) && !is_relationship).unwrap_or(FIRST.len());
            let plain = !path.starts_with("/api/v1/");
            let (media, body) = content.iter().next().unwrap();
            operations.push(((plain, method != "post", first, path.len()), method, path, media, &body["example"]));
        }
    }
    operations.sort_by_key(|(order, ..)| *order);
    assert!(operations.len() > 50);
    for (_, method, path, media, example) in operations {
        walk.send(method, path, media, example).await;
    }
}
