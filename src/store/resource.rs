//! Rows of any table as maps of values: for resources that are nothing but tables of attributes.
//!
//! Names of tables and columns are constants of the program; every value of a caller is bound.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait as _, Func, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Number,
    Long,
    Text,
    Flag,
    Time,
    Json,
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Id(Uuid),
    Number(i32),
    Long(i64),
    Text(String),
    Flag(bool),
    Time(DateTime<Utc>),
    Json(serde_json::Value),
    Bytes(Vec<u8>),
}

impl Cell {
    /// For a statement; a null has a type too.
    fn bound(&self, kind: Kind) -> Value {
        match self {
            Self::Null => match kind {
                Kind::Id => Value::from(None::<Uuid>),
                Kind::Number => Value::from(None::<i32>),
                Kind::Long => Value::from(None::<i64>),
                Kind::Text => Value::from(None::<String>),
                Kind::Flag => Value::from(None::<bool>),
                Kind::Time => Value::from(None::<DateTime<Utc>>),
                Kind::Json => Value::from(None::<serde_json::Value>),
                Kind::Bytes => Value::from(None::<Vec<u8>>),
            },
            Self::Id(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Long(value) => (*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Flag(value) => (*value).into(),
            Self::Time(value) => (*value).into(),
            Self::Json(value) => value.clone().into(),
            Self::Bytes(value) => value.clone().into(),
        }
    }

    /// The text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The id, where it is one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<i32> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it says yes.
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }
}

/// A row, or what is to be changed of one.
pub type Row = BTreeMap<&'static str, Cell>;

/// Which rows of a table are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub table: &'static str,
    pub columns: Vec<Column>,
    pub filter: SimpleExpr,
    /// Columns, and whether the largest comes first.
    pub order: Vec<(&'static str, Order)>,
    pub offset: u64,
    pub limit: u64,
}

fn name(text: &str) -> Alias {
    Alias::new(text)
}

/// A column of a table, for conditions.
#[must_use]
pub fn column(table: &'static str, column: &'static str) -> Expr {
    Expr::col((name(table), name(column)))
}

/// Whether a column has this value.
#[must_use]
pub fn is(table: &'static str, of: Column, value: &Cell) -> SimpleExpr {
    match value {
        Cell::Null => column(table, of.name).is_null(),
        value => column(table, of.name).eq(value.bound(of.kind)),
    }
}

/// Whether a column has one of these values.
#[must_use]
pub fn is_in(table: &'static str, of: Column, values: &[Cell]) -> SimpleExpr {
    column(table, of.name).is_in(values.iter().map(|value| value.bound(of.kind)))
}

/// Whether a column is found in a column of the rows of another table for which `filter` holds.
#[must_use]
pub fn is_in_rows(
    table: &'static str,
    of: &'static str,
    (other, its): (&'static str, &'static str),
    filter: SimpleExpr,
) -> SimpleExpr {
    let mut rows = Query::select();
    rows.column((name(other), name(its))).from(name(other)).and_where(filter);
    column(table, of).in_subquery(rows)
}

/// Whether a value is in this order to a column.
#[must_use]
pub fn compares(
    table: &'static str,
    of: Column,
    order: std::cmp::Ordering,
    or_equal: bool,
    value: &Cell,
) -> SimpleExpr {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let (left, right) = (column(table, of.name), value.bound(of.kind));
    match (order, or_equal) {
        (Less, false) => left.lt(right),
        (Less, true) => left.lte(right),
        (Greater, false) => left.gt(right),
        (Greater, true) => left.gte(right),
        (Equal, _) => left.eq(right),
    }
}

/// Whether a text has this shape, where `*` stands for any; letters differ by their case on both databases.
#[must_use]
pub fn has_shape(backend: DbBackend, table: &'static str, of: &'static str, shape: &str) -> SimpleExpr {
    let column = column(table, of);
    if backend == DbBackend::Postgres {
        let escaped = shape.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_").replace('*', "%");
        return column.like(sea_orm::sea_query::LikeExpr::new(escaped).escape('\\'));
    }
    let escaped: String = shape
        .chars()
        .map(|letter| if "[?".contains(letter) { format!("[{letter}]") } else { letter.to_string() })
        .collect();
    Func::cust(name("glob")).arg(escaped).arg(column).into()
}

/// The same text without regard to the case of its letters.
#[must_use]
pub fn is_in_folded(table: &'static str, of: &'static str, values: &[String]) -> SimpleExpr {
    Expr::expr(Func::lower(column(table, of))).is_in(values.iter().map(|value| value.to_lowercase()))
}

/// Always, or never.
#[must_use]
pub fn constant(holds: bool) -> SimpleExpr {
    if holds { Expr::cust("1 = 1") } else { Expr::cust("1 = 0") }
}

/// All of these hold.
#[must_use]
pub fn all(of: Vec<SimpleExpr>) -> SimpleExpr {
    of.into_iter().reduce(|left, right| left.and(right)).unwrap_or_else(|| constant(true))
}

/// One of these holds.
#[must_use]
pub fn any(of: Vec<SimpleExpr>) -> SimpleExpr {
    of.into_iter().reduce(|left, right| left.or(right)).unwrap_or_else(|| constant(false))
}

/// The rows.
///
/// # Errors
/// When the query fails.
pub async fn list(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Vec<Row>, DbErr> {
    let Wanted { table, columns, filter, order, offset, limit } = wanted;
    let mut select = Query::select();
    select.from(name(table)).and_where(filter).limit(limit).offset(offset);
    for column in &columns {
        select.column((name(table), name(column.name)));
    }
    for (column, order) in order {
        select.order_by((name(table), name(column)), order);
    }
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| read(row, &columns)).collect()
}

/// How many rows there are.
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

/// Stores a new row; each value with its kind.
///
/// # Errors
/// A broken key.
pub async fn create(tx: &impl ConnectionTrait, table: &'static str, row: &[(Column, Cell)]) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert
        .into_table(name(table))
        .columns(row.iter().map(|(column, _)| name(column.name)))
        .values_panic(row.iter().map(|(column, cell)| Expr::value(cell.bound(column.kind))));
    tx.execute(&insert).await.map(|_| ())
}

/// Changes the rows for which `filter` holds; how many there were.
///
/// # Errors
/// A broken key.
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

/// Deletes the rows for which `filter` holds; how many there were.
///
/// # Errors
/// A broken key: something refers to one of them.
pub async fn delete(tx: &impl ConnectionTrait, table: &'static str, filter: SimpleExpr) -> Result<u64, DbErr> {
    let mut delete = Query::delete();
    delete.from_table(name(table)).and_where(filter);
    Ok(tx.execute(&delete).await?.rows_affected())
}
