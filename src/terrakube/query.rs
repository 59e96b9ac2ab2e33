//! Pure: what the query of a GET asks for.
//!
//! `include`, `fields[type]`, `filter` and `filter[type]`, `sort`, and `page[...]`; anything else is refused.

use std::collections::BTreeMap;

use super::rsql::{self, Filter};

/// How many rows a page has when only its number is given.
const PAGE: u64 = 500;
/// The most rows of a page.
const MOST: u64 = 10_000;
/// How many steps a path of `include` has, at most.
const STEPS: usize = 4;

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Paths of relationships, as `["version", "implementation"]`.
    pub include: Vec<Vec<String>>,
    /// The fields that are wanted of a type; all where it is not there.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Filters by the type that they are for; without one, for the collection of the path.
    pub filters: Vec<(Option<String>, Filter)>,
    pub sort: Vec<Sort>,
    pub page: Option<Page>,
}

/// A field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub field: String,
    pub descending: bool,
}

/// A part of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub offset: u64,
    pub limit: u64,
    /// Whether the number of all is asked for.
    pub totals: bool,
}

/// What cannot be understood, with the key that it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// Reads the pairs of a query; none of them may come twice.
///
/// # Errors
/// With the key, and what is wrong with it.
pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Query, Refused> {
    let mut query = Query::default();
    let mut page = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in pairs {
        if !seen.insert(key) {
            return Err(Refused(format!("{key} is there twice")));
        }
        let (name, of) = match key.split_once('[') {
            Some((name, rest)) => (name, rest.strip_suffix(']')),
            None => (key, Some("")),
        };
        let Some(of) = of else { return Err(unknown(key)) };
        match (name, of) {
            ("include", "") => query.include = include(value)?,
            ("sort", "") => query.sort = sort(value)?,
            ("fields", of) if !of.is_empty() => {
                query.fields.insert(of.to_owned(), names(value).map(str::to_owned).collect());
            }
            ("filter", of) => {
                let filter = rsql::parse(value).map_err(|refused| Refused(format!("{key}: {}", refused.0)))?;
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

fn unknown(key: &str) -> Refused {
    Refused(format!("Found undefined keys in request: {key}"))
}

fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn include(value: &str) -> Result<Vec<Vec<String>>, Refused> {
    let path = |path: &str| {
        let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
        if steps.len() > STEPS || steps.iter().any(String::is_empty) {
            return Err(Refused(format!("include: {path} has an empty step, or more than {STEPS}")));
        }
        Ok(steps)
    };
    names(value).map(path).collect()
}

fn sort(value: &str) -> Result<Vec<Sort>, Refused> {
    let one = |text: &str| {
        let (descending, field) = match text.strip_prefix('-') {
            Some(field) => (true, field),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if field.is_empty() {
            return Err(Refused("sort: a field has no name".into()));
        }
        Ok(Sort { field: field.to_owned(), descending })
    };
    names(value).map(one).collect()
}

fn pages(keys: &BTreeMap<&str, &str>) -> Result<Page, Refused> {
    let number = |key: &str, least: u64| match keys.get(key) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(Refused(format!("page[{key}]: {text} is not a number from {least}"))),
        },
    };
    for key in keys.keys() {
        if !["number", "size", "offset", "limit", "totals"].contains(key) {
            return Err(unknown(&format!("page[{key}]")));
        }
    }
    let by_number = keys.contains_key("number") || keys.contains_key("size");
    if by_number && (keys.contains_key("offset") || keys.contains_key("limit")) {
        return Err(Refused("page: either number and size, or offset and limit".into()));
    }
    let limit = number("size", 1)?.or(number("limit", 1)?).unwrap_or(PAGE);
    if limit > MOST {
        return Err(Refused(format!("page: a page has at most {MOST} rows")));
    }
    let pages = number("number", 1)?.map(|number| number - 1);
    let offset = match pages {
        Some(pages) => pages.checked_mul(limit).ok_or_else(|| Refused("page[number] is too large".into()))?,
        None => number("offset", 0)?.unwrap_or(0),
    };
    if i64::try_from(offset).is_err() {
        return Err(Refused("page[offset] is too large".into()));
    }
    Ok(Page { offset, limit, totals: keys.contains_key("totals") })
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
            ("filter[job]", "status="),
        ] {
            assert!(parse([(key, value)]).is_err(), "{key}={value}");
        }
        assert!(parse([("sort", "a"), ("sort", "b")]).is_err());
        assert!(parse([("page[number]", "1"), ("page[offset]", "1")]).is_err());
        assert!(parse([("page[number]", "18446744073709551615"), ("page[size]", "2")]).is_err());
    }
}
