//! Makes the database reject changes to single rows, by triggers, until it is cured.

use sea_orm::{ConnectionTrait as _, DbBackend};

use crate::harness::TestApp;

/// How a trigger rejects a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejects {
    /// The statement fails, and the transaction can go on.
    Statement,
    /// The database ends the whole transaction by itself, as SQLite does when its disk is full. PostgreSQL always does.
    Transaction,
}

/// An id as SQL.
pub(crate) fn sql(app: &TestApp, id: &str) -> String {
    match app.app.db.get_database_backend() {
        DbBackend::Postgres => format!("'{id}'::uuid"),
        _ => format!("x'{}'", id.replace('-', "")),
    }
}

/// Rejects each change of this kind (`INSERT ON run`, ...) to the rows for which the condition on `OLD` and `NEW` is true.
pub(crate) async fn poison(app: &TestApp, change: &str, condition: &str, rejects: Rejects) {
    let db = &app.app.db;
    let name = format!("poison_{}", uuid::Uuid::now_v7().simple());
    if db.get_database_backend() == DbBackend::Postgres {
        let function = format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$"
        );
        db.execute_unprepared(&function).await.unwrap();
        let trigger =
            format!("CREATE TRIGGER {name} BEFORE {change} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()");
        db.execute_unprepared(&trigger).await.unwrap();
        return;
    }
    let how = if rejects == Rejects::Transaction { "ROLLBACK" } else { "ABORT" };
    let trigger =
        format!("CREATE TRIGGER {name} BEFORE {change} WHEN {condition} BEGIN SELECT RAISE({how}, 'poisoned'); END");
    db.execute_unprepared(&trigger).await.unwrap();
}

/// Removes all triggers.
pub(crate) async fn cure(app: &TestApp) {
    let db = &app.app.db;
    let backend = db.get_database_backend();
    let find = match backend {
        DbBackend::Postgres => {
            "SELECT tgname::text, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'poison_%'"
        }
        _ => "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
    };
    for row in db.query_all_raw(sea_orm::Statement::from_string(backend, find)).await.unwrap() {
        let (name, table): (String, String) = (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        let drop = match backend {
            DbBackend::Postgres => format!("DROP TRIGGER {name} ON {table}"),
            _ => format!("DROP TRIGGER {name}"),
        };
        db.execute_unprepared(&drop).await.unwrap();
    }
}
