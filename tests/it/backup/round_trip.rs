//! Every row of every table comes back, in a database of the same kind and of the other one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, EntityTrait as _, Statement};
use tempfile::TempDir;
use windlass::backup::{BackupReader, LEFT_OUT, Part};
use windlass::error::Error;
use windlass::store;
use windlass::store::whole::{self, Kind, Value};

use super::{sqlite_in, windlass};
use crate::harness::TestApp;
use crate::world::World;

/// The rows of all tables in an order of their own. Documents are compared by their meaning.
async fn rows(db: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
    store::snapshot(db, async |tx| {
        let mut all = BTreeMap::new();
        for table in whole::tables(tx).await?.iter().filter(|table| !LEFT_OUT.contains(&table.name.as_str())) {
            let mut rows = Vec::new();
            whole::read_rows(tx, table, |row| {
                let row = row.into_iter().map(|value| match value {
                    Value::Json(text) => serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string(),
                    value => format!("{value:?}"),
                });
                rows.push(row.collect::<Vec<_>>().join(" | "));
                Ok::<_, DbErr>(())
            })
            .await?;
            rows.sort();
            all.insert(table.name.clone(), rows);
        }
        Ok::<_, DbErr>(all)
    })
    .await
    .unwrap()
}

/// The rows as the database itself writes them, to the last byte; without the counter that a sequence of PostgreSQL continues.
async fn raw_rows(db: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
    let backend = db.get_database_backend();
    let mut all = BTreeMap::new();
    for table in whole::tables(db).await.unwrap().iter().filter(|table| !LEFT_OUT.contains(&table.name.as_str())) {
        let row = if backend == DbBackend::Postgres {
            "t::text".to_owned()
        } else {
            let columns: Vec<String> =
                table.columns.iter().map(|column| format!("quote(\"{}\")", column.name)).collect();
            columns.join(" || ' | ' || ")
        };
        let only = if table.name == "counter" { " WHERE name <> 'run'" } else { "" };
        let sql = format!("SELECT {row} FROM \"{}\" t{only}", table.name);
        let found = db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        let mut rows: Vec<String> = found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        rows.sort();
        all.insert(table.name.clone(), rows);
    }
    all
}

async fn connect(url: &str) -> DatabaseConnection {
    store::connect(url, 2).await.unwrap()
}

/// A new database of the other kind, if there are two here.
async fn of_the_other_kind(app: &TestApp, folder: &TempDir) -> String {
    let on_sqlite = app.app.db.get_database_backend() == DbBackend::Sqlite;
    if on_sqlite { crate::harness::database(folder).await } else { sqlite_in(folder.path()) }
}

fn copy(from: (&Path, &str), to: (&Path, &str), file: &Path) {
    let file = file.display().to_string();
    windlass(from.0, from.1, &["backup", &file]).well();
    windlass(to.0, to.1, &["backup", "--verify", &file]).well();
    std::fs::create_dir_all(to.0).unwrap();
    std::fs::copy(from.0.join("secret.key"), to.0.join("secret.key")).unwrap();
    windlass(to.0, to.1, &["restore", &file]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_comes_back_in_either_kind_of_database() {
    let app = TestApp::new().await;
    let _world = World::new(&app).await;
    windlass::bootstrap::add_missing_templates(&app.app).await.unwrap();
    let data = &app.app.config.data_dir;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let there = of_the_other_kind(&app, &one).await;
    copy((data, &app.url), (&one.path().join("data"), &there), &one.path().join("backup"));
    let back = crate::harness::database(&two).await;
    copy((&one.path().join("data"), &there), (&two.path().join("data"), &back), &two.path().join("backup"));
    let (there, back) = (connect(&there).await, connect(&back).await);
    let before = rows(&app.app.db).await;
    let filled = before.values().filter(|rows| !rows.is_empty()).count();
    assert!(filled > 30, "{filled} tables have rows");
    assert_same(&before, &rows(&there).await);
    assert_same(&before, &rows(&back).await);
    assert_same(&raw_rows(&app.app.db).await, &raw_rows(&back).await);
    assert_eq!(migration::schema(&back).await.unwrap(), migration::Schema::Current);
    // Numbers of runs continue.
    if back.get_database_backend() == DbBackend::Postgres {
        let taken = back.query_one_raw(Statement::from_string(DbBackend::Postgres, "SELECT take_run_numbers(1)")).await;
        let taken: i64 = taken.unwrap().unwrap().try_get_by_index(0).unwrap();
        let runs = entity::run::Entity::find().all(&app.app.db).await.unwrap();
        assert!(taken > runs.iter().map(|run| run.number).max().unwrap());
    }
}

#[track_caller]
fn assert_same(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) {
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (table, rows) in before {
        assert_eq!(rows, &after[table], "the rows of {table}");
    }
}

/// A table that is added takes part by itself, or is left out by name.
#[tokio::test]
async fn no_table_is_forgotten() {
    let app = TestApp::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    windlass(&app.app.config.data_dir, &app.url, &["backup", &file.display().to_string()]).well();
    let reader = BackupReader::open(std::io::BufReader::new(std::fs::File::open(&file).unwrap())).unwrap();
    let header = reader.header();
    let entities = crate::schema::entities();
    let included: BTreeSet<&String> = header.tables.iter().map(|table| &table.name).collect();
    let expected: BTreeSet<&String> = entities.keys().filter(|name| !LEFT_OUT.contains(&name.as_str())).collect();
    assert_eq!(included, expected);
    for table in &header.tables {
        let columns: BTreeSet<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        assert_eq!(columns, entities[&table.name], "{}", table.name);
    }
    let kinds: BTreeSet<String> =
        header.tables.iter().flat_map(|table| &table.columns).map(|column| format!("{:?}", column.kind)).collect();
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    assert!(header.tables.iter().any(|table| table.columns.iter().any(|column| column.kind == Kind::Json)));
    assert_eq!(header.schema, migration::names());
}

/// An organization and a counter that belong together.
async fn pair(db: &DatabaseConnection, number: usize) {
    let row = entity::organization::Model::new(&format!("o{number}"), crate::harness::start());
    store::write(db, async |tx| {
        store::organization::create(tx, row.clone()).await?;
        let counter = entity::counter::Model { name: format!("o{number}"), value: 1 };
        store::row::create(tx, counter).await?;
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_one_moment() {
    let app = TestApp::new().await;
    let folder = tempfile::tempdir().unwrap();
    let ends = AtomicBool::new(false);
    let (data, url, ends) = (&app.app.config.data_dir, &app.url, &ends);
    let writes = async {
        let mut number = 0;
        while !ends.load(Ordering::SeqCst) {
            pair(&app.app.db, number).await;
            number += 1;
        }
    };
    let backups = async {
        let mut counts = Vec::new();
        for turn in 0..4 {
            let file = folder.path().join(turn.to_string());
            let words = ["backup".to_owned(), file.display().to_string()];
            let (data, url) = (data.clone(), url.clone());
            let saved =
                tokio::task::spawn_blocking(move || windlass(&data, &url, &words.each_ref().map(String::as_str)));
            saved.await.unwrap().well();
            counts.push(pairs_in(&file));
        }
        ends.store(true, Ordering::SeqCst);
        counts
    };
    let ((), counts) = tokio::join!(writes, backups);
    assert!(counts.iter().all(|(organizations, counters)| organizations == counters), "{counts:?}");
    assert!(counts[3].0 > counts[0].0, "nothing was written meanwhile: {counts:?}");
}

/// How many organizations and how many of their counters are in a backup.
fn pairs_in(file: &Path) -> (usize, usize) {
    let mut reader = BackupReader::open(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap();
    let (mut table, mut organizations, mut counters) = (0, 0, 0);
    loop {
        match reader.next_part().unwrap() {
            Part::Begin(place) => table = place,
            Part::Row(row) => match reader.header().tables[table].name.as_str() {
                "organization" => organizations += 1,
                "counter" if row.iter().any(|one| matches!(one, Value::Text(name) if name.starts_with('o'))) => {
                    counters += 1
                }
                _ => {}
            },
            Part::End { .. } => {}
            Part::Done { .. } => return (organizations, counters),
        }
    }
}

/// A backup of an older release, which this one brings along.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_is_brought_along() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = crate::harness::database(&old).await;
    let db = connect(&url).await;
    migration::run_first(&db, 11).await.unwrap();
    let ids: [uuid::Uuid; 4] = std::array::from_fn(|_| uuid::Uuid::now_v7());
    crate::schema::environment_in(&db, ids).await;
    let file = new.path().join("backup").display().to_string();
    windlass(old.path(), &url, &["backup", &file]).well();
    let restored = crate::harness::database(&new).await;
    windlass(new.path(), &restored, &["restore", &file]).well();
    let db = connect(&restored).await;
    assert_eq!(migration::schema(&db).await.unwrap(), migration::Schema::Current);
    let row = store::environment::by_id(&db, entity::id::EnvironmentId(ids[3])).await.unwrap().unwrap();
    assert_eq!(row.name, "x");
    let stages = store::stage::list(&db, row.id).await.unwrap();
    assert!(stages.iter().map(|stage| stage.name.as_str()).eq(entity::stage::DEFAULTS) || stages.is_empty());
}
