//! Pure: translates filters and orders to SQL conditions. Fields are attributes, `id`, and paths over relationships.

use std::cmp::Ordering;

use sea_orm::DbBackend;
use sea_orm::sea_query::{ExprTrait as _, Order, SimpleExpr};

use super::attribute::Shape;
use super::attribute_value::parse_cell;
use super::error::{Problem, Result};
use super::query::Sort;
use super::resource::{Link, Resource, link_column};
use super::rsql::{Comparison, Filter, Operator};
use super::tables;
use crate::store::resource::{self, Cell, Column, Kind, is_in_rows};

/// The most segments of a filter path.
const STEPS: usize = 4;

/// The context that conditions are built in.
pub(super) struct FilterContext<'a> {
    pub(super) backend: DbBackend,
    /// The condition for rows visible to the caller: a filter must not reveal others.
    pub(super) visible: &'a dyn Fn(&'static Resource) -> SimpleExpr,
}

/// Translates a filter to a condition on the rows of a resource.
pub(super) fn condition(context: &FilterContext<'_>, of: &'static Resource, filter: &Filter) -> Result<SimpleExpr> {
    let each = |filters: &[Filter]| filters.iter().map(|one| condition(context, of, one)).collect::<Result<Vec<_>>>();
    match filter {
        Filter::All(filters) => Ok(resource::all(each(filters)?)),
        Filter::Any(filters) => Ok(resource::any(each(filters)?)),
        Filter::Is(comparison) => {
            let path: Vec<&str> = comparison.selector.split('.').collect();
            if path.len() > STEPS {
                return Err(Problem::bad(format!("the path {} is too long", comparison.selector)));
            }
            along(context, of, &path, comparison)
        }
    }
}

fn lacks(of: &Resource, field: &str) -> Problem {
    Problem::bad(format!("Invalid value: {} does not contain the field {field}", of.kind))
}

fn along(
    context: &FilterContext<'_>,
    of: &'static Resource,
    path: &[&str],
    comparison: &Comparison,
) -> Result<SimpleExpr> {
    let Some((first, rest)) = path.split_first() else { return Err(lacks(of, "")) };
    if rest.is_empty() {
        return compare(context.backend, of, column(of, first)?, comparison);
    }
    let relation = of.relation(first).ok_or_else(|| lacks(of, first))?;
    let target = tables::target(relation).ok_or_else(|| lacks(of, first))?;
    let inner = along(context, target, rest, comparison)?.and((context.visible)(target));
    Ok(match relation.link {
        Link::One(column) | Link::Maybe(column) => is_in_rows(of.table, column, (target.table, "id"), inner),
        Link::Many(column) => {
            let linked = resource::column(target.table, column).is_not_null();
            is_in_rows(of.table, "id", (target.table, column), inner.and(linked))
        }
    })
}

/// The column of an attribute or the id.
fn column(of: &Resource, field: &str) -> Result<Column> {
    if field == "id" {
        return Ok(of.id());
    }
    let attribute =
        of.attribute(field).filter(|attribute| !matches!(attribute.shape, Shape::Secret(_) | Shape::Texts(_)));
    if let Some(column) = attribute.and_then(|attribute| attribute.shape.column()) {
        return Ok(column);
    }
    match of.relation(field).map(|relation| (relation, relation.link)) {
        Some((relation, Link::One(name) | Link::Maybe(name))) => Ok(link_column(relation, name)),
        _ => Err(lacks(of, field)),
    }
}

fn compare(backend: DbBackend, of: &'static Resource, column: Column, comparison: &Comparison) -> Result<SimpleExpr> {
    let Comparison { selector, operator, values } = comparison;
    let table = of.table;
    let bad = |value: &str| Problem::bad(format!("Invalid value: {value} for {selector}"));
    let cell = |value: &String| parse_cell(column.kind, value).ok_or_else(|| bad(value));
    let nth = |place: usize| values.get(place).ok_or_else(|| bad("")).and_then(cell);
    let equal = || -> Result<SimpleExpr> {
        let each = values.iter().map(|value| {
            if column.kind == Kind::Text && value.contains('*') {
                return Ok(resource::has_shape(backend, table, column.name, value));
            }
            Ok(resource::is(table, column, &cell(value)?))
        });
        Ok(resource::any(each.collect::<Result<Vec<_>>>()?))
    };
    let ordered = |order, or_equal, value: Cell| resource::compares(table, column, order, or_equal, &value);
    let between = || -> Result<SimpleExpr> {
        Ok(ordered(Ordering::Greater, true, nth(0)?).and(ordered(Ordering::Less, true, nth(1)?)))
    };
    let folded = || match column.kind {
        Kind::Text => Ok(resource::is_in_folded(table, column.name, values)),
        _ => equal(),
    };
    // A null differs from every value.
    let unlike = |condition: SimpleExpr| condition.not().or(resource::is(table, column, &Cell::Null));
    Ok(match operator {
        Operator::Equal | Operator::In => equal()?,
        Operator::NotEqual | Operator::NotIn => unlike(equal()?),
        Operator::InFolded => folded()?,
        Operator::NotInFolded => unlike(folded()?),
        Operator::Less => ordered(Ordering::Less, false, nth(0)?),
        Operator::LessOrEqual => ordered(Ordering::Less, true, nth(0)?),
        Operator::Greater => ordered(Ordering::Greater, false, nth(0)?),
        Operator::GreaterOrEqual => ordered(Ordering::Greater, true, nth(0)?),
        Operator::Between => between()?,
        Operator::NotBetween => unlike(between()?),
        Operator::IsNull => {
            let wanted = values.first().map(String::as_str) != Some("false");
            let null = resource::is(table, column, &Cell::Null);
            if wanted { null } else { null.not() }
        }
    })
}

/// The order of a collection, with the id as tiebreaker.
pub(super) fn order(of: &'static Resource, sort: &[Sort]) -> Result<Vec<(&'static str, Order)>> {
    let mut order = Vec::with_capacity(sort.len() + 1);
    for Sort { field, descending } in sort {
        if field.contains('.') {
            return Err(Problem::bad(format!("Invalid value: {} cannot be sorted by {field}", of.kind)));
        }
        order.push((column(of, field)?.name, if *descending { Order::Desc } else { Order::Asc }));
    }
    order.push(("id", order.last().map_or(Order::Asc, |(_, order)| order.clone())));
    Ok(order)
}
