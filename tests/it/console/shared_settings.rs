//! The forms of what workspaces share: templates, variables, VCS connections and SSH keys.

use entity::member::Role;
use serde_json::Value;

use super::browser::{Browser, between};
use super::settings_scene::Scene;

impl Scene {
    fn list(&self) -> String {
        format!("{}/terraform", self.settings)
    }

    fn new_of(&self, kind: &str) -> String {
        format!("{}/{kind}/new", self.settings)
    }

    /// The form of the only row of a kind that the list leads to.
    async fn edit(&self, kind: &str) -> String {
        let page = self.me.get(&self.list()).await.expect(200);
        let start = format!("href=\"{}/{kind}/", self.settings);
        let row = between(&page, &start, "/edit").unwrap_or_else(|| panic!("no {kind}: {page}"));
        format!("{}/{kind}/{row}/edit", self.settings)
    }

    /// The attributes of the resource with a name, in the other API.
    async fn shown(&self, kind: &str, name: &str) -> Value {
        let path = format!("/api/v1/organization/{}/{kind}", self.it.organization);
        let body = self.it.client.get(&path).await.expect(200);
        let named = |row: &&Value| row["attributes"]["name"] == name || row["attributes"]["key"] == name;
        body["data"].as_array().unwrap().iter().find(named).unwrap_or_else(|| panic!("no {name}: {body}"))["attributes"]
            .clone()
    }

    /// What is stored ends, and the list does not have it any more.
    async fn delete(&self, edit: &str, name: &str) {
        self.me.submit(edit, &edit.replace("/edit", "/delete"), &[]).await.leads();
        assert!(!self.me.get(&self.list()).await.expect(200).contains(name), "{name} is still listed");
    }
}

#[tokio::test]
async fn templates() {
    let scene = Scene::new(Role::Devops).await;
    let (me, new) = (&scene.me, scene.new_of("templates"));
    let flow = "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n";
    for (fields, said) in [
        ([("name", "kept"), ("tcl", "flow: [")], "cannot be parsed"),
        ([("name", " "), ("tcl", flow)], "must not be empty"),
        ([("name", "kept"), ("tcl", "flow:\n- type: approval\n  step: 1\n  team: NOBODY\n")], "NOBODY"),
    ] {
        let shown = me.submit(&new, &new, &fields).await.expect(400);
        assert!(shown.contains(said), "{said}: {shown}");
    }
    me.submit(&new, &new, &[("name", "0 mine <b>"), ("tcl", flow), ("version", "1")]).await.leads();
    let stored = scene.shown("template", "0 mine <b>").await;
    assert_eq!((&stored["version"], &stored["description"]), (&"1".into(), &Value::Null));
    let edit = scene.edit("template").await;
    let page = me.get(&edit).await.expect(200);
    assert!(page.contains("type: terraformPlan") && page.contains("0 mine &lt;b&gt;"), "{page}");
    me.submit(&edit, &edit, &[("name", "0 ours"), ("tcl", flow), ("description", "d")]).await.leads();
    assert_eq!(scene.shown("template", "0 ours").await["description"], "d");
    assert_eq!(me.submit(&new, &new, &[("name", "0 ours"), ("tcl", flow)]).await.status, 400, "the name is taken");
    scene.delete(&edit, "0 ours").await;
}

#[tokio::test]
async fn global_variables() {
    let scene = Scene::new(Role::Devops).await;
    let (me, new) = (&scene.me, scene.new_of("global-variables"));
    let shown =
        me.submit(&new, &new, &[("key", "9 is none"), ("category", "TERRAFORM"), ("value", "x")]).await.expect(400);
    assert!(shown.contains("class=\"problem\""), "{shown}");
    let fields = [("key", "region"), ("category", "TERRAFORM"), ("value", "hush-hush"), ("sensitive", "on")];
    me.submit(&new, &new, &fields).await.leads();
    let stored = scene.shown("globalvar", "region").await;
    assert_eq!((&stored["sensitive"], &stored["value"]), (&Value::Bool(true), &Value::Null));
    let edit = scene.edit("global-variable").await;
    for page in [&edit, &scene.list()] {
        assert!(!me.get(page).await.expect(200).contains("hush-hush"), "{page}");
    }
    let open = [("key", "region"), ("category", "TERRAFORM"), ("value", "")];
    assert!(me.submit(&edit, &edit, &open).await.expect(400).contains("must be given again"));
    me.submit(&edit, &edit, &[("key", "region"), ("category", "ENV"), ("sensitive", "on")]).await.leads();
    assert_eq!(scene.shown("globalvar", "region").await["category"], "ENV");
    scene.delete(&edit, "region").await;
}

#[tokio::test]
async fn vcs_connections_and_ssh_keys() {
    let scene = Scene::new(Role::Devops).await;
    let (me, new) = (&scene.me, scene.new_of("vcs-connections"));
    let base = [("name", "code"), ("vcsType", "GITLAB"), ("connectionType", "OAUTH")];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    let shown = me.submit(&new, &new, &with(&[("endpoint", "https://user:hush-hush@git.example")])).await.expect(400);
    assert!(shown.contains("must not contain a password"), "{shown}");
    me.submit(&new, &new, &with(&[("accessToken", "hush-hush")])).await.leads();
    let edit = scene.edit("vcs-connection").await;
    assert!(!me.get(&edit).await.expect(200).contains("hush-hush"));
    let moved = me.submit(&edit, &edit, &with(&[("endpoint", "https://git.example")])).await.expect(400);
    assert!(moved.contains("must be given again"), "{moved}");
    me.submit(&edit, &edit, &with(&[("description", "d")])).await.leads();
    assert_eq!(scene.shown("vcs", "code").await["description"], "d");
    let listed = me.get(&scene.list()).await.expect(200);
    assert!(listed.contains("<td data-label=\"Access token\">stored</td>"), "{listed}");
    me.submit(&edit, &edit, &with(&[("no-accessToken", "on")])).await.leads();
    assert!(!me.get(&scene.list()).await.expect(200).contains("<td data-label=\"Access token\">stored</td>"));
    scene.delete(&edit, ">code<").await;

    let new = scene.new_of("ssh-keys");
    let shown = me.submit(&new, &new, &[("name", "key"), ("sshType", "ed25519")]).await.expect(400);
    assert!(shown.contains("must not be empty"), "{shown}");
    let fields = [
        ("name", "key"),
        ("sshType", "ed25519"),
        ("privateKey", "hush-hush"),
        ("knownHosts", "a.example ssh-rsa AAAA"),
    ];
    me.submit(&new, &new, &fields).await.leads();
    let edit = scene.edit("ssh-key").await;
    assert!(!me.get(&edit).await.expect(200).contains("hush-hush"));
    let moved = [("name", "key"), ("sshType", "ed25519"), ("knownHosts", "b.example ssh-rsa AAAA")];
    assert!(me.submit(&edit, &edit, &moved).await.expect(400).contains("must be given again"));
    let renamed = [("name", "other key"), ("sshType", "rsa"), ("knownHosts", "a.example ssh-rsa AAAA")];
    me.submit(&edit, &edit, &renamed).await.leads();
    assert_eq!(scene.shown("ssh", "other key").await["sshType"], "rsa");
    scene.delete(&edit, "other key").await;
}

#[tokio::test]
async fn a_viewer_sees_no_forms_and_a_stranger_nothing() {
    let scene = Scene::new(Role::Devops).await;
    let new = scene.new_of("ssh-keys");
    let fields = [("name", "key"), ("sshType", "ed25519"), ("privateKey", "hush-hush")];
    scene.me.submit(&new, &new, &fields).await.leads();
    let viewer = Browser::new(&scene.app, scene.it.organization, Role::Viewer).await;
    let page = viewer.get(&scene.list()).await.expect(200);
    assert!(page.contains("key") && !page.contains("/ssh-keys/new") && !page.contains("/edit\""), "{page}");
    let edit = scene.edit("ssh-key").await;
    let other = scene.app.furnished().await;
    let stranger = Browser::new(&scene.app, other.organization, Role::Owner).await;
    let kinds = ["templates", "global-variables", "vcs-connections", "ssh-keys"];
    for path in kinds.iter().map(|kind| scene.new_of(kind)).chain([edit]) {
        assert_eq!(viewer.get(&path).await.status, 403, "{path}");
        assert_eq!(stranger.get(&path).await.status, 404, "{path}");
    }
    // A row is found only in its own organization.
    let row = between(&scene.edit("ssh-key").await, "/ssh-key/", "/edit").unwrap().to_owned();
    let elsewhere = format!("/console/organization/{}/settings/ssh-key/{row}/edit", other.organization);
    assert_eq!(stranger.get(&elsewhere).await.status, 404);
    let billing = Browser::new(&scene.app, scene.it.organization, Role::Billing).await;
    assert_eq!(billing.get(&scene.list()).await.status, 403);
    let tabs = billing.get(&scene.settings).await.expect(200);
    assert!(!tabs.contains("/settings/terraform"), "{tabs}");
}
