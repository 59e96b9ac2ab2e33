//! The pages of the private registry: modules with their forms, and how they are used.

use entity::member::Role;

use super::browser::between;
use super::settings_scene::Scene;
use crate::cloud::registry::modules;
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
