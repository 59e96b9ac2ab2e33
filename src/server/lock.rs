//! The lock of a server that uses an SQLite database: a second server would treat the runs of the first as orphaned, and migrate the
//! schema under it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::file_lock;

/// Exclusive use of an SQLite database, until it is dropped.
#[derive(Debug)]
pub struct DatabaseLock(#[expect(dead_code, reason = "the locks end with the files")] Vec<File>);

/// Locks the database file, by a file beside it. Does nothing on PostgreSQL.
///
/// # Errors
/// When another server holds the lock, or the lock file cannot be created.
pub(super) async fn lock_database(config: &Config) -> Result<DatabaseLock> {
    let Some(database) = database_file(config)? else { return Ok(DatabaseLock(Vec::new())) };
    let mut beside = database.clone().into_os_string();
    beside.push(".lock");
    let mut files = vec![PathBuf::from(beside)];
    files.extend(locks_of_earlier_releases(config, &database));
    let mut locks = Vec::with_capacity(files.len());
    for path in &files {
        locks.push(lock(path, &database).await?);
    }
    Ok(DatabaseLock(locks))
}

/// Servers up to 0.2.0 lock a file in their data folder instead: in that of this server, or in the folder of the database.
fn locks_of_earlier_releases(config: &Config, database: &Path) -> Vec<PathBuf> {
    const NAME: &str = "server.lock";
    let own = config.data_dir.canonicalize().unwrap_or_else(|_| config.data_dir.clone()).join(NAME);
    let there = database.parent().map(|folder| folder.join(NAME)).filter(|path| *path != own && path.exists());
    std::iter::once(own).chain(there).collect()
}

async fn lock(path: &Path, database: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| Error::internal(format!("cannot create {}: {error}", path.display())))?;
    file_lock::lock(file).await.map_err(|error| {
        let (database, path) = (database.display(), path.display());
        Error::internal(format!("another server is using the database {database} (it holds {path}: {error})"))
    })
}

/// The file of an SQLite database, under the same name for everyone; `None` on PostgreSQL and for a database in memory.
///
/// # Errors
/// When the URL is not valid.
pub fn database_file(config: &Config) -> Result<Option<PathBuf>> {
    let url = config.database_url();
    if !url.starts_with("sqlite") || url.contains(":memory:") || url.contains("mode=memory") {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str(&url)
        .map_err(|error| Error::internal(format!("--database-url is not valid: {error}")))?;
    let path = options.get_filename();
    if let Ok(real) = path.canonicalize() {
        return Ok(Some(real));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let Ok(folder) = folder.canonicalize() else { return Ok(Some(path.to_owned())) };
    Ok(path.file_name().map(|name| folder.join(name)))
}
