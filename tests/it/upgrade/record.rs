//! Writes down the statements that the server sends while tests run, for `cargo xtask record-statements`.
//!
//! What has bound values was built by the server; migrations, and rows that tests put in place, are texts without any.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use sea_orm::DbBackend;
use sea_orm::metric::Info;

/// The file that is written to, and what is in it.
struct Record {
    file: File,
    seen: HashSet<String>,
}

static SQLITE: LazyLock<Option<Mutex<Record>>> = LazyLock::new(|| record("sqlite"));
static POSTGRES: LazyLock<Option<Mutex<Record>>> = LazyLock::new(|| record("postgres"));

/// A file in the folder that `WINDLASS_RECORD_STATEMENTS` names, if it names one.
fn record(name: &str) -> Option<Mutex<Record>> {
    let folder = std::env::var_os("WINDLASS_RECORD_STATEMENTS")?;
    let file = OpenOptions::new().create(true).append(true).open(Path::new(&folder).join(name)).unwrap();
    Some(Mutex::new(Record { file, seen: HashSet::new() }))
}

/// Appends a statement that succeeded to the file of its database, on one line, once.
pub(crate) fn note(info: &Info<'_>) {
    // Some tests are always on SQLite.
    let record = if info.statement.db_backend == DbBackend::Postgres { &POSTGRES } else { &SQLITE };
    let Some(record) = record.as_ref() else { return };
    if info.failed || info.statement.values.is_none() {
        return;
    }
    let line = info.statement.sql.replace('\n', " ");
    let mut record = record.lock().unwrap();
    if !record.seen.contains(&line) {
        writeln!(record.file, "{line}").unwrap();
        record.seen.insert(line);
    }
}
