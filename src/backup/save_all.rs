//! Writes a backup of a database, while servers use it: everything is read in one transaction, and is of one moment.

use std::io::Write;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend};

use super::backup_header::{FORMAT, Header, Keys};
use super::backup_writer::BackupWriter;
use crate::error::{Error, Result};
use crate::store;
use crate::store::whole::{self, Table};

/// The leases of servers belong to the servers, and not to what they store. Without its lease, a server that is restored beside
/// another one cannot be taken for it. Orders for agents would be carried out again, although what they order has been done since.
pub const LEFT_OUT: [&str; 3] = ["agent_log", "agent_step", "server_lease"];

/// Who writes a backup, and when.
pub struct Origin {
    pub program: String,
    pub now: DateTime<Utc>,
    /// The migrations of the database, in their order.
    pub schema: Vec<String>,
    pub keys: Option<Keys>,
}

/// What was written.
#[derive(Debug)]
pub struct Saved<W> {
    pub output: W,
    pub header: Header,
    pub rows: u64,
}

/// Writes a backup. Its memory does not depend on the number of rows.
///
/// # Errors
/// When the database cannot be read, or the output cannot be written.
pub async fn save<W: Write>(db: &DatabaseConnection, origin: Origin, output: W) -> Result<Saved<W>> {
    store::snapshot(db, async |tx| all_tables(tx, origin, output).await).await
}

async fn all_tables<W: Write>(tx: &DatabaseTransaction, origin: Origin, output: W) -> Result<Saved<W>> {
    if whole::count_migrations(tx).await? != origin.schema.len() {
        return Err(Error::internal("the database was migrated a moment ago; write the backup again"));
    }
    let tables: Vec<Table> =
        whole::tables(tx).await?.into_iter().filter(|table| !LEFT_OUT.contains(&table.name.as_str())).collect();
    let header = Header {
        windlass_backup: FORMAT,
        program: origin.program,
        created_at: origin.now,
        database: if tx.get_database_backend() == DbBackend::Postgres { "postgresql" } else { "sqlite" }.into(),
        schema: origin.schema,
        needed_keys: needed_keys(tx, &tables).await?,
        keys: origin.keys,
        tables,
        left_out: LEFT_OUT.map(str::to_owned).into(),
    };
    let mut writer = BackupWriter::new(output, &header).map_err(|error| unwritten(&error))?;
    for table in &header.tables {
        writer.begin(&table.name).map_err(|error| unwritten(&error))?;
        whole::read_rows(tx, table, |row| writer.row(&row).map_err(|error| unwritten(&error))).await?;
        writer.end().map_err(|error| unwritten(&error))?;
    }
    let (output, rows) = writer.finish().map_err(|error| unwritten(&error))?;
    Ok(Saved { output, header, rows })
}

/// The fingerprints of the keys of the sealed values. Early schemas do not record them.
async fn needed_keys(tx: &DatabaseTransaction, tables: &[Table]) -> Result<Vec<String>> {
    if !tables.iter().any(|table| table.name == "seal_key") {
        return Ok(Vec::new());
    }
    Ok(store::seal_key::list(tx).await?.into_iter().map(|key| key.id).collect())
}

fn unwritten(error: &std::io::Error) -> Error {
    Error::internal(format!("the backup cannot be written: {error}"))
}
