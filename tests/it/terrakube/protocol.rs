//! JSON:API documents, paths, filters, pages and errors.

use poem::http::Method;
use serde_json::{Value, json};

use super::{House, change, detail, id, new, tcl};

fn names(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|one| one["attributes"]["name"].as_str().unwrap()).collect()
}

/// Percent-encodes a text for a URL.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test]
async fn the_default_templates_are_there() {
    let house = House::new().await;
    let body = house.get("template?sort=name").await;
    assert_eq!(
        names(&body),
        ["Destroy", "Plan", "Plan and apply", "Terraform-Plan/Apply-Cli", "Terraform-Plan/Destroy-Cli"]
    );
    // They are created once: a deleted one does not come back.
    let plan = house.template("Plan").await;
    house.client.delete(&house.path(&format!("template/{plan}"))).await.expect(204);
    windlass::bootstrap::add_missing_templates(&house.app.app).await.unwrap();
    assert_eq!(house.get("template").await["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn documents() {
    let house = House::new().await;
    let project = house.create("project", "project", json!({"name": "shop"})).await;
    let mut body = new("workspace", json!({"name": "a", "locked": "false", "description": null}));
    body["data"]["id"] = json!("an id that is left out");
    body["data"]["relationships"] = json!({"project": {"data": {"type": "project", "id": project}}});
    let made = house.client.post(&house.path("workspace/"), body).await.expect(201);
    let workspace = id(&made);
    assert_eq!(made["data"]["attributes"]["iacType"], "terraform");
    assert_eq!(made["data"]["attributes"]["createdDate"], "2026-11-22T10:00Z");
    assert_eq!(made["data"]["relationships"]["project"]["data"], json!({"type": "project", "id": project}));
    assert_eq!(made["data"]["relationships"]["job"]["data"], json!([]));
    // Through every path that leads to it.
    for path in [
        house.path(&format!("workspace/{workspace}")),
        format!("/api/v1/workspace/{workspace}/"),
        house.path(&format!("project/{project}/workspace/{workspace}")),
    ] {
        let found = house.client.get_json(&path).await;
        assert_eq!(found["data"], made["data"], "{path}");
    }
    let sparse = house.get(&format!("workspace/{workspace}?fields[workspace]=name,project")).await;
    assert_eq!(sparse["data"]["attributes"], json!({"name": "a"}));
    assert_eq!(sparse["data"]["relationships"].as_object().unwrap().len(), 1);
    let included =
        house.get(&format!("workspace/{workspace}?include=project,organization.template&fields[template]=name")).await;
    let kinds: Vec<&str> =
        included["included"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "template").count(), 5);
    assert!(kinds.contains(&"project") && kinds.contains(&"organization"));
    // Sets a relationship and clears it.
    let relationship = house.path(&format!("workspace/{workspace}/relationships/project"));
    assert_eq!(house.client.get(&relationship).await.expect(200)["data"]["id"], project);
    house.client.patch(&relationship, json!({"data": null})).await.expect(204);
    assert_eq!(house.client.get(&relationship).await.expect(200)["data"], Value::Null);
    house.client.patch(&relationship, json!({"data": {"type": "project", "id": project}})).await.expect(204);
    let gone = json!({"data": {"type": "project", "id": workspace}});
    assert_eq!(
        detail(house.client.patch(&relationship, gone).await, 404),
        format!("Unknown identifier {workspace} for project")
    );
    // PATCH changes only the given attributes.
    house
        .client
        .patch(&house.path(&format!("workspace/{workspace}")), change("workspace", &workspace, json!({"branch": "x"})))
        .await
        .expect(204);
    let after = house.get(&format!("workspace/{workspace}")).await;
    assert_eq!(
        (&after["data"]["attributes"]["branch"], &after["data"]["attributes"]["name"]),
        (&json!("x"), &json!("a"))
    );
    house.client.delete(&house.path(&format!("workspace/{workspace}"))).await.expect(204);
    assert_eq!(house.get("workspace").await["data"], json!([]));
}

#[tokio::test]
async fn filters_orders_and_pages() {
    let house = House::new().await;
    for (name, branch) in [("alpha", "main"), ("beta one", "main"), ("Gamma", "dev"), ("del_ta*", "x")] {
        house
            .create("workspace", "workspace", json!({"name": name, "branch": branch, "locked": name == "alpha"}))
            .await;
    }
    let found = async |filter: &str| {
        let body = house.get(&format!("workspace?sort=name&filter[workspace]={}", encoded(filter))).await;
        let mut found: Vec<String> = names(&body).into_iter().map(str::to_owned).collect();
        found.sort();
        found
    };
    for (filter, expected) in [
        ("name==alpha", vec!["alpha"]),
        ("name=='beta one'", vec!["beta one"]),
        ("name==*a", vec!["Gamma", "alpha"]),
        ("name==*et*", vec!["beta one"]),
        ("name==del_ta*", vec!["del_ta*"]),
        ("name==del%ta*", vec![]),
        ("name==gamma", vec![]),
        ("name=ini=(gamma,ALPHA)", vec!["Gamma", "alpha"]),
        ("name!=alpha;branch==main", vec!["beta one"]),
        ("locked==true,branch==dev", vec!["Gamma", "alpha"]),
        ("(name==alpha,name==Gamma);branch=in=(dev,x)", vec!["Gamma"]),
        ("branch=out=(main,dev)", vec!["del_ta*"]),
        ("name>beta;name<c", vec!["beta one"]),
        ("description=isnull=true;locked==false", vec!["Gamma", "beta one", "del_ta*"]),
        ("organization.name==acme;name==alpha", vec!["alpha"]),
        ("organization.template.name==Plan;name==alpha", vec!["alpha"]),
        ("organization.name==other", vec![]),
    ] {
        assert_eq!(found(filter).await, expected, "{filter}");
    }
    for filter in ["name=", "nothing==1", "locked==perhaps", "(name==a", "a.b.c.d.e==1", "organization==1"] {
        let answer = house.client.get(&house.path(&format!("workspace?filter[workspace]={}", encoded(filter)))).await;
        assert_eq!(answer.status, 400, "{filter}: {}", answer.text);
    }
    // Without a type, the collection of the path decides.
    let body = house.client.get("/api/v1/organization?filter=name==acme").await.expect(200);
    assert_eq!(names(&body), ["acme"]);
    let page = house.get("workspace?sort=-name&page[size]=3&page[number]=2&page[totals]").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    assert_eq!(page["meta"]["page"], json!({"number": 2, "limit": 3, "totalRecords": 4, "totalPages": 2}));
    for query in [
        "x=1",
        "sort=nothing",
        "fields[workspace]=nothing",
        "include=nothing",
        "page[size]=0",
        "fields[nothing]=a",
        "sort=organization.template.name",
    ] {
        let answer = house.client.get(&house.path(&format!("workspace?{query}"))).await;
        assert!(!detail(answer, 400).is_empty(), "{query}");
    }
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let post = async |collection: &str, body: Value| house.client.post(&house.path(collection), body).await;
    let of_workspace = |attributes: Value| {
        let mut body = new("job", attributes);
        body["data"]["relationships"] = json!({"workspace": {"data": {"type": "workspace", "id": workspace}}});
        body
    };
    assert_eq!(detail(post("job", of_workspace(json!({"nothing": 1}))).await, 404), "Unknown attribute nothing in job");
    assert_eq!(detail(post("job", new("foo", json!({}))).await, 400), "Unknown entity type: Entity foo not found");
    assert!(detail(post("job", new("workspace", json!({}))).await, 400).starts_with("Invalid value: Cannot assign"));
    let unknown = uuid::Uuid::nil().to_string();
    let mut body = of_workspace(json!({}));
    body["data"]["relationships"]["workspace"]["data"]["id"] = json!(unknown);
    assert_eq!(detail(post("job", body.clone()).await, 404), format!("Unknown identifier {unknown} for workspace"));
    body["data"]["relationships"]["workspace"]["data"] = json!({"type": "workspace"});
    assert_eq!(detail(post("job", body.clone()).await, 404), "Unknown identifier null for workspace");
    body["data"]["relationships"] = json!({"foo": {"data": null}});
    assert_eq!(detail(post("job", body).await, 404), "Unknown attribute foo in job");
    assert!(detail(post("job", new("job", json!({}))).await, 400).contains("workspace"));
    assert!(detail(post("job", of_workspace(json!({}))).await, 400).starts_with("templateReference: "));
    assert!(
        detail(post("job", of_workspace(json!({"templateReference": unknown}))).await, 400).contains("for template")
    );
    assert!(detail(post("job", of_workspace(json!({"tcl": tcl("flow: [")}))).await, 400).starts_with("tcl: "));
    assert!(detail(post("job", of_workspace(json!({"status": "sleepy"}))).await, 400).contains("sleepy"));
    assert!(detail(post("job", of_workspace(json!({"refresh": "perhaps"}))).await, 400).contains("refresh"));
    assert!(
        detail(post("job", of_workspace(json!({"overrideBranch": "b".repeat(129)}))).await, 423)
            .contains("overrideBranch")
    );
    assert!(detail(post("job", of_workspace(json!({"output": "mine"}))).await, 403).contains("output"));
    // None of this was stored.
    assert_eq!(house.get("job").await["data"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_found_or_read() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let unknown = uuid::Uuid::nil().to_string();
    let post = async |collection: &str, body: Value| house.client.post(&house.path(collection), body).await;
    assert!(detail(post("workspace", new("workspace", json!({"name": "a"}))).await, 409).contains("conflicts"));
    assert!(detail(post("workspace", new("workspace", json!({}))).await, 400).contains("name"));
    assert!(
        detail(post("workspace", new("workspace", json!({"name": "x", "iacType": "pulumi"}))).await, 400)
            .contains("pulumi")
    );
    assert!(
        detail(post("globalvar", new("globalvar", json!({"key": "k", "value": "v"}))).await, 400).contains("category")
    );
    // Texts are plain, and say what is allowed.
    for (attributes, text) in [
        (
            json!({"name": "'<b>", "branch": {"a": 1}}),
            r#"Invalid value: {"a":1} for branch: branch must be a text without NUL characters"#,
        ),
        (json!({"name": "x", "locked": "'yes'"}), "Invalid value: 'yes' for locked: locked must be true or false"),
        (
            json!({"name": "x", "iacType": "<pulumi>"}),
            "Invalid value: <pulumi> for iacType: iacType must be one of tofu, terraform",
        ),
    ] {
        assert_eq!(detail(post("workspace", new("workspace", attributes)).await, 400), text);
    }
    for (path, status) in [
        ("job/999", 404),
        ("job/abc", 400),
        ("foo", 404),
        ("workspace/abc", 400),
        ("team/relationships/organization", 404),
    ] {
        let answer = house.client.get(&house.path(path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    assert_eq!(detail(house.client.get(&house.path("job/999")).await, 404), "Unknown identifier [999] for job");
    assert_eq!(
        detail(house.client.get(&format!("/api/v1/organization/{unknown}")).await, 404),
        format!("Unknown identifier {unknown} for organization")
    );
    let path = house.path(&format!("workspace/{workspace}"));
    assert!(
        detail(house.client.patch(&path, new("workspace", json!({"name": "b"}))).await, 400)
            .contains("Id in response body")
    );
    assert!(
        detail(house.client.patch(&path, change("workspace", &unknown, json!({}))).await, 400)
            .contains("Id in response body")
    );
    assert_eq!(house.client.patch(&path, json!({"data": []})).await.status, 400);
    for (body, kind, status) in [
        ("{}", "application/json", 415),
        ("{", "application/vnd.api+json", 400),
        ("", "application/vnd.api+json", 400),
        ("{}", "application/vnd.api+json", 400),
    ] {
        let answer =
            house.client.call_with(Method::POST, &house.path("workspace"), Some(body), &[("content-type", kind)]).await;
        assert_eq!(answer.status, status, "{body} {kind}: {}", answer.text);
    }
    // An organization is disabled, not deleted.
    let own = format!("/api/v1/organization/{}", house.organization);
    assert_eq!(house.client.raw_call("DELETE", &own, None, &[]).await.0, 403);
    house
        .client
        .patch(&own, change("organization", &house.organization.to_string(), json!({"disabled": true})))
        .await
        .expect(204);
    assert_eq!(house.client.get(&own).await.status, 404);
}

#[tokio::test]
async fn sensitive_values_are_never_shown() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = format!("workspace/{workspace}/variable");
    let secret = json!({"key": "k", "value": "hunter2-long", "category": "ENV", "sensitive": true});
    let variable = house.create(&path, "variable", secret).await;
    let own = house.path(&format!("{path}/{variable}"));
    let shown = house.client.get(&own).await;
    assert!(!shown.text.contains("hunter2"));
    assert_eq!(shown.expect(200)["data"]["attributes"]["value"], Value::Null);
    // A response that is sent back changes nothing.
    house
        .client
        .patch(&own, change("variable", &variable, json!({"value": null, "description": "d"})))
        .await
        .expect(204);
    let job = house.template("Plan").await;
    house.start(&workspace, json!({"templateReference": job})).await;
    house.app.settle().await;
    let started = house.app.runner.started().remove(0);
    assert!(started.environment.iter().any(|(key, value)| key == "k" && value.expose() == "hunter2-long"));
    // A secret is never shown to anybody.
    let opened = house.client.patch(&own, change("variable", &variable, json!({"sensitive": false}))).await;
    assert!(detail(opened, 400).contains("value"));
    house
        .client
        .patch(&own, change("variable", &variable, json!({"sensitive": false, "value": "new"})))
        .await
        .expect(204);
    assert_eq!(house.client.get(&own).await.expect(200)["data"]["attributes"]["value"], "new");
    house.client.patch(&own, change("variable", &variable, json!({"sensitive": true}))).await.expect(204);
    assert_eq!(house.client.get(&own).await.expect(200)["data"]["attributes"]["value"], Value::Null);
    for (collection, kind, attributes) in [
        ("vcs", "vcs", json!({"name": "hub", "vcsType": "GITHUB", "clientId": "c", "clientSecret": "s3cr3t-text"})),
        ("ssh", "ssh", json!({"name": "key", "sshType": "ed25519", "privateKey": "s3cr3t-text"})),
    ] {
        let made = house.client.post(&house.path(collection), new(kind, attributes)).await;
        assert!(made.status == 201 && !made.text.contains("s3cr3t"), "{}", made.text);
    }
    assert_eq!(house.client.post(&house.path("ssh"), new("ssh", json!({"name": "k2"}))).await.status, 400);
}

#[tokio::test]
async fn several_writes_or_none() {
    let house = House::new().await;
    let tag = house.create("tag", "tag", json!({"name": "prod"})).await;
    let media = "application/vnd.api+json;ext=\"https://jsonapi.org/ext/atomic\"";
    let both = [("content-type", media), ("accept", media)];
    let send = async |operations: Value, headers: &[(&str, &str)]| {
        let body = json!({"atomic:operations": operations}).to_string();
        house.client.call_with(Method::POST, "/api/v1/operations", Some(&body), headers).await
    };
    let href = format!("/organization/{}/workspace", house.organization);
    let add = json!([
        {"op": "add", "href": href, "data": {"type": "workspace", "lid": "w", "attributes": {"name": "a"}}},
        {"op": "add", "href": format!("{href}/w/workspaceTag"), "data": {"type": "workspacetag", "lid": "t", "attributes": {"tagId": tag}}},
        {"op": "update", "ref": {"type": "workspace", "lid": "w"}, "data": {"type": "workspace", "lid": "w", "attributes": {"branch": "b"}}},
    ]);
    assert_eq!(send(add.clone(), &[("content-type", media)]).await.status, 415);
    let done = send(add, &both).await.expect(200);
    let results = done["atomic:results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["data"]["attributes"]["branch"]), (3, &json!("b")));
    let workspace = results[0]["data"]["id"].as_str().unwrap();
    assert_eq!(house.get(&format!("workspace/{workspace}/workspaceTag")).await["data"].as_array().unwrap().len(), 1);
    // The second operation fails, so the first one is rolled back.
    let half = json!([
        {"op": "add", "href": href, "data": {"type": "workspace", "lid": "x", "attributes": {"name": "b"}}},
        {"op": "add", "href": href, "data": {"type": "workspace", "lid": "y", "attributes": {"name": "a"}}},
    ]);
    let failed = send(half, &both).await.expect(400);
    assert_eq!(failed[1]["errors"][0]["status"], "409");
    assert_eq!(house.get("workspace").await["data"].as_array().unwrap().len(), 1);
    let away = json!([{"op": "remove", "ref": {"type": "workspace", "id": workspace}}]);
    send(away, &both).await.expect(200);
    assert_eq!(house.get("workspace").await["data"], json!([]));
    for wrong in [
        json!([{"op": "add", "href": href, "data": {"type": "workspace", "attributes": {"name": "z"}}}]),
        json!([{"op": "sing"}]),
        json!({}),
    ] {
        assert_eq!(send(wrong, &both).await.status, 400);
    }
}

/// An organization with workspaces cannot be deleted; the remains of deleted workspaces are deleted with it.
#[tokio::test]
async fn an_organization_with_workspaces_is_not_deleted() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let plan = house.template("Plan").await;
    let job = house.start(&workspace, json!({"templateReference": plan})).await;
    house.app.settle().await;
    let first = format!("/organization/{}", house.organization);
    assert!(house.client.delete(&first).await.detail(409).contains("workspaces (1)"));
    // A workspace with an open job cannot be deleted.
    let path = house.path(&format!("workspace/{workspace}"));
    assert!(detail(house.client.delete(&path).await, 409).contains(&format!("job {job}")));
    house.app.runner.exit_all(0);
    house.app.settle().await;
    let away = change("workspace", &workspace, json!({"deleted": true, "name": "a_DEL_1"}));
    house.client.patch(&path, away).await.expect(204);
    house.client.delete(&first).await.expect(204);
    while windlass::engine::tick::prune(&house.app.app, house.app.clock.now()).await.more {}
    use sea_orm::{EntityTrait as _, PaginatorTrait as _};
    assert_eq!(entity::run::Entity::find().count(&house.app.app.db).await.unwrap(), 0);
}

/// A password in a URL would be shown to everybody who sees the resource. A name alone is none.
#[tokio::test]
async fn urls_with_passwords_are_refused() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = house.path(&format!("workspace/{workspace}"));
    let secret = "https://me:secret@git.example/a.git";
    for url in [secret, "https://ghp_secret@github.com/a/b.git", "ssh://git:secret@git.example/a.git"] {
        let created = json!({"name": "b", "source": url});
        let answer = house.client.post(&house.path("workspace"), new("workspace", created)).await;
        let refused = detail(answer, 400);
        assert!(
            refused.starts_with("source must not contain a password") && refused.contains("accessToken"),
            "{refused}"
        );
        assert!(!refused.contains("secret"), "{refused}");
        let answer = house.client.patch(&path, change("workspace", &workspace, json!({"source": url}))).await;
        assert!(detail(answer, 400).starts_with("source"), "{url}");
    }
    for field in ["endpoint", "apiUrl", "redirectUrl"] {
        let mut vcs = json!({"name": "v", "vcsType": "GITLAB"});
        vcs[field] = json!(secret);
        let refused = detail(house.client.post(&house.path("vcs"), new("vcs", vcs)).await, 400);
        assert!(refused.starts_with(&format!("{field} must not contain a password")), "{refused}");
    }
    let import = format!(
        "flow:\n- {{type: customScripts, step: 1, importCommands: {{repository: '{secret}', folder: a, branch: main}}}}\n"
    );
    let template = new("template", json!({"name": "t", "tcl": tcl(&import)}));
    let refused = detail(house.client.post(&house.path("template"), template).await, 400);
    assert!(refused.contains("importCommands.repository must not contain a password"), "{refused}");
    let schedule = new("schedule", json!({"cron": "0 0 * * * ?", "tcl": tcl(&import)}));
    let refused = detail(house.client.post(&format!("{path}/schedule"), schedule).await, 400);
    assert!(refused.contains("importCommands.repository"), "{refused}");
    for url in ["https://acme@dev.azure.com/acme/a/_git/b", "ssh://git@git.example/a.git", "git@git.example:a.git"] {
        house.client.patch(&path, change("workspace", &workspace, json!({"source": url}))).await.expect(204);
    }
    // The other API refuses them in its fields.
    let organization = format!("/organization/{}", house.organization);
    for field in ["website_url", "repository", "logo_url", "icon_url"] {
        let mut body = json!({"name": "acme"});
        body[field] = json!(secret);
        let refused = house.client.put(&organization, body).await.detail(400);
        assert!(refused.starts_with(field) && !refused.contains("secret"), "{refused}");
    }
}
