//! The tables of a database and their columns.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::value::{Column, Kind, Table};

/// Describes the schema itself; the migrations write it.
const OF_MIGRATIONS: &str = "seaql_migrations";

const POSTGRES: &str = "SELECT c.table_name::text, c.column_name::text, c.udt_name::text FROM information_schema.columns c \
     JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
     WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
     ORDER BY c.table_name::text COLLATE \"C\", c.column_name::text COLLATE \"C\"";
const SQLITE: &str = "SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2";

/// All tables with their columns, by name, except that of the migrations.
///
/// # Errors
/// When a statement fails, or a column has a type that no migration has used so far.
pub async fn tables(db: &impl ConnectionTrait) -> Result<Vec<Table>, DbErr> {
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Postgres { POSTGRES } else { SQLITE };
    let mut tables: Vec<Table> = Vec::new();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await? {
        let (table, column): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let type_name: String = row.try_get_by_index(2)?;
        if table == OF_MIGRATIONS {
            continue;
        }
        let unknown = || DbErr::Type(format!("{table}.{column} has the unknown type {type_name}"));
        let column = Column { kind: Kind::of_type(&type_name).ok_or_else(unknown)?, name: column.clone() };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// The names of those tables that have a row.
///
/// # Errors
/// When a statement fails.
pub async fn tables_with_rows(db: &impl ConnectionTrait, tables: &[Table]) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for table in tables {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        if db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?.is_some() {
            found.push(table.name.clone());
        }
    }
    Ok(found)
}

/// How many migrations the schema has, in the transaction of the caller.
///
/// # Errors
/// When the statement fails.
pub async fn count_migrations(db: &impl ConnectionTrait) -> Result<usize, DbErr> {
    let sql = format!("SELECT version FROM {OF_MIGRATIONS}");
    Ok(db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?.len())
}
