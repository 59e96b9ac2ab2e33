//! Who may create organizations, and which of them run anything on the server's machine.

use serde_json::{Value, json};
use windlass::config::{Config, LocalCluster};

use crate::harness::{Client, TestApp, id};
use crate::jwt::{AUDIENCE, Issuer};
use crate::terrakube::{House, tcl};

struct Site {
    app: TestApp,
    issuer: Issuer,
}

impl Site {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let issuer = Issuer::start().await;
        let app = TestApp::with_oidc(&issuer.url, AUDIENCE).await.reconfigured(change);
        Self { app, issuer }
    }

    fn person(&self, name: &str, change: Value) -> Client {
        let mut claims = json!({"sub": name, "email": format!("{name}@example.com")});
        for (key, value) in change.as_object().unwrap() {
            claims[key] = value.clone();
        }
        self.app.client(Some(format!("Bearer {}", self.issuer.token(0, "one", claims))))
    }
}

/// Asks for an organization by both APIs.
async fn create(person: &Client, name: &str) -> [u16; 2] {
    let one = person.post("/organization", json!({"name": name, "plan": "FREE"})).await.status;
    let document = json!({"data": {"type": "organization", "attributes": {"name": format!("{name} too")}}});
    [one, person.post("/api/v1/organization", document).await.status]
}

const EVERYWHERE: &str = "0.0.0.0:8080";

#[tokio::test]
async fn on_loopback_anybody_creates_organizations_and_elsewhere_the_first_owner() {
    let site = Site::new(|_| ()).await;
    assert_eq!(create(&site.person("ann", json!({})), "a").await, [201, 201]);
    let site = Site::new(|config| config.listen = EVERYWHERE.parse().unwrap()).await;
    let it = site.app.furnished_as("first").await;
    let (ann, eve) = (site.person("ann", json!({})), site.person("eve", json!({})));
    assert_eq!(create(&ann, "a").await, [403, 403]);
    let path = |rest: &str| format!("/organization/{}/{rest}", it.organization);
    for (name, person) in [("ann", &ann), ("eve", &eve)] {
        let body = json!({"email": format!("{name}@example.com"), "role": "ADMIN"});
        let invitation = id(&it.client.post(&path("inviteMember"), body).await.expect(201));
        person.post(&path(&format!("inviteMember/{invitation}")), json!({})).await.expect(201);
    }
    let account = id(&ann.get("/account").await.expect(200));
    it.client.post(&path("transferOwnership"), json!({"user_id": account})).await.expect(204);
    assert_eq!(create(&ann, "a").await, [201, 201]);
    // Neither an administrator of it nor the owner of another one.
    assert_eq!(create(&eve, "b").await, [403, 403]);
}

#[tokio::test]
async fn a_list_names_addresses_and_domains() {
    let creators = ["ann@example.com", "@trusted.example"].map(|text| text.parse().unwrap());
    let site = Site::new(|config| config.organization_creators = creators.into()).await;
    for (name, claims, expected) in [
        ("ann", json!({}), 201),
        ("bob", json!({}), 403),
        ("eve", json!({"email": "eve@Trusted.example"}), 201),
        ("zoe", json!({"email": "zoe@untrusted.example"}), 403),
        ("kim", json!({"email": "kim@trusted.example", "email_verified": false}), 403),
        ("lea", json!({"email": "lea@trusted.example", "email_verified": "true"}), 403),
    ] {
        let status = create(&site.person(name, claims), name).await;
        assert_eq!(status, [expected; 2], "{name}");
    }
}

/// An organization without the cluster `local` runs nothing on the server's machine, neither jobs nor workspaces.
#[tokio::test]
async fn the_machine_of_the_server_is_given_by_choice() {
    for (choice, listen, expected) in [
        (LocalCluster::Auto, "127.0.0.1:0", 1),
        (LocalCluster::Auto, EVERYWHERE, 0),
        (LocalCluster::Always, EVERYWHERE, 1),
        (LocalCluster::Never, "127.0.0.1:0", 0),
    ] {
        let site = Site::new(|config| {
            config.listen = listen.parse().unwrap();
            config.local_cluster = choice;
            config.organization_creators = vec![windlass::config::Creator::Anyone];
        })
        .await;
        let ann = site.person("ann", json!({}));
        let made = ann.post("/organization", json!({"name": "a", "plan": "FREE"})).await.expect(201);
        let organization = id(&made);
        let clusters = ann.get(&format!("/organization/{organization}/cluster")).await.expect(200);
        assert_eq!(clusters["results"].as_array().unwrap().len(), expected, "{choice:?} {listen}");
        let project = json!({"name": "p"});
        let project = id(&ann.post(&format!("/organization/{organization}/project"), project).await.expect(200));
        let environment = ann.post(&format!("/project/{project}/environment"), json!({"name": "e"})).await;
        assert_eq!(environment.status, if expected == 1 { 201 } else { 400 }, "{}", environment.text);
        let house = House {
            client: ann,
            organization: entity::id::OrganizationId(organization.parse().unwrap()),
            app: site.app,
        };
        let workspace = house.workspace("w").await;
        let flow = tcl("flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo hi}]}\n");
        let job = house.start(&workspace, json!({"tcl": flow})).await;
        house.app.settle().await;
        assert_eq!(house.app.runner.started().len(), expected);
        let status = house.status(&job).await.0;
        assert_eq!(status, if expected == 1 { "running" } else { "failed" });
        if expected == 0 {
            let output = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].to_string();
            assert!(output.contains("may not run anything on the server's machine"), "{output}");
        }
    }
}
