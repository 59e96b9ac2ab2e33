//! Fills an empty database from a backup, in one transaction: all rows are there in the end, or none.

use std::io::BufRead;

use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};

use super::backup_header::Header;
use super::backup_reader::{BackupReader, Part};
use super::damage::Damage;
use super::save_all::LEFT_OUT;
use crate::error::{Error, Result};
use crate::secret::{KeyRing, place};
use crate::store;
use crate::store::whole::{self, Insert, Table};

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    pub rows: u64,
}

/// Fills the database, whose schema is that of the backup. `again` opens the backup; it is read once more if the database undoes the
/// transaction. With `keys`, one of the sealed values has to open with them.
///
/// # Errors
/// When the database is not empty, the backup is damaged or does not fit the schema, or the keys do not fit the backup.
pub async fn load<R: BufRead>(
    db: &DatabaseConnection,
    again: impl Fn() -> Result<BackupReader<R>>,
    keys: Option<&KeyRing>,
) -> Result<Restored> {
    store::write(db, async |tx| {
        let mut reader = again()?;
        let tables = matching_tables(tx, reader.header()).await?;
        let dropped = whole::begin_load(tx, &whole::tables(tx).await?).await?;
        empty(tx).await?;
        let rows = all_rows(tx, &mut reader, &tables).await?;
        whole::end_load(tx, dropped).await.map_err(unfit)?;
        if let Some(keys) = keys {
            check_keys(tx, keys).await?;
        }
        Ok(Restored { rows })
    })
    .await
}

/// The tables of the backup, which have to be those of the database.
async fn matching_tables(tx: &DatabaseTransaction, header: &Header) -> Result<Vec<Table>> {
    let there: Vec<Table> =
        whole::tables(tx).await?.into_iter().filter(|table| !LEFT_OUT.contains(&table.name.as_str())).collect();
    for table in &header.tables {
        if !there.contains(table) {
            return Err(damaged(&format!("the table {} of the backup is not that of its schema", table.name)));
        }
    }
    match there.iter().find(|table| !header.tables.contains(table)) {
        Some(table) => Err(damaged(&format!("the table {} is missing in the backup", table.name))),
        None if there.len() == header.tables.len() => Ok(header.tables.clone()),
        None => Err(damaged("the backup has a table twice")),
    }
}

/// Removes what migrations have put in. Refuses a database that has anything else.
async fn empty(tx: &DatabaseTransaction) -> Result<()> {
    let mut used = whole::tables_with_rows(tx, &whole::tables(tx).await?).await?;
    used.retain(|table| table != "counter");
    if !used.is_empty() {
        return Err(not_empty(&used));
    }
    store::forget_counters(tx).await?;
    Ok(())
}

fn not_empty(used: &[String]) -> Error {
    Error::internal(format!(
        "the database is not empty (there are rows in {}); restore into a new database, and let the servers use that one",
        used.join(", ")
    ))
}

async fn all_rows<R: BufRead>(tx: &DatabaseTransaction, reader: &mut BackupReader<R>, tables: &[Table]) -> Result<u64> {
    let mut insert: Option<Insert<'_>> = None;
    loop {
        match reader.next_part().map_err(Error::internal)? {
            Part::Begin(place) => insert = tables.get(place).map(|table| Insert::new(tx, table)),
            Part::Row(row) => {
                if let Some(insert) = &mut insert {
                    insert.add(row).await.map_err(unfit)?;
                }
            }
            Part::End { .. } => {
                if let Some(mut insert) = insert.take() {
                    insert.finish().await.map_err(unfit)?;
                }
            }
            Part::Done { rows } => return Ok(rows),
        }
    }
}

/// Some sealed value has to open.
async fn check_keys(tx: &DatabaseTransaction, keys: &KeyRing) -> Result<()> {
    let samples = store::sealed_samples(tx).await?;
    let opens = |(table, id, sealed): &(&str, uuid::Uuid, Vec<u8>)| keys.open(&place(table, *id), sealed).is_ok();
    if samples.is_empty() || samples.iter().any(opens) {
        return Ok(());
    }
    Err(Error::internal("the keys of this server open none of the sealed values of the backup; nothing was restored"))
}

fn damaged(what: &str) -> Error {
    Error::internal(Damage(what.into()))
}

/// Rows that the tables refuse. Failures that may pass stay what they are.
fn unfit(error: DbErr) -> Error {
    match Error::from(error) {
        passing @ Error::Unavailable { .. } => passing,
        Error::Internal(source) => Error::internal(format!("the rows of the backup cannot be stored: {source}")),
        other => Error::internal(format!("the rows of the backup do not fit each other: {}", other.public())),
    }
}
