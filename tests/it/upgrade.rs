//! The statements of earlier releases still work on the newest schema, so that servers can be replaced one at a time.
//!
//! tests/it/upgrade has a folder for each release, with the distinct statements that it sends to each database; they were
//! recorded by `cargo xtask record-statements`. They are compiled, not run: a statement that names what is gone does not
//! compile, and an INSERT that leaves out a column which has become mandatory is found by its list of columns.

pub(crate) mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

use crate::harness::database;

/// A statement of a release, and what is wrong with it.
#[derive(Debug)]
struct Broken {
    release: String,
    statement: String,
    reason: String,
}

/// What a release sends to one kind of database.
struct Release {
    name: String,
    statements: Vec<String>,
}

/// All releases in a folder, with their statements for this database.
fn releases(folder: &Path, backend: DbBackend) -> Vec<Release> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let file = if backend == DbBackend::Postgres { "postgres.sql" } else { "sqlite.sql" };
    let read = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        Release {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            statements: text.lines().filter(|line| !line.starts_with("--")).map(str::to_owned).collect(),
        }
    };
    folders.iter().map(read).collect()
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/upgrade")
}

/// An empty database with the newest schema.
async fn newest(folder: &TempDir) -> DatabaseConnection {
    let db = windlass::store::connect(&database(folder).await, 1).await.unwrap();
    migration::run(&db).await.unwrap();
    db
}

/// The statements that would fail on this schema.
async fn broken(db: &DatabaseConnection, releases: &[Release]) -> Vec<Broken> {
    let mandatory = mandatory(db).await;
    let mut broken = Vec::new();
    for release in releases {
        for statement in &release.statements {
            let missing = missing(statement, &mandatory);
            if let Some(reason) = compile(db, statement).await.err().or(missing) {
                broken.push(Broken { release: release.name.clone(), statement: statement.clone(), reason });
            }
        }
    }
    broken
}

/// Has the database read a statement without running it.
async fn compile(db: &DatabaseConnection, statement: &str) -> Result<(), String> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!("PREPARE recorded AS {statement}; DEALLOCATE recorded"),
        // Values that are not bound are NULL.
        _ => format!("EXPLAIN {statement}"),
    };
    db.execute_unprepared(&sql).await.map(|_| ()).map_err(|error| error.to_string())
}

/// The columns of each table that an INSERT has to fill.
async fn mandatory(db: &DatabaseConnection) -> BTreeMap<String, BTreeSet<String>> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND is_nullable = 'NO' AND column_default IS NULL \
             AND is_identity = 'NO' AND is_generated = 'NEVER'"
        }
        // SQLite fills an INTEGER PRIMARY KEY itself.
        _ => {
            "SELECT t.name AS table_name, c.name AS column_name FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.\"notnull\" AND c.dflt_value IS NULL \
             AND NOT (c.pk = 1 AND upper(c.type) = 'INTEGER')"
        }
    };
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
        let table = row.try_get("", "table_name").unwrap();
        tables.entry(table).or_default().insert(row.try_get("", "column_name").unwrap());
    }
    tables
}

/// Why the INSERTs of a statement would be refused: mandatory columns that they do not list.
fn missing(statement: &str, mandatory: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let name = |text: &str| text.trim().trim_matches('"').to_owned();
    for insert in statement.split("INSERT INTO ").skip(1) {
        let (table, rest) = insert.split_once('(')?;
        let given: BTreeSet<String> = rest.split(')').next()?.split(',').map(name).collect();
        // Without a list of columns the text in front of the parenthesis is more than a name.
        let table = name(table);
        let needed = mandatory.get(&table)?;
        let missing: Vec<&str> = needed.difference(&given).map(String::as_str).collect();
        if !missing.is_empty() {
            return Some(format!("{table} requires {}, which this INSERT leaves out", missing.join(", ")));
        }
    }
    None
}

fn shown(broken: &[Broken]) -> String {
    broken.iter().map(|b| format!("\nrelease {}: {}\n  {}\n", b.release, b.reason, b.statement)).collect()
}

#[tokio::test]
async fn statements_of_earlier_releases_work_on_the_newest_schema() {
    let folder = tempfile::tempdir().unwrap();
    let db = newest(&folder).await;
    let releases = releases(&recorded(), db.get_database_backend());
    for release in &releases {
        assert!(release.statements.len() > 100, "hardly anything is recorded of {}", release.name);
    }
    let broken = broken(&db, &releases).await;
    let rule = "a release may only expand the schema that the one before it uses (CONTRIBUTING.md, Schema changes)";
    assert!(broken.is_empty(), "{rule}:\n{}", shown(&broken));
}

/// A release that is in the changelog with a date has its statements recorded.
#[test]
fn the_newest_release_is_recorded() {
    let changelog = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    let dated = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split_once("] - "));
    let (newest, _) = dated.into_iter().next().expect("a release with a date");
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        let releases = releases(&recorded(), backend);
        assert!(releases.iter().any(|release| release.name == newest), "cargo xtask record-statements, for {newest}");
    }
}

/// What a later release must not do is found, and named with the release, the statement and the reason.
#[tokio::test]
async fn a_schema_that_breaks_an_earlier_release_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let db = newest(&folder).await;
    let releases = releases(&recorded(), db.get_database_backend());
    assert_eq!(shown(&broken(&db, &releases).await), "");
    let changes = [
        ("ALTER TABLE project RENAME COLUMN description TO about", "\"project\"", "description"),
        ("ALTER TABLE project DROP COLUMN about", "\"project\"", "description"),
        ("DROP TABLE skipped_time", "\"skipped_time\"", "skipped_time"),
    ];
    for (change, table, named) in changes {
        db.execute_unprepared(change).await.unwrap();
        let broken = broken(&db, &releases).await;
        let found = broken.iter().find(|b| b.statement.contains(table) && b.reason.contains(named));
        let found = found.unwrap_or_else(|| panic!("{change}: {}", shown(&broken)));
        assert!(releases.iter().any(|release| release.name == found.release), "{found:?}");
    }
}

/// A mandatory column does not keep statements from compiling, but it fails every INSERT that does not know it.
#[tokio::test]
async fn a_new_mandatory_column_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let db = newest(&folder).await;
    let releases = releases(&recorded(), db.get_database_backend());
    // SQLite adds such a column only with the whole table.
    let changes = match db.get_database_backend() {
        DbBackend::Postgres => "ALTER TABLE tag ADD COLUMN color text NOT NULL",
        _ => {
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = \
             replace(sql, 'CREATE TABLE \"tag\" ( ', 'CREATE TABLE \"tag\" ( \"color\" text NOT NULL, ') \
             WHERE name = 'tag'; PRAGMA writable_schema = RESET"
        }
    };
    db.execute_unprepared(changes).await.unwrap();
    let broken = broken(&db, &releases).await;
    assert!(!broken.is_empty());
    for one in &broken {
        assert_eq!(one.reason, "tag requires color, which this INSERT leaves out", "{one:?}");
        assert!(one.statement.starts_with("INSERT INTO \"tag\""), "{one:?}");
    }
    // With a default it is an expansion.
    let db = newest(&tempfile::tempdir().unwrap()).await;
    db.execute_unprepared("ALTER TABLE tag ADD COLUMN color text NOT NULL DEFAULT 'red'").await.unwrap();
    assert_eq!(shown(&self::broken(&db, &releases).await), "");
}

/// Nothing but its folder has to be added for a release.
#[tokio::test]
async fn every_folder_is_a_release() {
    let folder = tempfile::tempdir().unwrap();
    let db = newest(&folder).await;
    let recorded = tempfile::tempdir().unwrap();
    for (release, sql) in [("0.2.0", "SELECT id FROM project"), ("0.3.0", "SELECT color FROM project")] {
        fs::create_dir(recorded.path().join(release)).unwrap();
        for file in ["sqlite.sql", "postgres.sql"] {
            fs::write(recorded.path().join(release).join(file), format!("-- of {release}\n{sql}\n")).unwrap();
        }
    }
    let releases = releases(recorded.path(), db.get_database_backend());
    assert_eq!(releases.iter().map(|release| release.name.as_str()).collect::<Vec<_>>(), ["0.2.0", "0.3.0"]);
    let broken = broken(&db, &releases).await;
    assert_eq!(broken.len(), 1, "{}", shown(&broken));
    assert_eq!((broken[0].release.as_str(), broken[0].statement.as_str()), ("0.3.0", "SELECT color FROM project"));
    assert!(broken[0].reason.contains("color"), "{}", broken[0].reason);
}
