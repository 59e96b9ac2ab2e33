//! The forms of the settings of an organization.

use entity::member::Role;
use serde_json::{Value, json};

use super::browser::{Browser, between};
use super::settings_scene::Scene;

impl Scene {
    /// The newest event of a change, as text.
    async fn event(&self, kind: &str, target: &str) -> String {
        let path = format!("/organization/{}/events?eventType={kind}&targetType={target}", self.it.organization);
        self.it.client.get(&path).await.expect(200)["events"][0].to_string()
    }
}

#[tokio::test]
async fn registries_with_their_logins() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/registries/new");
    let base = [("name", "images <b>"), ("kind", "GENERIC_CR"), ("url", "https://registry.example")];
    for (field, text, said) in [
        ("kind", "MOON", "must be one of the list"),
        ("url", "http://registry.example", "must be an https:// URL"),
        ("name", "", "Name "),
    ] {
        let fields: Vec<_> = base.into_iter().map(|pair| if pair.0 == field { (field, text) } else { pair }).collect();
        let shown = me.submit(&new, &new, &fields).await.expect(400);
        assert!(shown.contains(said) && shown.contains("class=\"problem\""), "{field}: {shown}");
    }
    let mut fields = base.to_vec();
    fields.extend([("config.username", "robot"), ("config.password", "hush-hush")]);
    me.submit(&new, &new, &fields).await.leads();
    let row = scene.named("containerRegistry", "images <b>").await;
    assert_eq!((&row["kind"], &row["config"]["username"]), (&json!("GENERIC_CR"), &json!("robot")));
    let event = scene.event("CREATE", "CONTAINER_REGISTRY").await;
    assert!(event.contains("images <b>") && !event.contains("hush-hush"), "{event}");
    let page = me.get(&format!("{settings}/logins")).await.expect(200);
    assert!(page.contains("images &lt;b&gt;"), "{page}");

    let edit = format!("{settings}/registry/{}/edit", row["id"].as_str().unwrap());
    let page = me.get(&edit).await.expect(200);
    assert!(page.contains("value=\"robot\"") && !page.contains("hush-hush"), "{page}");
    let moved =
        [("name", "images"), ("kind", "GENERIC_CR"), ("url", "https://other.example"), ("config.username", "r")];
    let shown = me.submit(&edit, &edit, &moved).await.expect(400);
    assert!(shown.contains("must be given again"), "{shown}");
    // A secret that is not given again stays.
    let same =
        [("name", "images"), ("kind", "GENERIC_CR"), ("url", "https://registry.example"), ("config.username", "r")];
    me.submit(&edit, &edit, &same).await.leads();
    let page = me.get(&format!("{settings}/logins")).await.expect(200);
    assert!(page.contains("<td data-label=\"Login\">r</td>"), "{page}");
    let tested = me.get(&format!("{edit}?image=UPPER%20case")).await.expect(200);
    assert!(tested.contains("class=\"problem\""), "{tested}");
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("containerRegistry").await.iter().all(|row| row["name"] != "images"));
}

#[tokio::test]
async fn git_logins() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/git-logins/new");
    let shown =
        me.submit(&new, &new, &[("name", "kept"), ("type", "BITBUCKET"), ("token", "hush-hush")]).await.expect(400);
    assert!(shown.contains("is required for BITBUCKET") && shown.contains("value=\"kept\""), "{shown}");
    assert!(!shown.contains("hush-hush"), "{shown}");
    me.submit(&new, &new, &[("name", "code"), ("type", "GITLAB"), ("token", "hush-hush")]).await.leads();
    let row = scene.named("gitToken", "code").await;
    assert_eq!((&row["type"], &row["git_api_url"]), (&json!("GITLAB"), &json!("https://gitlab.com/api/v4")));
    let edit = format!("{settings}/git-login/{}/edit", row["id"].as_str().unwrap());
    assert!(!me.get(&edit).await.expect(200).contains("hush-hush"));
    let moved = [("name", "code"), ("type", "GITLAB"), ("git_api_url", "https://git.example/api/v4")];
    assert!(me.submit(&edit, &edit, &moved).await.expect(400).contains("must be given again"));
    me.submit(&edit, &edit, &[("name", "source"), ("type", "GITLAB"), ("description", "d")]).await.leads();
    assert_eq!(scene.named("gitToken", "source").await["description"], "d");
    let event = scene.event("UPDATE", "ORGANIZATION").await;
    assert!(event.contains("GIT_TOKEN") && !event.contains("hush-hush"), "{event}");
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("gitToken").await.is_empty());
}

#[tokio::test]
async fn clusters_with_their_credentials() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/clusters/new");
    let wrong = [("name", "far"), ("region", "moon"), ("kubeconfig", "hush-hush: [")];
    let shown = me.submit(&new, &new, &wrong).await.expect(400);
    assert!(shown.contains("class=\"problem\"") && !shown.contains("hush-hush: ["), "{shown}");
    assert!(scene.rows("cluster").await.iter().all(|row| row["name"] != "far"), "a refused form stored a cluster");
    me.submit(&new, &new, &[("name", "far <b>"), ("region", "moon"), ("production", "on")]).await.leads();
    let row = scene.named("cluster", "far <b>").await;
    assert_eq!((&row["region"], &row["production"]), (&json!("moon"), &json!(true)));
    let path = format!("{settings}/cluster/{}", row["id"].as_str().unwrap());
    let edit = format!("{path}/edit");
    let taken = me.submit(&new, &new, &[("name", "FAR <b>"), ("region", "moon")]).await.expect(400);
    assert!(taken.contains("already has a cluster with this name"), "{taken}");
    me.submit(&edit, &edit, &[("name", "far"), ("region", "mars")]).await.leads();
    assert_eq!(scene.named("cluster", "far").await["production"], false);
    let kubeconfig = format!("{path}/kubeconfig");
    me.submit(&edit, &kubeconfig, &[("kubeconfig", "nonsense")]).await.expect(400);
    let valid = "{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}], \
        contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {token: hush-hush}}], current-context: a}";
    me.submit(&edit, &kubeconfig, &[("kubeconfig", valid)]).await.leads();
    let page = me.get(&edit).await.expect(200);
    assert!(page.contains("There is a kubeconfig.") && !page.contains("hush-hush"), "{page}");
    me.submit(&edit, &format!("{path}/delete"), &[]).await.leads();
    assert!(scene.rows("cluster").await.iter().all(|row| row["name"] != "far"));
    let local = scene.rows("cluster").await.into_iter().find(|row| row["is_default"] == true).unwrap();
    let local = format!("{settings}/cluster/{}", local["id"].as_str().unwrap());
    assert!(!me.get(&format!("{local}/edit")).await.expect(200).contains("/delete\""));
    let token = me.csrf().await;
    me.post(&format!("{local}/delete"), &token, &[]).await.expect(409);
    me.post(&format!("{local}/kubeconfig"), &token, &[("kubeconfig", valid)]).await.expect(409);
}

#[tokio::test]
async fn agents_of_a_cluster() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/clusters/new");
    me.submit(&new, &new, &[("name", "far <b>"), ("region", "moon")]).await.leads();
    let list = format!("{settings}/clusters");
    assert!(me.get(&list).await.expect(200).contains("use agents instead"));
    let path = format!("{settings}/cluster/{}", scene.named("cluster", "far <b>").await["id"].as_str().unwrap());
    let agents = format!("{path}/agents");
    let none = me.get(&agents).await.expect(200);
    assert!(none.contains("There are no agents yet") && none.contains("far &lt;b&gt;"), "{none}");
    let refused = me.submit(&agents, &agents, &[("name", " ")]).await.expect(400);
    assert!(refused.contains("class=\"problem\""), "{refused}");
    let long = "y".repeat(1000);
    let refused = me.submit(&agents, &agents, &[("name", &long)]).await.expect(400);
    assert!(refused.contains(&format!("value=\"{long}\"")), "what was typed is kept: {refused}");
    let created = me.submit(&agents, &agents, &[("name", "crane <b>")]).await.expect(200);
    assert!(created.contains(&format!("data-reload=\"{agents}\"")), "a reload makes no second one: {created}");
    let token = created.split("WINDLASS_AGENT_TOKEN=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(token.starts_with("windlass-agent_") && created.contains("windlass agent --url"), "{created}");
    let again = me.get(&agents).await.expect(200);
    assert!(
        again.contains("crane &lt;b&gt;") && again.contains("not connected yet") && !again.contains(&token),
        "{again}"
    );
    let event = scene.event("CREATE", "CLUSTER").await;
    assert!(!event.contains(&token), "{event}");
    // A cluster of agents takes no kubeconfig.
    assert!(!me.get(&format!("{path}/edit")).await.expect(200).contains("/kubeconfig"));
    let remove = again.split(&format!("{path}/agent/")).nth(1).unwrap().split('"').next().unwrap();
    me.submit(&agents, &format!("{path}/agent/{remove}"), &[]).await.leads();
    assert!(me.get(&agents).await.expect(200).contains("There are no agents yet"));
}

#[tokio::test]
async fn webhooks_with_their_events() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/webhooks/new");
    let shown = me.submit(&new, &new, &[("kind", "STANDARD"), ("target_url", "ftp://x <b>")]).await.expect(400);
    assert!(shown.contains("Events must have 1 to") && shown.contains("value=\"ftp://x &lt;b&gt;\""), "{shown}");
    let fields = [
        ("kind", "STANDARD"),
        ("target_url", "https://hooks.example.com/a"),
        ("target_secret", "whsec_aHVzaC1odXNoLWh1c2gtaHVzaC1odXNo"),
        ("events", "DEPLOYMENT_FAILURE"),
        ("events", "DEPLOYMENT_STARTED"),
        ("own_events", "RUN_TOO_LONG"),
        ("own_events", "RUN_FAILED"),
        ("environment_types_filter", "PRODUCTION"),
        ("project_names_filter", "shop\r\nbilling\r\n"),
        ("enabled", "on"),
    ];
    me.submit(&new, &new, &fields).await.leads();
    let row = scene.rows("webhook").await.remove(0);
    assert_eq!(row["events"], json!(["DEPLOYMENT_STARTED", "DEPLOYMENT_FAILURE"]));
    assert_eq!(row["own_events"], json!(["RUN_FAILED", "RUN_TOO_LONG"]));
    assert_eq!((&row["project_names_filter"], &row["target_secret_set"]), (&json!(["shop", "billing"]), &json!(true)));
    assert_eq!((&row["environment_types_filter"], &row["enabled"]), (&json!(["PRODUCTION"]), &json!(true)));
    let edit = format!("{settings}/webhook/{}/edit", row["id"].as_str().unwrap());
    assert!(me.get(&format!("{settings}/webhooks")).await.expect(200).contains(&edit));
    let page = me.get(&edit).await.expect(200);
    assert!(page.contains("value=\"DEPLOYMENT_FAILURE\" checked") && !page.contains("whsec_"), "{page}");
    assert!(page.contains("value=\"RUN_FAILED\" checked") && !page.contains("value=\"TIME_MISSED\" checked"), "{page}");
    let kept = [("kind", "STANDARD"), ("target_url", "https://hooks.example.com/b"), ("events", "DEPLOYMENT_FAILURE")];
    me.submit(&edit, &edit, &kept).await.leads();
    let row = scene.rows("webhook").await.remove(0);
    assert_eq!((&row["target_secret_set"], &row["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(row["own_events"], json!([]), "no box was checked");
    let moved = [("kind", "STANDARD"), ("target_url", "https://other.example.com"), ("events", "DEPLOYMENT_FAILURE")];
    assert!(me.submit(&edit, &edit, &moved).await.expect(400).contains("must be given again"));
    let mut removed = moved.to_vec();
    removed.push(("no_secret", "on"));
    me.submit(&edit, &edit, &removed).await.leads();
    assert_eq!(scene.rows("webhook").await[0]["target_secret_set"], false);
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("webhook").await.is_empty());
    assert!(scene.event("DELETE", "WEBHOOK").await.contains("other.example.com"));
}

#[tokio::test]
async fn roles_with_their_permissions() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { it, me, settings, .. } = &scene;
    let new = format!("{settings}/roles/new");
    let cluster = scene.rows("cluster").await[0]["id"].as_str().unwrap().to_owned();
    let (on_cluster, in_project) = (format!("cluster-{cluster}"), format!("project-{}", it.project));
    let development = format!("{in_project}-DEVELOPMENT");
    let shown = me.submit(&new, &new, &[("name", "Owner"), (&on_cluster, "ADMIN")]).await.expect(400);
    assert!(shown.contains("must not be the name of a built-in role"), "{shown}");
    assert!(shown.contains("value=\"ADMIN\" selected"), "{shown}");
    let fields = [("name", "release <b>"), (&*on_cluster, "ENV_CREATOR"), (&*development, "DEPLOYER")];
    me.submit(&new, &new, &fields).await.leads();
    let row = scene.named("customRole", "release <b>").await;
    let permission = |list: &str, key: &str| -> Value {
        let rows = row[list].as_array().unwrap().iter();
        rows.map(|one| one[key].clone()).next().unwrap()
    };
    assert_eq!(permission("cluster_permissions", "permission"), "ENV_CREATOR");
    assert_eq!(permission("project_permissions", "permissions")[0]["permission"], "DEPLOYER");
    let path = format!("{settings}/role/{}", row["id"].as_str().unwrap());
    let edit = format!("{path}/edit");
    let page = me.get(&edit).await.expect(200);
    assert!(page.contains("value=\"DEPLOYER\" selected") && page.contains("release &lt;b&gt;"), "{page}");
    let admin = format!("{in_project}-admin");
    me.submit(&edit, &edit, &[("name", "release"), (&*admin, "on")]).await.leads();
    let row = scene.named("customRole", "release").await;
    assert_eq!(row["project_permissions"][0]["is_admin"], true);
    assert_eq!(row["cluster_permissions"][0]["permission"], "VIEWER");
    let bad = me.submit(&edit, &edit, &[("name", "release"), (&*on_cluster, "EVERYTHING")]).await;
    assert_eq!(bad.status, 400);
    let event = scene.event("UPDATE", "MEMBERS_AND_ROLES").await;
    assert!(event.contains("CUSTOM_ROLE") && event.contains("is_admin"), "{event}");
    assert!(between(&me.get(&format!("{settings}/roles")).await.expect(200), &path, "\"").is_some());
    me.submit(&edit, &format!("{path}/delete"), &[]).await.leads();
    assert!(scene.rows("customRole").await.is_empty());
}

#[tokio::test]
async fn calendars_with_a_line_for_each_entry() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { me, settings, .. } = &scene;
    let new = format!("{settings}/calendars/new");
    let typed = |days, spans| {
        [
            ("name", "closed"),
            ("timezone", "Europe/Berlin"),
            ("days", days),
            ("spans", spans),
            ("weekly", "sunday 00:00 to 24:00"),
        ]
    };
    let shown = me.submit(&new, &new, &typed("2026-12-25", "Christmas <b>")).await.expect(400);
    assert!(shown.contains("is not written like") && shown.contains("Christmas &lt;b&gt;"), "{shown}");
    let shown = me.submit(&new, &new, &typed("25.12.", "")).await.expect(400);
    assert!(shown.contains("must be a date such as"), "{shown}");
    let spans = "2026-12-24T18:00 to 2026-12-25T00:00\r\n";
    me.submit(&new, &new, &typed("2026-12-25\r\n\r\n2026-12-26", spans)).await.leads();
    let row = scene.rows("calendar").await.remove(0);
    assert_eq!(row["days"], json!(["2026-12-25", "2026-12-26"]));
    assert_eq!(row["spans"], json!([{"from": "2026-12-24T18:00", "to": "2026-12-25T00:00"}]));
    assert_eq!(row["weekly"], json!([{"weekday": "SUNDAY", "from": "00:00", "to": "24:00"}]));
    let edit = format!("{settings}/calendar/{}/edit", row["id"].as_str().unwrap());
    let page = me.get(&format!("{settings}/calendars")).await.expect(200);
    assert!(page.contains(&edit) && page.contains("SUNDAY 00:00 to 24:00"), "{page}");
    let shown = me.get(&edit).await.expect(200);
    assert!(
        shown.contains("2026-12-25\n2026-12-26") && shown.contains("2026-12-24T18:00 to 2026-12-25T00:00"),
        "{shown}"
    );
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20271225\r\nSUMMARY:Yule <b>\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    me.submit(&edit, &edit, &[("name", "closed"), ("timezone", "Europe/Berlin"), ("ics", file)]).await.leads();
    let page = me.get(&format!("{settings}/calendars")).await.expect(200);
    assert!(page.contains("2027-12-25: Yule &lt;b&gt;") && !page.contains("SUNDAY"), "{page}");
    me.submit(&edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
    assert!(scene.rows("calendar").await.is_empty());
    assert!(scene.event("DELETE", "ORGANIZATION").await.contains("closed"));
}

#[tokio::test]
async fn only_administrators_change_settings() {
    let scene = Scene::new(Role::Admin).await;
    let Scene { app, it, me, settings } = &scene;
    let webhook =
        json!({"kind": "STANDARD", "target_url": "https://hooks.example.com", "events": ["DEPLOYMENT_STARTED"]});
    it.client.post(&format!("/organization/{}/webhook", it.organization), webhook).await.expect(201);
    let git = json!({"name": "code", "type": "GITHUB", "token": "t"});
    it.client.post(&format!("/organization/{}/gitToken", it.organization), git).await.expect(201);
    it.client.post(&format!("/organization/{}/customRole", it.organization), json!({"name": "r"})).await.expect(201);
    it.client.post(&format!("/organization/{}/calendar", it.organization), json!({"name": "closed"})).await.expect(201);
    let first = async |kind: &str| scene.rows(kind).await[0]["id"].as_str().unwrap().to_owned();
    let rows = [
        format!("{settings}/registry/{}", first("containerRegistry").await),
        format!("{settings}/git-login/{}", first("gitToken").await),
        format!("{settings}/cluster/{}", first("cluster").await),
        format!("{settings}/webhook/{}", first("webhook").await),
        format!("{settings}/role/{}", first("customRole").await),
        format!("{settings}/calendar/{}", first("calendar").await),
    ];
    let mut forms: Vec<String> = ["registries", "git-logins", "clusters", "webhooks", "roles", "calendars"]
        .map(|kind| format!("{settings}/{kind}/new"))
        .into();
    forms.extend(rows.iter().map(|row| format!("{row}/edit")));
    let mut buttons: Vec<String> = rows.iter().map(|row| format!("{row}/delete")).collect();
    buttons.push(format!("{}/kubeconfig", rows[2]));
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let other = app.organization("other").await;
    let stranger = Browser::new(app, other, Role::Admin).await;
    let mut seen = String::new();
    for page in ["/logins", "/clusters", "/webhooks", "/roles", "/calendars"] {
        let shown = viewer.get(&format!("{settings}{page}")).await;
        seen += if shown.status == 200 { &shown.text } else { "" };
    }
    let (token, foreign) = (viewer.csrf().await, stranger.csrf().await);
    for path in &forms {
        assert!(!seen.contains(path.as_str()), "{path}");
        viewer.get(path).await.expect(403);
        stranger.get(path).await.expect(404);
        me.get(path).await.expect(200);
    }
    for path in forms.iter().chain(&buttons) {
        viewer.post(path, &token, &[]).await.expect(403);
        stranger.post(path, &foreign, &[]).await.expect(404);
        me.post(path, &foreign, &[]).await.expect(403);
    }
}
