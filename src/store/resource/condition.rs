//! Conditions on rows of any table.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, Query, SimpleExpr};

use super::cell::{Cell, Column};

pub(super) fn name(text: &str) -> Alias {
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

/// Whether a column has a value of a column of another table, among the rows that match `filter`.
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

/// Whether a column is less than, equal to or greater than a value.
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

/// Whether a text matches a pattern in which `*` matches anything. Case-sensitive on both databases.
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

/// Whether a column has one of these values, ignoring case.
#[must_use]
pub fn is_in_folded(table: &'static str, of: &'static str, values: &[String]) -> SimpleExpr {
    Expr::expr(Func::lower(column(table, of))).is_in(values.iter().map(|value| value.to_lowercase()))
}

/// A condition that is always or never true.
#[must_use]
pub fn constant(holds: bool) -> SimpleExpr {
    if holds { Expr::cust("1 = 1") } else { Expr::cust("1 = 0") }
}

/// Whether all of these conditions are true.
#[must_use]
pub fn all(of: Vec<SimpleExpr>) -> SimpleExpr {
    of.into_iter().reduce(|left, right| left.and(right)).unwrap_or_else(|| constant(true))
}

/// Whether any of these conditions is true.
#[must_use]
pub fn any(of: Vec<SimpleExpr>) -> SimpleExpr {
    of.into_iter().reduce(|left, right| left.or(right)).unwrap_or_else(|| constant(false))
}
