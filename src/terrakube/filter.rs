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

type Visible<'a> = Box<dyn Fn(&'static Resource) -> SimpleExpr + Send + Sync + 'a>;

/// The context that conditions are built in.
pub(super) struct FilterContext<'a> {
    pub(super) backend: DbBackend,
    /// The condition for rows visible to the caller: a filter must not reveal others.
    pub(super) visible: Visible<'a>,
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
    let many = path.iter().scan(Some(of), |at, step| {
        let relation = at.and_then(|at| at.relation(step));
        *at = relation.and_then(tables::target);
        Some(relation.is_some_and(|relation| relation.link.is_many()))
    });
    let many: Vec<bool> = many.collect();
    let has_many = many.iter().any(|many| *many);
    let invalid = |why: &str| Problem::bad(format!("Invalid value: {} {why}", comparison.selector));
    match comparison.operator {
        Operator::IsEmpty => match many.split_last() {
            Some((true, before)) if !before.contains(&true) => {}
            _ => return Err(invalid("is not a to-many relationship, which =isempty= requires")),
        },
        Operator::HasMember | Operator::HasNoMember if !has_many => {
            return Err(invalid(
                "does not lead through a to-many relationship, which =hasmember= and =hasnomember= require",
            ));
        }
        Operator::HasNoMember => {
            let member = Comparison { operator: Operator::HasMember, ..comparison.clone() };
            return Ok(one_step(context, of, path, &member)?.not());
        }
        _ => {}
    }
    one_step(context, of, path, comparison)
}

/// Translates a comparison at the end of a path.
fn one_step(
    context: &FilterContext<'_>,
    of: &'static Resource,
    path: &[&str],
    comparison: &Comparison,
) -> Result<SimpleExpr> {
    let Some((first, rest)) = path.split_first() else { return Err(lacks(of, "")) };
    if rest.is_empty() && comparison.operator != Operator::IsEmpty {
        return match field(of, first)? {
            Field::Column(column, choices) => compare(context.backend, (of, column, choices), comparison),
            Field::Nothing => Ok(resource::constant(comparison.operator == Operator::IsNull && wants(comparison)?)),
        };
    }
    let relation = of.relation(first).ok_or_else(|| lacks(of, first))?;
    let target = tables::target(relation).ok_or_else(|| lacks(of, first))?;
    let inner = if rest.is_empty() { resource::constant(true) } else { one_step(context, target, rest, comparison)? };
    let leads = match relation.link {
        Link::One(column) | Link::Maybe(column) => {
            is_in_rows(of.table, column, (target.table, "id"), inner.and((context.visible)(target)))
        }
        Link::Many(column) => {
            let linked = resource::column(target.table, column).is_not_null();
            is_in_rows(of.table, "id", (target.table, column), inner.and((context.visible)(target)).and(linked))
        }
        Link::Nothing | Link::Empty => resource::constant(false),
    };
    Ok(if rest.is_empty() && wants(comparison)? { leads.not() } else { leads })
}

/// The argument of `=isnull=` and `=isempty=`.
fn wants(comparison: &Comparison) -> Result<bool> {
    match comparison.values.first().and_then(|value| parse_cell(Kind::Flag, value)) {
        Some(Cell::Flag(flag)) => Ok(flag),
        _ => Err(Problem::bad(format!("Invalid value: {} must be compared with true or false", comparison.selector))),
    }
}

/// What can be compared and sorted by.
enum Field {
    /// A column, with the values that it can have.
    Column(Column, Option<&'static [&'static str]>),
    /// A relationship that leads nowhere.
    Nothing,
}

/// An attribute, the id, or a to-one relationship.
fn field(of: &Resource, name: &str) -> Result<Field> {
    if name == "id" {
        return Ok(Field::Column(of.id(), None));
    }
    let attribute =
        of.attribute(name).filter(|attribute| !matches!(attribute.shape, Shape::Secret(_) | Shape::Texts(_)));
    if let Some((attribute, column)) = attribute.and_then(|one| Some((one, one.shape.column()?))) {
        let choices = if let Shape::Choice(_, of) = attribute.shape { Some(of) } else { None };
        return Ok(Field::Column(column, choices));
    }
    match of.relation(name).map(|relation| (relation, relation.link)) {
        Some((relation, Link::One(name) | Link::Maybe(name))) => Ok(Field::Column(link_column(relation, name), None)),
        Some((_, Link::Nothing)) => Ok(Field::Nothing),
        _ => Err(lacks(of, name)),
    }
}

fn compare(
    backend: DbBackend,
    (of, column, choices): (&'static Resource, Column, Option<&'static [&'static str]>),
    comparison: &Comparison,
) -> Result<SimpleExpr> {
    let Comparison { selector, operator, values } = comparison;
    let table = of.table;
    let bad = |value: &str| match choices {
        Some(choices) => {
            Problem::bad(format!("Invalid value: {value} for {selector}, which must be one of {}", choices.join(", ")))
        }
        None => Problem::bad(format!("Invalid value: {value} for {selector}")),
    };
    let known = |value: &str| choices.is_none_or(|choices| choices.iter().any(|one| one.eq_ignore_ascii_case(value)));
    if !matches!(operator, Operator::IsNull)
        && let Some(value) = values.iter().find(|value| !known(value))
    {
        return Err(bad(value));
    }
    let cell = |value: &String| parse_cell(column.kind, value).ok_or_else(|| bad(value));
    let nth = |place: usize| values.get(place).ok_or_else(|| bad("")).and_then(cell);
    let equal = || -> Result<SimpleExpr> {
        let each = values.iter().map(|value| {
            let (body, open) = wildcards(value);
            if column.kind == Kind::Text && open != (false, false) {
                return Ok(resource::has_shape(backend, table, column.name, (body, open)));
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
    // As in SQL, a comparison with a null is never true, not even a negated one.
    Ok(match operator {
        Operator::Equal | Operator::In | Operator::HasMember => equal()?,
        Operator::NotEqual | Operator::NotIn => equal()?.not(),
        Operator::InFolded => folded()?,
        Operator::NotInFolded => folded()?.not(),
        Operator::Less => ordered(Ordering::Less, false, nth(0)?),
        Operator::LessOrEqual => ordered(Ordering::Less, true, nth(0)?),
        Operator::Greater => ordered(Ordering::Greater, false, nth(0)?),
        Operator::GreaterOrEqual => ordered(Ordering::Greater, true, nth(0)?),
        Operator::Between => between()?,
        Operator::NotBetween => between()?.not(),
        Operator::IsNull => {
            let null = resource::is(table, column, &Cell::Null);
            if wants(comparison)? { null } else { null.not() }
        }
        Operator::IsEmpty | Operator::HasNoMember => return Err(bad("")),
    })
}

/// A value without the `*` at its ends, and whether there was one at its start and its end. Elsewhere, `*` is a character.
fn wildcards(value: &str) -> (&str, (bool, bool)) {
    let long = value.len() > 1;
    let (start, end) = (long && value.starts_with('*'), long && value.ends_with('*'));
    let body = if start { value.get(1..).unwrap_or_default() } else { value };
    // Of two asterisks, the second one is a character.
    let end = end && value.len() > 1 + usize::from(start);
    let body = if end { body.strip_suffix('*').unwrap_or(body) } else { body };
    (body, (start, end))
}

/// The order of a collection, with the id as tiebreaker.
pub(super) fn order(
    context: &FilterContext<'_>,
    of: &'static Resource,
    sort: &[Sort],
) -> Result<Vec<(SimpleExpr, Order)>> {
    let mut order = Vec::with_capacity(sort.len() + 1);
    for Sort { field, descending } in sort {
        let path: Vec<&str> = field.split('.').collect();
        if path.len() > STEPS {
            return Err(Problem::bad(format!("the path {field} is too long")));
        }
        let value = value_at(context, of, &path, field)?;
        order.push((value, if *descending { Order::Desc } else { Order::Asc }));
    }
    let last = order.last().map_or(Order::Asc, |(_, order)| order.clone());
    order.push((resource::column(of.table, "id"), last));
    Ok(order)
}

/// The value at the end of a path over to-one relationships; null if it is not visible to the caller.
fn value_at(context: &FilterContext<'_>, of: &'static Resource, path: &[&str], whole: &str) -> Result<SimpleExpr> {
    let Some((first, rest)) = path.split_first() else { return Err(lacks(of, "")) };
    if rest.is_empty() {
        return Ok(match field(of, first)? {
            Field::Column(column, _) => resource::column(of.table, column.name),
            Field::Nothing => resource::null(),
        });
    }
    let relation = of.relation(first).ok_or_else(|| lacks(of, first))?;
    let target = tables::target(relation).ok_or_else(|| lacks(of, first))?;
    let inner = value_at(context, target, rest, whole)?;
    match relation.link {
        Link::One(column) | Link::Maybe(column) => {
            Ok(resource::value_of_row((of.table, column), target.table, inner, (context.visible)(target)))
        }
        Link::Nothing => Ok(resource::null()),
        Link::Many(_) | Link::Empty => Err(Problem::bad(format!(
            "Invalid value: {} cannot be sorted by {whole}, because {first} leads to many resources",
            of.kind
        ))),
    }
}
