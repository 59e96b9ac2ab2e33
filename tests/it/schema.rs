//! The migrated database has exactly the tables and columns of the entities.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait, IdenStatic as _, Iterable as _, Statement};

use crate::harness::TestApp;

fn columns<E: EntityTrait>(entity: &E) -> (String, BTreeSet<String>) {
    let names = E::Column::iter().map(|column| column.as_str().to_owned()).collect();
    (entity.table_name().to_owned(), names)
}

#[tokio::test]
async fn tables_and_entities_are_the_same() {
    let app = TestApp::new().await;
    let db = &app.app.db;
    let expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::from([
        columns(&entity::api_token::Entity),
        columns(&entity::cluster::Entity),
        columns(&entity::counter::Entity),
        columns(&entity::custom_role::Entity),
        columns(&entity::deployment::Entity),
        columns(&entity::deployment_job::Entity),
        columns(&entity::deployment_restriction::Entity),
        columns(&entity::deployment_rule::Entity),
        columns(&entity::environment::Entity),
        columns(&entity::event::Entity),
        columns(&entity::git_token::Entity),
        columns(&entity::invitation::Entity),
        columns(&entity::job::Entity),
        columns(&entity::job_group::Entity),
        columns(&entity::job_variables::Entity),
        columns(&entity::log_line::Entity),
        columns(&entity::member::Entity),
        columns(&entity::metadata_group::Entity),
        columns(&entity::organization::Entity),
        columns(&entity::person::Entity),
        columns(&entity::project::Entity),
        columns(&entity::registry::Entity),
        columns(&entity::run::Entity),
        columns(&entity::stage::Entity),
        columns(&entity::stage_job::Entity),
        columns(&entity::variable::Entity),
        columns(&entity::webhook::Entity),
        columns(&entity::webhook_delivery::Entity),
    ]);
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
        }
        _ => {
            "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
    };
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
        let (table, column): (String, String) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        found.entry(table).or_default().insert(column);
    }
    found.remove("seaql_migrations");
    assert_eq!(found, expected);
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let app = TestApp::new().await;
    assert_eq!(migration::pending(&app.app.db).await.unwrap(), 0);
    migration::run(&app.app.db).await.unwrap();
}

/// Rows that must not be are refused by the tables themselves.
#[tokio::test]
async fn impossible_rows_are_refused() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("events")).await;
    it.client.post(&format!("/job/{job}/deploy"), serde_json::json!({})).await.expect(202);
    app.settle().await;
    for sql in [
        "UPDATE run SET state = 'SUCCEEDED'",
        "UPDATE run SET attempt = 0",
        "UPDATE run SET scheduled_for = created_at",
        "UPDATE job SET job_type = 'OTHER'",
        "UPDATE job SET next_run_at = created_at",
        "UPDATE deployment SET progress = 'FAILED'",
        "UPDATE run SET job_id = deployment_id",
    ] {
        assert!(app.app.db.execute_unprepared(sql).await.is_err(), "{sql} was taken");
    }
}
