//! Who may do what: roles, teams of groups, single workspaces, and the tokens of people and groups.

use entity::id::AccessTokenId;
use entity::member::Role;
use serde_json::{Value, json};
use windlass::secret::{TokenHash, new_token};
use windlass::store;

use super::{House, change, detail, new, tcl};
use crate::harness::Client;

impl House {
    /// Somebody of these groups.
    pub(crate) async fn of_groups(&self, groups: &[&str]) -> Client {
        let token = new_token().unwrap();
        let row = entity::access_token::Model {
            id: AccessTokenId::create(),
            person_id: None,
            created_at: self.app.clock.now(),
            created_by: "test".into(),
            name: groups.join(" "),
            description: None,
            groups: json!(groups),
            hash: TokenHash::of(token.expose()).stored(),
            expires_at: None,
            last_used_at: None,
            creator_id: None,
            lifetime: None,
        };
        store::row::create(&self.app.app.db, row).await.unwrap();
        self.client.with(Some(&format!("Bearer {}", token.expose())))
    }

    /// A job of a template that asks the team OPS.
    async fn job_of(&self, workspace: &str) -> Value {
        // The team may be there already.
        self.client.post(&self.path("team"), new("team", json!({"name": "OPS"}))).await;
        let flow = tcl("flow:\n- {type: approval, step: 1, team: OPS}\n");
        let name = format!("ask about {workspace} {}", uuid::Uuid::now_v7());
        let template = self.create("template", "template", json!({"name": name, "tcl": flow})).await;
        let mut body = new("job", json!({"templateReference": template}));
        body["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        body
    }
}

#[tokio::test]
async fn roles_of_members() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let stranger = house.app.organization("other").await;
    let stranger = house.app.token(stranger, Role::Admin).await;
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let path = house.path(&format!("workspace/{workspace}"));
    assert_eq!(stranger.get(&path).await.status, 404);
    assert_eq!(stranger.get(&format!("/api/v1/workspace/{workspace}")).await.status, 404);
    assert_eq!(stranger.get("/api/v1/workspace").await.expect(200)["data"], json!([]));
    assert_eq!(stranger.post(&house.path("workspace"), new("workspace", json!({"name": "x"}))).await.status, 404);
    viewer.get(&path).await.expect(200);
    assert_eq!(
        detail(viewer.patch(&path, change("workspace", &workspace, json!({"branch": "b"}))).await, 403),
        "UpdatePermission Denied"
    );
    assert_eq!(detail(viewer.delete(&path).await, 403), "DeletePermission Denied");
    assert_eq!(
        detail(viewer.post(&house.path("job"), house.job_of(&workspace).await).await, 403),
        "CreatePermission Denied"
    );
    assert_eq!(house.client.with(None).get(&path).await.status, 401);
    assert_eq!(
        viewer
            .get(&format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization))
            .await
            .status,
        403
    );
    assert_eq!(
        stranger
            .get(&format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization))
            .await
            .status,
        403
    );
    // Programs take a 404 for an empty state.
    let unknown = format!("/tfstate/v1/organization/{}/workspace/{}", house.organization, uuid::Uuid::nil());
    for path in [format!("{unknown}/backend"), format!("{unknown}/state/terraform.tfstate")] {
        assert!(detail(house.client.get(&path).await, 403).contains("does not exist"), "{path}");
    }
}

#[tokio::test]
async fn teams_plan_and_approve() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    for (name, attributes) in [
        ("PLAN", json!({"role": "plan"})),
        ("OPS", json!({"planJob": false, "approveJob": true})),
        ("OTHERS", json!({"role": "write"})),
        ("READ", json!({"role": "custom", "manageWorkspace": true})),
    ] {
        let mut attributes = attributes;
        attributes["name"] = json!(name);
        house.create("team", "team", attributes).await;
    }
    let (planner, ops, others) =
        (house.of_groups(&["PLAN"]).await, house.of_groups(&["OPS"]).await, house.of_groups(&["OTHERS"]).await);
    let readers = house.of_groups(&["READ", "NOBODY"]).await;
    let job = super::id(&planner.post(&house.path("job"), house.job_of(&workspace).await).await.expect(201));
    assert_eq!(readers.post(&house.path("job"), house.job_of(&workspace).await).await.status, 403);
    assert_eq!(ops.post(&house.path("job"), house.job_of(&workspace).await).await.status, 403);
    house.app.settle().await;
    let path = house.path(&format!("job/{job}"));
    let give = |status: &str| change("job", &job, json!({"status": status}));
    assert_eq!(detail(planner.patch(&path, give("approved")).await, 403), "UpdatePermission Denied");
    assert_eq!(detail(others.patch(&path, give("approved")).await, 403), "another team must approve this job");
    ops.patch(&path, give("approved")).await.expect(204);
    assert_eq!(house.get(&format!("job/{job}")).await["data"]["attributes"]["approvedBy"], "OPS");
    // Workspaces are theirs who manage them; teams are not.
    readers
        .patch(&house.path(&format!("workspace/{workspace}")), change("workspace", &workspace, json!({"branch": "b"})))
        .await
        .expect(204);
    assert_eq!(readers.post(&house.path("team"), new("team", json!({"name": "MINE"}))).await.status, 403);
    assert_eq!(
        readers.get("/access-token/v1/teams/current-teams").await.expect(202)["groups"],
        json!(["READ", "NOBODY"])
    );
    let may = readers
        .get(&format!("/access-token/v1/teams/permissions/organization/{}", house.organization))
        .await
        .expect(202);
    assert_eq!((&may["manageWorkspace"], &may["planJob"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn access_to_one_workspace() {
    let house = House::new().await;
    let (mine, other) = (house.workspace("mine").await, house.workspace("other").await);
    house
        .create(
            &format!("workspace/{mine}/access"),
            "access",
            json!({"name": "GUESTS", "planJob": true, "manageState": true}),
        )
        .await;
    let guest = house.of_groups(&["GUESTS"]).await;
    let list = guest.get(&house.path("workspace")).await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    guest.get(&house.path(&format!("workspace/{mine}"))).await.expect(200);
    assert_eq!(guest.get(&house.path(&format!("workspace/{other}"))).await.status, 404);
    assert_eq!(guest.get(&house.path("team")).await.expect(200)["data"], json!([]));
    assert_eq!(guest.get(&house.path("template")).await.expect(200)["data"].as_array().unwrap().len(), 5);
    let job = super::id(&guest.post(&house.path("job"), house.job_of(&mine).await).await.expect(201));
    assert_eq!(guest.post(&house.path("job"), house.job_of(&other).await).await.status, 404);
    let theirs = house.start(&other, json!({"tcl": tcl("flow:\n- {type: approval, step: 1}\n")})).await;
    let jobs = guest.get(&house.path("job")).await.expect(200);
    assert_eq!(jobs["data"].as_array().unwrap().len(), 1);
    assert_eq!(guest.get(&house.path(&format!("job/{theirs}"))).await.status, 404);
    // Steps and logs are as closed as their jobs.
    assert_eq!(guest.get("/api/v1/step").await.expect(200)["data"].as_array().unwrap().len(), 1);
    let step = house.get(&format!("job/{theirs}/step")).await["data"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        format!("/api/v1/step/{step}"),
        format!("/tfoutput/v1/organization/{}/job/{theirs}/step/{step}", house.organization),
        format!("/context/v1/{theirs}"),
    ] {
        assert_eq!(guest.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(
        guest
            .patch(&house.path(&format!("job/{job}")), change("job", &job, json!({"status": "cancelled"})))
            .await
            .status,
        403
    );
    assert_eq!(guest.delete(&format!("/api/v1/step/{step}")).await.status, 404);
    let backend =
        |workspace: &str| format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
    guest.get(&backend(&mine)).await.expect(204);
    assert_eq!(guest.get(&backend(&other)).await.status, 403);
}

/// A workspace of another organization is as good as none.
#[tokio::test]
async fn organizations_do_not_mix() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let other = house.app.organization("other").await;
    let both = house.of_groups(&["BOTH"]).await;
    house.create("team", "team", json!({"name": "BOTH", "role": "admin"})).await;
    let admin = house.app.token(other, Role::Admin).await;
    admin
        .post(&format!("/api/v1/organization/{other}/team"), new("team", json!({"name": "BOTH", "role": "admin"})))
        .await
        .expect(201);
    let crossed = both.post(&format!("/api/v1/organization/{other}/job"), house.job_of(&workspace).await).await;
    assert_eq!(detail(crossed, 404), format!("Unknown identifier {workspace} for workspace"));
    assert_eq!(both.get(&format!("/api/v1/organization/{other}/workspace/{workspace}")).await.status, 404);
    let backend = format!("/tfstate/v1/organization/{other}/workspace/{workspace}/backend");
    assert_eq!(both.get(&backend).await.status, 403);
    both.post(&house.path("job"), house.job_of(&workspace).await).await.expect(201);
}

#[tokio::test]
async fn tokens_of_groups() {
    let house = House::new().await;
    house.create("team", "team", json!({"name": "OPS", "role": "read"})).await;
    let ops = house.of_groups(&["OPS"]).await;
    let refused = ops.post("/access-token/v1/teams", json!({"group": "ADMINS", "days": 1})).await;
    assert!(detail(refused, 403).contains("belongs"));
    let made = ops
        .post("/access-token/v1/teams", json!({"group": "OPS", "minutes": 5, "description": "ci"}))
        .await
        .expect(201);
    let token = ops.with(Some(&format!("Bearer {}", made["token"].as_str().unwrap())));
    token.get(&house.path("workspace")).await.expect(200);
    // The Qovery-compatible API does not accept them.
    assert_eq!(token.get("/organization").await.expect(200)["results"], json!([]));
    let list = ops.get("/access-token/v1/teams").await.expect(202);
    let one = list.as_array().unwrap().iter().find(|one| one["description"] == "ci").unwrap().clone();
    assert_eq!((&one["group"], &one["minutes"]), (&json!("OPS"), &json!(5)));
    assert!(!list.to_string().contains(made["token"].as_str().unwrap()));
    house.app.clock.forward(301);
    assert_eq!(token.get(&house.path("workspace")).await.status, 401);
    let stranger = house.app.organization("other").await;
    let stranger = house.app.token(stranger, Role::Admin).await;
    let path = format!("/access-token/v1/teams/{}", one["id"].as_str().unwrap());
    assert_eq!(stranger.delete(&path).await.status, 404);
    ops.delete(&format!("/access-token/v1/teams/{}", one["id"].as_str().unwrap())).await.expect(202);
    // Only people have tokens of their own.
    assert_eq!(ops.post("/pat/v1", json!({"days": 1})).await.status, 403);
}
