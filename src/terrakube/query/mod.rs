//! Pure: parses the query string of a GET.
//!
//! `include`, `fields[type]`, `filter` and `filter[type]`, `sort`, and `page[...]`; other keys are rejected.

use std::collections::BTreeMap;

use self::error::unknown;
use self::page::pages;
use crate::terrakube::rsql;
use crate::terrakube::rsql::Filter;

mod error;
mod page;

pub(super) use self::error::QueryError;
pub(super) use self::page::Page;

/// The most segments of an `include` path.
const STEPS: usize = 4;

/// A parsed query string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::terrakube) struct Query {
    /// Paths of relationships, such as `["workspace", "organization"]`.
    pub(in crate::terrakube) include: Vec<Vec<String>>,
    /// The requested fields by type; a type without an entry has all fields.
    pub(in crate::terrakube) fields: BTreeMap<String, Vec<String>>,
    /// Filters with their type; a filter without one applies to the collection of the path.
    pub(in crate::terrakube) filters: Vec<(Option<String>, Filter)>,
    pub(in crate::terrakube) sort: Vec<Sort>,
    pub(in crate::terrakube) page: Option<Page>,
}

/// A field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct Sort {
    pub(in crate::terrakube) field: String,
    pub(in crate::terrakube) descending: bool,
}

/// Parses the pairs of a query string. Duplicate keys are rejected, except `include`, `fields[type]` and `sort`, which add up.
///
/// # Errors
/// The error names the key and the problem.
pub(in crate::terrakube) fn parse<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Query, QueryError> {
    let mut query = Query::default();
    let mut page = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in pairs {
        if !seen.insert(key) && !["include", "sort"].contains(&key) && !key.starts_with("fields[") {
            return Err(QueryError(format!("{key} must not be repeated")));
        }
        let (name, of) = match key.split_once('[') {
            Some((name, rest)) => (name, rest.strip_suffix(']')),
            None => (key, Some("")),
        };
        let Some(of) = of else { return Err(unknown(key)) };
        match (name, of) {
            ("include", "") => query.include.extend(include(value)?),
            ("sort", "") => query.sort.extend(sort(value)?),
            ("fields", of) if !of.is_empty() => {
                query.fields.entry(of.to_owned()).or_default().extend(names(value).map(str::to_owned));
            }
            ("filter", of) => {
                let filter = rsql::parse(value).map_err(|refused| QueryError(format!("{key}: {}", refused.0)))?;
                query.filters.push(((!of.is_empty()).then(|| of.to_owned()), filter));
            }
            ("page", of) if !of.is_empty() => {
                page.insert(of, value);
            }
            _ => return Err(unknown(key)),
        }
    }
    query.page = if page.is_empty() { None } else { Some(pages(&page)?) };
    Ok(query)
}

fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn include(value: &str) -> Result<Vec<Vec<String>>, QueryError> {
    let path = |path: &str| {
        let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
        if steps.len() > STEPS || steps.iter().any(String::is_empty) {
            return Err(QueryError(format!("include: {path} must have 1 to {STEPS} non-empty segments")));
        }
        Ok(steps)
    };
    value.split(',').map(str::trim).map(path).collect()
}

fn sort(value: &str) -> Result<Vec<Sort>, QueryError> {
    let one = |text: &str| {
        let (descending, field) = match text.strip_prefix('-') {
            Some(field) => (true, field),
            None => (false, text),
        };
        if field.is_empty() {
            return Err(QueryError("sort: a field name must not be empty".into()));
        }
        Ok(Sort { field: field.to_owned(), descending })
    };
    value.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_at_once() {
        let query = parse([
            ("include", "step,workspace.organization"),
            ("fields[job]", "status, step"),
            ("filter[job]", "status==pending"),
            ("filter", "id>1"),
            ("sort", "-id,createdDate"),
            ("page[number]", "3"),
            ("page[size]", "20"),
            ("page[totals]", ""),
        ])
        .unwrap();
        assert_eq!(query.include, [vec!["step".to_owned()], vec!["workspace".into(), "organization".into()]]);
        assert_eq!(query.fields["job"], ["status", "step"]);
        assert_eq!(query.filters.len(), 2);
        assert_eq!(query.filters[0].0.as_deref(), Some("job"));
        assert_eq!(query.filters[1].0, None);
        assert_eq!(query.sort[0], Sort { field: "id".into(), descending: true });
        assert_eq!(query.sort[1], Sort { field: "createdDate".into(), descending: false });
        assert_eq!(query.page, Some(Page { offset: 40, limit: 20, totals: true }));
        let twice = [("fields[job]", "status"), ("sort", "id"), ("fields[job]", "via"), ("sort", "-status")];
        let twice = parse(twice).unwrap();
        assert_eq!(twice.fields["job"], ["status", "via"]);
        assert_eq!(twice.sort.iter().map(|sort| sort.field.as_str()).collect::<Vec<_>>(), ["id", "status"]);
        assert_eq!(parse([]), Ok(Query::default()));
        assert_eq!(parse([("page[limit]", "5")]).unwrap().page, Some(Page { offset: 0, limit: 5, totals: false }));
    }

    #[test]
    fn what_is_refused() {
        for (key, value) in [
            ("x", "1"),
            ("fields", "a"),
            ("fields[job", "a"),
            ("page", "1"),
            ("page[cursor]", "1"),
            ("page[number]", "0"),
            ("page[size]", "10001"),
            ("page[size]", "-1"),
            ("page[offset]", "18446744073709551615"),
            ("sort", "-"),
            ("include", "a..b"),
            ("include", "a.b.c.d.e"),
            ("include", ""),
            ("sort", ""),
            ("sort", "a,,b"),
            ("filter[job]", "status="),
        ] {
            assert!(parse([(key, value)]).is_err(), "{key}={value}");
        }
        assert!(parse([("filter[job]", "a==1"), ("filter[job]", "b==1")]).is_err());
        assert!(parse([("page[size]", "1"), ("page[size]", "1")]).is_err());
        assert!(parse([("page[number]", "1"), ("page[offset]", "1")]).is_err());
        assert!(parse([("page[number]", "18446744073709551615"), ("page[size]", "2")]).is_err());
    }
}
