//! The pages of variables.

use entity::member::Role;
use serde_json::{Value, json};

use super::browser::Browser;
use crate::harness::{Furnished, TestApp};

async fn variables(it: &Furnished) -> Vec<Value> {
    let path = format!("/variable?parent_id={}&scope=ENVIRONMENT", it.environment);
    it.client.get(&path).await.expect(200)["results"].as_array().unwrap().clone()
}

async fn variable(it: &Furnished, key: &str) -> Value {
    variables(it).await.into_iter().find(|one| one["key"] == key).unwrap_or(Value::Null)
}

#[tokio::test]
async fn create_override_alias_edit_and_delete() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let forms = format!("/console/variables/project/{}", it.project);
    let new = format!("{forms}/new");
    let refused = [("key", "1x"), ("value", "kept value"), ("description", "kept text")];
    let page = me.submit(&new, &new, &refused).await.expect(400);
    for text in ["must consist of letters, digits and underscores", "kept value", "kept text", "value=\"1x\""] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let to = me.submit(&new, &new, &[("key", "COLOR"), ("value", "red"), ("description", "of the shop")]).await.leads();
    assert_eq!(to, format!("/console/project/{}/variables?notice=variable-created", it.project));
    let page = me.get(&to).await.expect(200);
    assert!(page.contains("COLOR") && page.contains("red") && page.contains("of the shop"), "{page}");
    let taken = me.submit(&new, &new, &[("key", "COLOR"), ("value", "blue")]).await.expect(400);
    assert!(taken.contains("already has a variable COLOR"), "{taken}");

    let secret = [("key", "TOKEN"), ("value", "hush-hush"), ("secret", "on")];
    me.submit(&new, &new, &secret).await.leads();
    let refused = me.submit(&new, &new, &[("key", "9"), ("value", "hush-hush"), ("secret", "on")]).await.expect(400);
    assert!(!refused.contains("hush-hush"), "a secret does not come back: {refused}");
    let page = me.get(&format!("/console/project/{}/variables", it.project)).await.expect(200);
    assert!(page.contains("TOKEN") && !page.contains("hush-hush"), "{page}");

    let own = format!("/console/variables/environment/{}", it.environment);
    let color = variable(&it, "COLOR").await["id"].as_str().unwrap().to_owned();
    let list = format!("/console/environment/{}/variables", it.environment);
    let page = me.get(&list).await.expect(200);
    assert!(page.contains(&format!("{own}/{color}/override")), "{page}");
    assert!(page.contains("QOVERY_ENVIRONMENT_NAME") || page.contains("Built-in"), "{page}");
    let form = format!("{own}/{color}/override");
    me.submit(&form, &form, &[("value", "green")]).await.leads();
    let overrides = variables(&it).await.into_iter().find(|one| one["key"] == "COLOR" && one["scope"] == "ENVIRONMENT");
    let overrides = overrides.unwrap();
    assert_eq!((&overrides["value"], &overrides["variable_type"]), (&json!("green"), &json!("OVERRIDE")));
    let form = format!("{own}/{color}/alias");
    me.submit(&form, &form, &[("key", "PAINT")]).await.leads();
    assert_eq!(variable(&it, "PAINT").await["aliased_variable"]["key"], "COLOR");
    let page = me.get(&list).await.expect(200);
    for text in ["alias of", "overrides that of project", "hidden by a narrower one", "green"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let found = me.get(&format!("{list}?q=pain")).await.expect(200);
    assert!(found.contains("PAINT") && !found.contains(">TOKEN<"), "{found}");

    let edit = format!("{own}/{}/edit", overrides["id"].as_str().unwrap());
    assert!(me.get(&edit).await.expect(200).contains("green"));
    me.submit(&edit, &edit, &[("value", "blue"), ("description", "sky")]).await.leads();
    let edited = variables(&it).await.into_iter().find(|one| one["id"] == overrides["id"]).unwrap();
    assert_eq!((&edited["value"], &edited["description"]), (&json!("blue"), &json!("sky")));
    me.get(&format!("{own}/{color}/edit")).await.expect(404);
    let delete = format!("{own}/{}/delete", overrides["id"].as_str().unwrap());
    me.submit(&list, &delete, &[]).await.leads();
    assert!(!variables(&it).await.iter().any(|one| one["id"] == overrides["id"]));
    let wider = me.post(&format!("{own}/{color}/delete"), &me.csrf().await, &[]).await.expect(400);
    assert!(wider.contains("belongs to a wider scope"), "{wider}");
}

#[tokio::test]
async fn secrets_stay_unless_they_are_replaced() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let own = format!("/console/variables/environment/{}", it.environment);
    let new = format!("{own}/new");
    me.submit(&new, &new, &[("key", "TOKEN"), ("value", "first-secret"), ("secret", "on")]).await.leads();
    let id = variable(&it, "TOKEN").await["id"].as_str().unwrap().to_owned();
    let sealed = async || {
        let id: uuid::Uuid = id.parse().unwrap();
        let row = windlass::store::row::by_id::<entity::variable::Model>(&app.app.db, entity::id::VariableId(id)).await;
        row.unwrap().unwrap().sealed
    };
    let before = sealed().await;
    let edit = format!("{own}/{id}/edit");
    assert!(!me.get(&edit).await.expect(200).contains("first-secret"));
    me.submit(&edit, &edit, &[("key", "TOKEN"), ("value", ""), ("description", "d")]).await.leads();
    assert_eq!(sealed().await, before, "the value stays");
    assert_eq!(variable(&it, "TOKEN").await["description"], "d");
    me.submit(&edit, &edit, &[("key", "TOKEN"), ("replace", "on"), ("value", "second-secret")]).await.leads();
    assert_ne!(sealed().await, before);
    let refused = [("key", "bad key"), ("replace", "on"), ("value", "third-secret")];
    assert!(!me.submit(&edit, &edit, &refused).await.expect(400).contains("third-secret"));
}

#[tokio::test]
async fn import_of_a_text() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let me = Browser::new(&app, it.organization, Role::Admin).await;
    let form = format!("/console/variables/environment/{}/import", it.environment);
    for (text, problem) in [
        ("plain", "line 1 has no ="),
        ("A=1\n\n9B=2", "line 3: the name must consist of letters"),
        ("# nothing", "must have at least one variable"),
    ] {
        let page = me.submit(&form, &form, &[("text", text)]).await.expect(400);
        assert!(page.contains(problem) && page.contains(text.lines().last().unwrap()), "{page}");
    }
    let text = "# colors\nexport A=1\nB=\"two\nlines\"\n";
    let to = me.submit(&form, &form, &[("text", text)]).await.leads();
    assert!(to.ends_with("notice=variables-imported"), "{to}");
    assert_eq!(
        (&variable(&it, "A").await["value"], &variable(&it, "B").await["value"]),
        (&json!("1"), &json!("two\nlines"))
    );
    let to = me.submit(&form, &form, &[("text", "A=2\nC=3")]).await.leads();
    assert!(to.ends_with("notice=variables-skipped"), "{to}");
    assert_eq!((&variable(&it, "A").await["value"], &variable(&it, "C").await["value"]), (&json!("1"), &json!("3")));
    me.submit(&form, &form, &[("text", "A=2"), ("overwrite", "on")]).await.leads();
    assert_eq!(variable(&it, "A").await["value"], "2");
    me.submit(&form, &form, &[("text", "S=hidden-value"), ("secret", "on")]).await.leads();
    let page = me.get(&format!("/console/environment/{}/variables", it.environment)).await.expect(200);
    assert!(page.contains(">S<") && !page.contains("hidden-value"), "{page}");
}
