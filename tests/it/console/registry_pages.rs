//! The pages of the private registry: modules, providers and signing keys with their forms, and how they are used.

use entity::member::Role;

use super::browser::{Browser, between};
use super::settings_scene::Scene;
use crate::cloud::registry::{archive, modules, public_key};
use crate::git_server::{Rule, serve};

#[tokio::test]
async fn modules_of_the_private_registry() {
    let scene = Scene::new(Role::Devops).await;
    let me = &scene.me;
    let (list, new) = (format!("{}/private-registry", scene.settings), format!("{}/modules/new", scene.settings));
    let folder = tempfile::tempdir().unwrap();
    modules(folder.path());
    let (server, _) = serve(folder.path(), Rule::Open).await;
    let source = format!("{server}/modules.git");
    for (field, value, said) in [
        ("name", "a b", "begin and end with a letter or a digit"),
        ("provider", "AWS", "lowercase letters and digits"),
        ("source", "https://me:secret-of-git@git.example/x.git", "password"),
        ("folder", "../x", "without .."),
        ("tagPrefix", "a b", "that a tag may have"),
    ] {
        let mut fields = vec![("name", "network"), ("provider", "test"), ("source", source.as_str())];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let shown = me.submit(&new, &new, &fields).await.expect(400);
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let fields = [
        ("name", "network"),
        ("provider", "test"),
        ("source", source.as_str()),
        ("folder", "modules/network"),
        ("tagPrefix", "network/"),
    ];
    me.submit(&new, &new, &fields).await.leads();
    assert!(me.submit(&new, &new, &fields).await.expect(400).contains("already has a module"));
    let page = me.get(&list).await.expect(200);
    let row = between(&page, &format!("href=\"{}/module/", scene.settings), "/edit").unwrap().to_owned();
    let of = format!("{}/module/{row}", scene.settings);
    me.submit(&list, &format!("{of}/refresh"), &[]).await.leads();
    let page = me.get(&list).await.expect(200);
    assert!(
        page.contains("2.0.0, 1.3.1, 1.2.0") && page.contains("~&gt; 2.0") && page.contains("/network/test"),
        "{page}"
    );
    let edit = format!("{of}/edit");
    let changed = [("name", "network"), ("provider", "test"), ("source", "https://git.invalid/x.git")];
    me.submit(&edit, &edit, &changed).await.leads();
    me.submit(&list, &format!("{of}/refresh"), &[]).await.leads();
    assert!(me.get(&list).await.expect(200).contains("class=\"problem\""));
    me.submit(&edit, &format!("{of}/delete"), &[]).await.leads();
    assert!(!me.get(&list).await.expect(200).contains("network/test"));
}

#[tokio::test]
async fn who_only_looks_gets_no_forms() {
    let scene = Scene::new(Role::Viewer).await;
    let page = scene.me.get(&format!("{}/private-registry", scene.settings)).await.expect(200);
    assert!(page.contains("There are no modules yet") && !page.contains("modules/new"), "{page}");
    scene.me.get(&format!("{}/modules/new", scene.settings)).await.expect(403);
}

#[tokio::test]
async fn signing_keys_of_the_private_registry() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { app, it, me, settings } = &scene;
    let (list, new) = (format!("{settings}/private-registry"), format!("{settings}/signing-keys/new"));
    let key = public_key();
    for wrong in ["", "no <key>", &key.replace("PUBLIC", "PRIVATE"), &"x".repeat(70_000)] {
        let shown = me.submit(&new, &new, &[("ascii-armor", wrong)]).await.expect(400);
        assert!(shown.contains("Public key must") && !shown.contains("no <key>"), "{shown}");
    }
    for _twice in 0..2 {
        let to = me.submit(&new, &new, &[("ascii-armor", &key.replace('\n', "\r\n"))]).await.leads();
        assert!(to.starts_with(&list), "{to}");
    }
    let page = me.get(&list).await.expect(200);
    let delete: Vec<&str> = page.split("/signing-key/").skip(1).collect();
    assert_eq!(delete.len(), 1, "the same key twice is one: {page}");
    let path = format!("/api/registry/private/v2/gpg-keys?filter[namespace]={}", it.organization);
    let known = it.client.get(&path).await.expect(200);
    let [id, armor] = ["key-id", "ascii-armor"].map(|name| known["data"][0]["attributes"][name].as_str().unwrap());
    assert_eq!(armor, key);
    assert!(page.contains(id), "{page}");
    // Somebody who only looks has neither form, and cannot send one.
    let delete = format!("{settings}/signing-key/{}/delete", known["data"][0]["id"].as_str().unwrap());
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let seen = viewer.get(&list).await.expect(200);
    assert!(seen.contains(id) && !seen.contains("signing-key"), "{seen}");
    let csrf = viewer.csrf().await;
    viewer.get(&new).await.expect(403);
    viewer.post(&new, &csrf, &[("ascii-armor", &key)]).await.expect(403);
    viewer.post(&delete, &csrf, &[]).await.expect(403);
    me.post(&delete, "of another session", &[]).await.expect(403);
    let other = app.organization("other").await;
    let stranger = Browser::new(app, other, Role::Admin).await;
    let csrf = stranger.csrf().await;
    stranger.post(&delete, &csrf, &[]).await.expect(404);
    stranger.post(&delete.replace(&it.organization.to_string(), &other.to_string()), &csrf, &[]).await.expect(404);
    me.submit(&list, &delete, &[]).await.leads();
    assert!(me.get(&list).await.expect(200).contains("There are no signing keys yet"));
    me.post(&delete, &me.csrf().await, &[]).await.expect(404);
}

/// Uploads two platforms of a version of a provider, as the command line does.
async fn upload(scene: &Scene, version: &str) {
    let base = format!("/v1/providers/{}/internal/{version}/files", scene.it.organization);
    let name = format!("terraform-provider-internal_{version}");
    let (zip, sum) = archive("terraform-provider-internal", version.as_bytes());
    let files = ["linux_amd64", "darwin_arm64"].map(|platform| format!("{name}_{platform}.zip"));
    let list = files.iter().map(|file| format!("{sum}  {file}\n")).collect::<String>();
    scene.it.client.upload(&format!("{base}/{name}_SHA256SUMS?protocols=6.0"), list.into_bytes()).await.expect(201);
    for file in files {
        scene.it.client.upload(&format!("{base}/{file}"), zip.clone()).await.expect(201);
    }
}

#[tokio::test]
async fn providers_of_the_private_registry() {
    let scene = Scene::new(Role::Devops).await;
    let Scene { app, it, me, settings } = &scene;
    let list = format!("{settings}/private-registry");
    assert!(me.get(&list).await.expect(200).contains("windlass registry provider upload dist/"));
    upload(&scene, "1.0.0").await;
    upload(&scene, "1.10.0").await;
    let page = me.get(&list).await.expect(200);
    let provider = between(&page, &format!("{settings}/provider/"), "\"").unwrap().to_owned();
    let own = format!("{settings}/provider/{provider}");
    let shown = me.get(&own).await.expect(200);
    let places = ["<h3>1.10.0", "<h3>1.0.0"].map(|text| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}")));
    assert!(places[0] < places[1], "the newest version is first");
    for text in ["linux_amd64", "darwin_arm64", "Protocols 6.0", "not signed yet"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let row = |shown: &str, kind: &str| between(shown, &format!("/{kind}/"), "/delete").unwrap().to_owned();
    let (platform, version) = (row(&shown, "provider-platform"), row(&shown, "provider-version"));
    let [platform, version] = [("provider-platform", platform), ("provider-version", version)]
        .map(|(kind, row)| format!("{settings}/{kind}/{row}/delete"));
    let whole = format!("{own}/delete");
    // Somebody who only looks sees everything, and no buttons.
    let viewer = Browser::new(app, it.organization, Role::Viewer).await;
    let seen = viewer.get(&own).await.expect(200);
    assert!(seen.contains("1.10.0") && !seen.contains("/delete") && !seen.contains("upload"), "{seen}");
    let stranger = Browser::new(app, app.organization("other").await, Role::Admin).await;
    stranger.get(&own).await.expect(404);
    let (its, strange) = (viewer.csrf().await, stranger.csrf().await);
    for to in [&platform, &version, &whole] {
        viewer.post(to, &its, &[]).await.expect(403);
        stranger.post(to, &strange, &[]).await.expect(404);
        me.post(to, "of another session", &[]).await.expect(403);
    }
    assert!(me.submit(&own, &platform, &[]).await.leads().starts_with(&own));
    let shown = me.get(&own).await.expect(200);
    assert_eq!(shown.matches("/provider-platform/").count(), 3, "{shown}");
    assert!(me.submit(&own, &version, &[]).await.leads().starts_with(&own));
    let shown = me.get(&own).await.expect(200);
    assert!(shown.contains("<h3>1.0.0") && !shown.contains("1.10.0"), "{shown}");
    assert!(me.submit(&own, &whole, &[]).await.leads().starts_with(&list));
    me.get(&own).await.expect(404);
    assert!(me.get(&list).await.expect(200).contains("There are no providers yet"));
}
