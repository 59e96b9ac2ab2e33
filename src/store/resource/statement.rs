//! Reading and writing rows of any table.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Asterisk, Expr, Func, LockType, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

use super::cell::{Cell, Column, Kind, Row};
use super::condition::name;

/// A query for rows of a table.
#[derive(Clone, Debug)]
pub struct RowQuery {
    pub table: &'static str,
    pub columns: Vec<Column>,
    pub filter: SimpleExpr,
    /// The values to sort by.
    pub order: Vec<(SimpleExpr, Order)>,
    pub offset: u64,
    pub limit: u64,
}

/// The rows of a query.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, wanted: RowQuery) -> Result<Vec<Row>, DbErr> {
    let RowQuery { table, columns, filter, order, offset, limit } = wanted;
    let mut select = Query::select();
    select.from(name(table)).and_where(filter).limit(limit).offset(offset);
    for column in &columns {
        select.column((name(table), name(column.name)));
    }
    for (value, order) in order {
        select.order_by_expr(value, order);
    }
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| read(row, &columns)).collect()
}

/// A row that matches `filter`, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(
    tx: &impl ConnectionTrait,
    table: &'static str,
    columns: &[Column],
    filter: SimpleExpr,
) -> Result<Option<Row>, DbErr> {
    let mut select = Query::select();
    select.from(name(table)).and_where(filter).limit(1).lock(LockType::Update);
    for column in columns {
        select.column((name(table), name(column.name)));
    }
    tx.query_one(&select).await?.map(|row| read(&row, columns)).transpose()
}

/// Counts the rows that match `filter`.
///
/// # Errors
/// When the query fails.
pub async fn count(db: &impl ConnectionTrait, table: &'static str, filter: SimpleExpr) -> Result<u64, DbErr> {
    let mut select: SelectStatement = Query::select();
    select.from(name(table)).expr_as(Func::count(Expr::col(Asterisk)), name("rows")).and_where(filter);
    let row = db.query_one(&select).await?;
    let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

fn read(row: &QueryResult, columns: &[Column]) -> Result<Row, DbErr> {
    let cell = |column: &Column| {
        let name = column.name;
        Ok::<_, DbErr>(match column.kind {
            Kind::Id => row.try_get::<Option<Uuid>>("", name)?.map_or(Cell::Null, Cell::Id),
            Kind::Number => row.try_get::<Option<i32>>("", name)?.map_or(Cell::Null, Cell::Number),
            Kind::Long => row.try_get::<Option<i64>>("", name)?.map_or(Cell::Null, Cell::Long),
            Kind::Text => row.try_get::<Option<String>>("", name)?.map_or(Cell::Null, Cell::Text),
            Kind::Flag => row.try_get::<Option<bool>>("", name)?.map_or(Cell::Null, Cell::Flag),
            Kind::Time => row.try_get::<Option<DateTime<Utc>>>("", name)?.map_or(Cell::Null, Cell::Time),
            Kind::Json => row.try_get::<Option<serde_json::Value>>("", name)?.map_or(Cell::Null, Cell::Json),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>>("", name)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    columns.iter().map(|column| Ok((column.name, cell(column)?))).collect()
}

/// Stores a new row.
///
/// # Errors
/// A constraint violation.
pub async fn create(tx: &impl ConnectionTrait, table: &'static str, row: &[(Column, Cell)]) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert
        .into_table(name(table))
        .columns(row.iter().map(|(column, _)| name(column.name)))
        .values_panic(row.iter().map(|(column, cell)| Expr::value(cell.bound(column.kind))));
    tx.execute(&insert).await.map(|_| ())
}

/// Changes the rows that match `filter`. Returns their number.
///
/// # Errors
/// A constraint violation.
pub async fn update(
    tx: &impl ConnectionTrait,
    table: &'static str,
    changes: &[(Column, Cell)],
    filter: SimpleExpr,
) -> Result<u64, DbErr> {
    let mut update = Query::update();
    update.table(name(table)).and_where(filter);
    for (column, cell) in changes {
        update.value(name(column.name), cell.bound(column.kind));
    }
    Ok(tx.execute(&update).await?.rows_affected())
}

/// Deletes the rows that match `filter`. Returns their number.
///
/// # Errors
/// A foreign key violation when another row refers to one of them.
pub async fn delete(tx: &impl ConnectionTrait, table: &'static str, filter: SimpleExpr) -> Result<u64, DbErr> {
    let mut delete = Query::delete();
    delete.from_table(name(table)).and_where(filter);
    Ok(tx.execute(&delete).await?.rows_affected())
}
