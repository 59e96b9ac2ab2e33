//! Databases that have the schema already: copies of one that is migrated once. Thirty migrations take longer than most tests.

use std::sync::OnceLock;

use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use windlass::store;

use super::{database, database_url};

/// What is copied.
enum Template {
    /// The bytes of a SQLite file.
    File(Vec<u8>),
    /// The name of a PostgreSQL database.
    Database(String),
}

/// The URL of a new database without rows; one of SQLite is in the folder.
pub(crate) async fn database_with_schema(folder: &TempDir) -> String {
    match template() {
        Template::File(bytes) => {
            let url = database(folder).await;
            std::fs::write(folder.path().join("test.db"), bytes).unwrap();
            url
        }
        Template::Database(template) => {
            let name = format!("test_{}", uuid::Uuid::now_v7().simple());
            copy_on_postgres(template, &name).await;
            database_url(&name).unwrap()
        }
    }
}

/// Copies a database of the PostgreSQL server of the tests, to which nobody may be connected.
pub(crate) async fn copy_on_postgres(template: &str, name: &str) {
    administer(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
}

/// Runs a statement that no transaction may contain on the PostgreSQL server of the tests.
pub(crate) async fn administer(statement: &str) {
    let server = std::env::var("WINDLASS_TEST_DATABASE_URL").unwrap();
    let db = store::connect(&server, 1).await.unwrap();
    db.execute_unprepared(statement).await.unwrap();
    db.close().await.unwrap();
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        // On another thread, because the caller is inside a runtime.
        std::thread::scope(|scope| {
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime().block_on(make())).join().unwrap()
        })
    })
}

async fn make() -> Template {
    let folder = tempfile::tempdir().unwrap();
    let url = database(&folder).await;
    let db = store::connect(&url, 1).await.unwrap();
    migration::run(&db).await.unwrap();
    db.close().await.unwrap();
    match url.strip_prefix("postgres://").and_then(|url| url.rsplit_once('/')) {
        Some((_, name)) => Template::Database(name.to_owned()),
        None => Template::File(std::fs::read(folder.path().join("test.db")).unwrap()),
    }
}
