//! Opens the database: for a server, which migrates it, and for commands that only use what is there.

use migration::Schema;
use sea_orm::DatabaseConnection;

use super::data_folder::make_private_folder;
use super::lock::{DatabaseLock, database_file, lock_database};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::store;

/// Connects to the database and migrates it. An SQLite database is locked before it is touched.
///
/// # Errors
/// When the data folder or the database cannot be used, or another server uses the database.
pub async fn migrate(config: &Config) -> Result<(DatabaseConnection, DatabaseLock)> {
    make_private_folder(config)?;
    let lock = lock_database(config).await?;
    let db = store::connect_to_serve(&config.database_url(), config.database_connections).await?;
    migration::run(&db).await?;
    Ok((db, lock))
}

/// Connects to a database that exists and has the current schema. Creates and changes nothing.
///
/// # Errors
/// When there is no such database, or its schema is another one.
pub async fn open_existing(config: &Config) -> Result<DatabaseConnection> {
    let db = open_any_age(config).await?;
    match migration::schema(&db).await? {
        Schema::Older => Err(Error::internal(
            "the schema of the database is older than this program; start the server or run windlass migrate",
        )),
        Schema::Current | Schema::Missing | Schema::Newer => Ok(db),
    }
}

/// Connects to a database that exists, and whose schema may be older than this program. Creates and changes nothing.
///
/// # Errors
/// When there is no such database, or its schema is newer.
pub async fn open_any_age(config: &Config) -> Result<DatabaseConnection> {
    if let Some(file) = database_file(config)?.filter(|file| !file.exists()) {
        return Err(Error::internal(format!("there is no database at {}; start the server once", file.display())));
    }
    let db = store::connect(&config.database_url(), config.database_connections).await?;
    match migration::schema(&db).await? {
        Schema::Current | Schema::Older => Ok(db),
        Schema::Missing => Err(Error::internal("the database is empty; start the server once")),
        Schema::Newer => {
            Err(Error::internal("the schema of the database is newer than this program; use the newer program"))
        }
    }
}

/// Connects to a database that no server uses yet, and gives it the first `migrations`, if it has none. Returns all that it has.
///
/// # Errors
/// When the database cannot be used, or a server uses it.
pub async fn open_new(config: &Config, migrations: usize) -> Result<(DatabaseConnection, DatabaseLock, Vec<String>)> {
    make_private_folder(config)?;
    let lock = lock_database(config).await?;
    let db = store::connect(&config.database_url(), config.database_connections).await?;
    if migration::schema(&db).await? == Schema::Missing {
        migration::run_first(&db, u32::try_from(migrations).map_err(Error::internal)?).await?;
    }
    let applied = migration::applied(&db).await?;
    Ok((db, lock, applied))
}
