//! Values of variables that are to be expressions of HCL, and are none.

use entity::terraform_variable;
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};

use super::{House, change, detail, id, new};

const BROKEN: &str = "[\"a-secret\",";

fn is_refused(said: &str, key: &str) -> bool {
    said.contains(&format!("the value of the variable {key} is no expression of HCL (line "))
        && !said.contains("a-secret")
}

#[tokio::test]
async fn a_value_that_is_no_expression_is_refused() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let list = format!("workspace/{workspace}/variable");
    let of = |key: &str, value: &str, hcl: bool, sensitive: bool| json!({"key": key, "value": value, "category": "TERRAFORM", "hcl": hcl, "sensitive": sensitive});
    for collection in [list.as_str(), "globalvar"] {
        let kind = collection.rsplit('/').next().unwrap();
        for sensitive in [false, true] {
            let made = house.client.post(&house.path(collection), new(kind, of("l", BROKEN, true, sensitive))).await;
            let said = detail(made, 400);
            assert!(is_refused(&said, "l"), "{said}");
        }
        // What is no expression may become none, and what is stored is looked at, too.
        for (key, sensitive) in [("plain", false), ("hidden", true)] {
            let made = house.create(collection, kind, of(key, BROKEN, false, sensitive)).await;
            let path = house.path(&format!("{collection}/{made}"));
            let said = detail(house.client.patch(&path, change(kind, &made, json!({"hcl": true}))).await, 400);
            assert!(is_refused(&said, key), "{said}");
            let both = json!({"hcl": true, "value": "[\"a\",\r\n \"b\"]"});
            house.client.patch(&path, change(kind, &made, both)).await.expect(204);
            let said = detail(house.client.patch(&path, change(kind, &made, json!({"value": "1\nb = 2"}))).await, 400);
            assert!(is_refused(&said.replace("(more", "(line "), key), "{said}");
        }
    }
    // A value of the environment is never an expression.
    let of_environment = json!({"key": "l", "value": BROKEN, "category": "ENV", "hcl": true});
    house.create(&list, "variable", of_environment).await;
}

#[tokio::test]
async fn the_cloud_api_refuses_it_too() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let path = format!("/api/v2/workspaces/{workspace}/vars");
    let of = |attributes: Value| json!({"data": {"type": "vars", "attributes": attributes}});
    let broken = json!({"key": "l", "value": BROKEN, "category": "terraform", "hcl": true, "sensitive": true});
    let said = detail(house.client.post(&path, of(broken)).await, 422);
    assert!(said.starts_with("data.attributes.value: ") && is_refused(&said, "l"), "{said}");
    for sensitive in [false, true] {
        let key = format!("l{sensitive}");
        let plain = json!({"key": key, "value": BROKEN, "category": "terraform", "sensitive": sensitive});
        let made = format!("{path}/{}", id(&house.client.post(&path, of(plain)).await.expect(201)));
        let said = detail(house.client.patch(&made, of(json!({"hcl": true}))).await, 422);
        assert!(is_refused(&said, &key), "{said}");
    }
}

/// Earlier releases have stored such values. The tool would name a line of a file that nobody knows.
#[tokio::test]
async fn a_stored_one_fails_the_step_and_is_named() {
    let house = House::new().await;
    let workspace = house.workspace("a").await;
    let of = json!({"key": "l", "value": "[]", "category": "TERRAFORM", "hcl": true});
    house.create(&format!("workspace/{workspace}/variable"), "variable", of).await;
    let spoil =
        terraform_variable::Entity::update_many().col_expr(terraform_variable::Column::Value, Expr::value(BROKEN));
    spoil.exec(&house.app.app.db).await.unwrap();
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    house.app.settle().await;
    assert_eq!(house.status(&job).await.0, "failed");
    let said = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone();
    assert!(is_refused(said.as_str().unwrap(), "l"), "{said}");
    assert!(house.app.runner.started().is_empty());
}
