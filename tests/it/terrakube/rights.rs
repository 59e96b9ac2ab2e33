//! What a job does needs the right to do it, whoever asks for it and however: by a template, a flow of one's own, or a schedule. Rights
//! are those of now, not of the time when something was asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::member::Role;
use entity::workspace_job::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::{Value, json};

use super::{House, change, detail, id, tcl};
use crate::harness::Client;

const APPLY: &str = "flow:\n- {type: terraformApply, step: 1}\n";
const SCRIPT: &str = "flow:\n- {type: customScripts, step: 1, commands: [{runtime: BASH, script: echo hi}]}\n";
const ASK: &str = "flow:\n- {type: approval, step: 1}\n- {type: terraformApply, step: 2}\n";

impl House {
    /// A team with these attributes, and somebody of it.
    async fn team(&self, name: &str, attributes: Value) -> (String, Client) {
        let mut attributes = attributes;
        attributes["name"] = json!(name);
        (self.create("team", "team", attributes).await, self.of_groups(&[name]).await)
    }

    pub(crate) async fn new_template(&self, name: &str, flow: &str) -> String {
        self.create("template", "template", json!({"name": name, "tcl": tcl(flow)})).await
    }

    async fn output(&self, job: &str) -> String {
        self.get(&format!("job/{job}")).await["data"]["attributes"]["output"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_flow_is_checked_step_by_step_against_the_caller() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let (_, planner) = house.team("PLAN", json!({"role": "plan"})).await;
    let (_, writer) = house.team("WRITE", json!({"role": "write"})).await;
    let (_, author) = house.team("AUTHOR", json!({"planJob": true, "manageTemplate": true})).await;
    let asked = house.new_template("Ask and apply", ASK).await;
    let gone = house.new_template("Gone", "flow:\n- {type: disableWorkspace, step: 1}\n").await;
    let template = async |name: &str| json!({"templateReference": house.template(name).await});
    let own = |flow: &str| json!({"tcl": tcl(flow)});
    for (attributes, expected) in [
        // For a planner, for a writer, and for an author of templates who may only plan.
        (template("Plan").await, [201, 201, 201]),
        (template("Plan and apply").await, [403, 201, 403]),
        (template("Destroy").await, [403, 201, 403]),
        (template("Terraform-Plan/Apply-Cli").await, [201, 201, 201]),
        (json!({"command": "destroy"}), [403, 201, 403]),
        // Whoever approves needs the right to apply.
        (json!({"templateReference": asked}), [201, 201, 201]),
        // A writer manages workspaces, too.
        (json!({"templateReference": gone}), [403, 201, 403]),
        (own(APPLY), [403, 403, 403]),
        (own(SCRIPT), [403, 403, 201]),
        (own(ASK), [403, 403, 201]),
        (own("flow:\n- {type: terraformPlan, step: 1}\n"), [403, 403, 201]),
    ] {
        for (caller, expected) in [&planner, &writer, &author].into_iter().zip(expected) {
            let answer = house.ask(caller, &workspace, attributes.clone()).await;
            assert_eq!(answer.status, expected, "{attributes}: {}", answer.text);
        }
    }
    let refused = detail(house.ask(&planner, &workspace, template("Destroy").await).await, 403);
    assert!(refused.contains("approveJob"), "{refused}");
    // The default template of a workspace needs the same rights as any other.
    let path = house.path(&format!("workspace/{workspace}"));
    let default = json!({"defaultTemplate": house.template("Destroy").await});
    house.client.patch(&path, change("workspace", &workspace, default)).await.expect(204);
    assert_eq!(house.ask(&planner, &workspace, json!({})).await.status, 403);
    house.ask(&writer, &workspace, json!({})).await.expect(201);
}

#[tokio::test]
async fn a_schedule_starts_what_its_owner_may_start() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let (_, planner) = house.team("PLAN", json!({"planJob": true, "manageWorkspace": true})).await;
    let (team, writer) = house.team("WRITE", json!({"role": "write", "manageWorkspace": true})).await;
    let schedules = house.path(&format!("workspace/{workspace}/schedule"));
    let destroy = house.template("Destroy").await;
    let wanted = |attributes: Value| {
        let mut attributes = attributes;
        attributes["cron"] = json!("0 0 * * * ?");
        super::new("schedule", attributes)
    };
    for (attributes, expected) in [
        (json!({"templateReference": destroy}), (403, 201)),
        (json!({"templateReference": house.template("Plan").await}), (201, 201)),
        (json!({"tcl": tcl(SCRIPT)}), (403, 403)),
    ] {
        for (caller, expected) in [(&planner, expected.0), (&writer, expected.1)] {
            let answer = caller.post(&schedules, wanted(attributes.clone())).await;
            assert_eq!(answer.status, expected, "{attributes}: {}", answer.text);
        }
    }
    let all = house.get(&format!("workspace/{workspace}/schedule")).await;
    let rows = all["data"].as_array().unwrap();
    let of_writer = rows.iter().find(|row| row["attributes"]["templateReference"] == json!(destroy)).unwrap();
    let schedule = of_writer["id"].as_str().unwrap().to_owned();
    // Who may not start it may not move it either, but may switch it off.
    let one = format!("{schedules}/{schedule}");
    let sooner = change("schedule", &schedule, json!({"cron": "0 * * * * ?"}));
    assert_eq!(planner.patch(&one, sooner.clone()).await.status, 403);
    planner.patch(&one, change("schedule", &schedule, json!({"enabled": false}))).await.expect(204);
    assert_eq!(planner.patch(&one, change("schedule", &schedule, json!({"enabled": true}))).await.status, 403);
    for row in rows.iter().filter(|row| row["id"] != json!(schedule)) {
        house.client.delete(&format!("{schedules}/{}", row["id"].as_str().unwrap())).await.expect(204);
    }
    writer.patch(&one, change("schedule", &schedule, json!({"enabled": true}))).await.expect(204);
    let jobs = async || house.get("job").await["data"].as_array().unwrap().len();
    house.app.clock.set("2026-11-22T11:00:00Z");
    house.app.settle().await;
    assert_eq!(jobs().await, 1);
    // With the role its owner had the right to it.
    let path = house.path(&format!("team/{team}"));
    house.client.patch(&path, change("team", &team, json!({"role": "plan"}))).await.expect(204);
    house.app.clock.set("2026-11-22T12:00:00Z");
    house.app.settle().await;
    house.app.settle().await;
    let all = house.get("job").await["data"].as_array().unwrap().clone();
    assert_eq!(all.len(), 2, "one for the time that was due");
    let failed = all.iter().find(|job| job["attributes"]["status"] == "failed").unwrap();
    let output = failed["attributes"]["output"].as_str().unwrap();
    assert!(output.contains("whoever set up the schedule may no longer") && output.contains("approveJob"), "{output}");
    assert_eq!(failed["attributes"]["templateReference"], json!(destroy));
    let shown = house.get(&format!("workspace/{workspace}")).await;
    assert_eq!(shown["data"]["attributes"]["lastJobStatus"], "failed");
    // A template that does not exist any more is another reason.
    house.client.patch(&path, change("team", &team, json!({"role": "write"}))).await.expect(204);
    house.client.delete(&house.path(&format!("template/{destroy}"))).await.expect(204);
    house.app.clock.set("2026-11-22T13:00:00Z");
    house.app.settle().await;
    let all = house.get("job?sort=-id").await["data"].as_array().unwrap().clone();
    assert_eq!((all.len(), &all[0]["attributes"]["status"]), (3, &json!("failed")));
    let output = all[0]["attributes"]["output"].as_str().unwrap();
    assert!(output.contains("templateReference"), "{output}");
}

/// Releases up to 0.2.0 did not store who is behind a schedule or a job: that is the owner of the organization, with the rights of now.
#[tokio::test]
async fn what_an_earlier_release_stored_acts_for_the_owner() {
    let house = House::new().await;
    let db = &house.app.app.db;
    let workspace = house.workspace("a").await;
    let destroy = house.template("Destroy").await;
    let hourly = super::new("schedule", json!({"cron": "0 0 * * * ?", "templateReference": destroy}));
    house.client.post(&house.path(&format!("workspace/{workspace}/schedule")), hourly).await.expect(201);
    let forget = async || {
        use entity::{workspace_job, workspace_schedule};
        let nobody = || Expr::value(Option::<String>::None);
        let jobs = workspace_job::Entity::update_many().col_expr(workspace_job::Column::Principal, nobody());
        jobs.exec(db).await.unwrap();
        let schedules =
            workspace_schedule::Entity::update_many().col_expr(workspace_schedule::Column::Principal, nobody());
        schedules.exec(db).await.unwrap();
    };
    let statuses = async || {
        let all = house.get("job?sort=id").await["data"].as_array().unwrap().clone();
        all.iter().map(|job| job["attributes"]["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    forget().await;
    // Without an owner, the oldest token of an administrator stands behind it.
    house.app.clock.set("2026-11-22T11:00:00Z");
    house.app.settle().await;
    assert_eq!(statuses().await, ["running"]);
    house.app.runner.exit_all(0);
    house.app.settle().await;
    // A job that waits for its approval, too; the owner has lost everything with the membership.
    let asked = house.new_template("Ask and apply", ASK).await;
    let waiting = house.start(&workspace, json!({"templateReference": asked})).await;
    house.app.settle().await;
    forget().await;
    house.app.settle().await;
    assert_eq!(house.status(&waiting).await.0, "waitingApproval");
    let viewer = house.app.token(house.organization, Role::Viewer).await;
    let now = house.app.clock.now();
    let person = entity::person::Model {
        id: entity::id::PersonId::create(),
        created_at: now,
        issuer: "issuer".into(),
        subject: "owner".into(),
        email: None,
        name: None,
        communication_email: None,
        groups: None,
    };
    let person = windlass::store::person::create(db, person).await.unwrap();
    let role = (Role::Owner, None);
    windlass::store::person::add_member(db, house.organization, person.id, role, now).await.unwrap();
    house.app.settle().await;
    assert_eq!(house.status(&waiting).await.0, "waitingApproval");
    windlass::store::person::remove_member(db, house.organization, person.id).await.unwrap();
    entity::api_token::Entity::delete_many()
        .filter(entity::api_token::Column::Role.eq(Role::Admin))
        .exec(db)
        .await
        .unwrap();
    house.app.app.authenticator.forget();
    house.app.clock.set("2026-11-22T12:00:00Z");
    house.app.settle().await;
    let all = viewer.get(&house.path("job?sort=id")).await.expect(200);
    let ended: Vec<&str> =
        all["data"].as_array().unwrap().iter().filter_map(|job| job["attributes"]["status"].as_str()).collect();
    assert_eq!(ended[1..], ["cancelled", "failed"]);
}

/// A custom role has no rights in the whole organization: it sees the workspaces of the projects that it sees.
#[tokio::test]
async fn a_custom_role_sees_the_workspaces_of_its_projects() {
    let house = House::new().await;
    let project = house.create("project", "project", json!({"name": "p"})).await;
    let (inside, outside) = (house.workspace("inside").await, house.workspace("outside").await);
    let path = house.path(&format!("workspace/{inside}"));
    let link = json!({"data": {"type": "project", "id": project}});
    house.client.patch(&format!("{path}/relationships/project"), link).await.expect(204);
    let roles = format!("/organization/{}/customRole", house.organization);
    let role = crate::harness::id(&house.client.post(&roles, json!({"name": "r"})).await.expect(201));
    let token = json!({"name": "t", "role_id": role});
    let token = house.client.post(&format!("/organization/{}/apiToken", house.organization), token).await.expect(201);
    let caller = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    let seen = async || {
        let answer = caller.get(&house.path("workspace")).await;
        if answer.status == 404 {
            return Vec::new();
        }
        let body = answer.expect(200);
        body["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, Vec::<String>::new());
    assert_eq!(caller.get(&house.path(&format!("workspace/{outside}"))).await.status, 404);
    let viewer = json!([{"environment_type": "STAGING", "permission": "VIEWER"}]);
    let matrix = json!({"name": "r", "cluster_permissions": [],
        "project_permissions": [{"project_id": project, "permissions": viewer}]});
    house.client.put(&format!("{roles}/{role}"), matrix).await.expect(200);
    assert_eq!(seen().await, std::slice::from_ref(&inside));
    assert_eq!(caller.get(&house.path(&format!("workspace/{outside}"))).await.status, 404);
    let started = house.ask(&caller, &inside, json!({"templateReference": house.template("Plan").await})).await;
    assert_eq!(started.status, 403, "{}", started.text);
    assert_eq!(caller.patch(&path, change("workspace", &inside, json!({"description": "x"}))).await.status, 403);
}

#[tokio::test]
async fn what_waits_for_an_approval_ends_with_the_rights_of_who_asked_for_it() {
    let house = House::new().await;
    let asked = house.new_template("Ask and apply", ASK).await;
    let (team, planner) = house.team("PLAN", json!({"role": "plan"})).await;
    let tokens = format!("/organization/{}/apiToken", house.organization);
    let token = house.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201);
    let robot = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    let mut jobs = Vec::new();
    for (name, caller) in [("a", &planner), ("b", &robot), ("c", &house.client)] {
        let workspace = house.workspace(name).await;
        let made = house.ask(caller, &workspace, json!({"templateReference": asked})).await.expect(201);
        jobs.push(id(&made));
    }
    house.app.settle().await;
    for job in &jobs {
        assert_eq!(house.status(job).await.0, "waitingApproval");
    }
    // A withdrawn role and a revoked token.
    let path = house.path(&format!("team/{team}"));
    house.client.patch(&path, change("team", &team, json!({"role": "read"}))).await.expect(204);
    house.client.delete(&format!("{tokens}/{}", crate::harness::id(&token))).await.expect(204);
    house.app.tick().await;
    for job in &jobs[..2] {
        assert_eq!(house.status(job).await, ("cancelled".into(), vec!["cancelled".into(), "cancelled".into()]));
        assert!(house.output(job).await.contains("may no longer"), "{}", house.output(job).await);
        house.give(job, "approved").await.expect(409);
    }
    assert_eq!(house.status(&jobs[2]).await.0, "waitingApproval");
}

/// A person may be behind an API token. What the token asked for ends with the token all the same.
#[tokio::test]
async fn what_the_token_of_a_person_asked_for_ends_with_it() {
    let house = House::new().await;
    let db = &house.app.app.db;
    let person = windlass::bootstrap::first_person(db, house.organization, house.app.clock.now()).await.unwrap();
    let tokens = format!("/organization/{}/apiToken", house.organization);
    let token = house.client.post(&tokens, json!({"name": "t", "role_id": null})).await.expect(201);
    let id_of_token = crate::harness::id(&token);
    let rows = entity::api_token::Entity::update_many()
        .col_expr(entity::api_token::Column::PersonId, Expr::value(person))
        .filter(entity::api_token::Column::Id.eq(id_of_token.parse::<uuid::Uuid>().unwrap()));
    rows.exec(db).await.unwrap();
    let robot = house.client.with(Some(&format!("Token {}", token["token"].as_str().unwrap())));
    let asked = house.new_template("Ask and apply", ASK).await;
    let workspace = house.workspace("a").await;
    let job = id(&house.ask(&robot, &workspace, json!({"templateReference": asked})).await.expect(201));
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "waitingApproval");
    house.client.delete(&format!("{tokens}/{id_of_token}")).await.expect(204);
    house.app.tick().await;
    assert_eq!(house.status(&job).await.0, "cancelled");
}

/// A job that has not begun ends too, and one of an earlier release goes on.
#[tokio::test]
async fn a_job_begins_with_the_rights_of_now() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let (team, writer) = house.team("WRITE", json!({"role": "write"})).await;
    let apply = json!({"templateReference": house.template("Destroy").await});
    let job = id(&house.ask(&writer, &workspace, apply.clone()).await.expect(201));
    let path = house.path(&format!("team/{team}"));
    house.client.patch(&path, change("team", &team, json!({"role": "plan"}))).await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "cancelled");
    house.client.patch(&path, change("team", &team, json!({"role": "write"}))).await.expect(204);
    let job = id(&house.ask(&writer, &workspace, apply).await.expect(201));
    let unknown = Entity::update_many().col_expr(Column::Principal, Expr::value(Option::<String>::None));
    unknown.filter(Column::Id.eq(job.parse::<i32>().unwrap())).exec(&house.app.app.db).await.unwrap();
    house.client.patch(&path, change("team", &team, json!({"role": "plan"}))).await.expect(204);
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "running");
}

/// The credential of a step writes the state only if the step has to, and if whoever is behind it may.
#[tokio::test]
async fn a_step_can_do_no_more_than_whoever_asked_for_it() {
    let house = House::new().await;
    let (_, planner) = house.team("PLAN", json!({"role": "plan"})).await;
    let (_, writer) = house.team("WRITE", json!({"role": "write"})).await;
    let scripts = house.new_template("Scripts", SCRIPT).await;
    let asked = house.new_template("Ask and apply", ASK).await;
    let plan = house.template("Plan").await;
    let destroy = house.template("Destroy").await;
    let state = |serial: i32| json!({"version": 4, "serial": serial, "lineage": "x", "outputs": {}, "resources": []});
    let cases = [
        (&planner, &plan, false),
        (&writer, &plan, false),
        (&planner, &scripts, false),
        (&writer, &scripts, true),
        (&writer, &destroy, true),
        (&planner, &asked, true),
    ];
    for (number, (caller, template, writes)) in cases.into_iter().enumerate() {
        let workspace = house.workspace(&format!("w{number}")).await;
        let job = id(&house.ask(caller, &workspace, json!({"templateReference": template})).await.expect(201));
        house.app.settle().await;
        if template == &asked {
            writer
                .patch(&house.path(&format!("job/{job}")), change("job", &job, json!({"status": "approved"})))
                .await
                .expect(204);
            house.app.settle().await;
        }
        let started = house.app.runner.started();
        let step = started.last().unwrap();
        let password = step.environment.iter().find(|(name, _)| name == "TF_HTTP_PASSWORD").unwrap().1.expose().clone();
        let basic = STANDARD.encode(format!("step:{password}"));
        let step = house.client.with(Some(&format!("Basic {basic}")));
        let backend = format!("/tfstate/v1/organization/{}/workspace/{workspace}/backend", house.organization);
        assert_eq!(step.get(&backend).await.status, 204, "it reads");
        let written = step.post(&backend, state(1)).await;
        assert_eq!(written.status, if writes { 200 } else { 403 }, "number {number}: {}", written.text);
        house.app.runner.exit_all(0);
        house.app.settle().await;
    }
}

/// Members with roles are checked like teams.
#[tokio::test]
async fn roles_of_members_have_their_rights() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    for (role, expected) in [(Role::Devops, 201), (Role::Viewer, 403)] {
        let caller = house.app.token(house.organization, role).await;
        for attributes in [json!({"tcl": tcl(SCRIPT)}), json!({"templateReference": house.template("Destroy").await})] {
            assert_eq!(house.ask(&caller, &workspace, attributes).await.status, expected, "{role:?}");
        }
    }
}
