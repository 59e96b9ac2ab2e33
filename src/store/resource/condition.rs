//! Conditions on rows of any table.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, Query, SimpleExpr, SubQueryStatement};

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

/// Whether a text is `body`, with anything before and after it where it is open. Case-sensitive on both databases.
#[must_use]
pub fn has_shape(
    backend: DbBackend,
    table: &'static str,
    of: &'static str,
    (body, (start, end)): (&str, (bool, bool)),
) -> SimpleExpr {
    let column = column(table, of);
    let open = |any: &str, body: String| {
        let (before, after) = (if start { any } else { "" }, if end { any } else { "" });
        format!("{before}{body}{after}")
    };
    if backend == DbBackend::Postgres {
        let escaped = body.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        return column.like(sea_orm::sea_query::LikeExpr::new(open("%", escaped)).escape('\\'));
    }
    let escaped: String = body
        .chars()
        .map(|letter| if "[?*".contains(letter) { format!("[{letter}]") } else { letter.to_string() })
        .collect();
    Func::cust(name("glob")).arg(open("*", escaped)).arg(column).into()
}

/// The null value.
#[must_use]
pub fn null() -> SimpleExpr {
    Expr::cust("NULL")
}

/// The value of an expression in the row of another table that a column refers to, if that row matches `filter`.
#[must_use]
pub fn value_of_row(
    (table, of): (&'static str, &'static str),
    other: &'static str,
    value: SimpleExpr,
    filter: SimpleExpr,
) -> SimpleExpr {
    let mut row = Query::select();
    row.expr(value).from(name(other)).and_where(column(other, "id").eq(column(table, of))).and_where(filter);
    SimpleExpr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(row)))
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
