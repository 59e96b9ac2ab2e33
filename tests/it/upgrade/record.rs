//! Writes down the statements that the server sends while tests run, for `cargo xtask record-statements`.
//!
//! What has bound values was built by the server; migrations, and rows that tests put in place, are texts without any.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

use sea_orm::metric::Info;

/// The file that is written to, and what is in it.
struct Record {
    file: File,
    seen: HashSet<String>,
}

static RECORD: LazyLock<Option<Mutex<Record>>> = LazyLock::new(|| {
    let path = std::env::var_os("WINDLASS_RECORD_STATEMENTS")?;
    let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    Some(Mutex::new(Record { file, seen: HashSet::new() }))
});

/// Appends a statement that succeeded to the file that `WINDLASS_RECORD_STATEMENTS` names, on one line, once.
pub(crate) fn note(info: &Info<'_>) {
    let Some(record) = RECORD.as_ref() else { return };
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
