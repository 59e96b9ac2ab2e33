//! Pure: parses resource paths, such as `/organization/1/workspace/2/job/3/relationships/step`.

use poem::http::StatusCode;

use super::error::{Problem, Result};
use super::resource::{Link, Relation, Resource};
use super::tables;

/// The most segments of a path.
const SEGMENTS: usize = 16;

/// A resource on a path, by its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathItem<'a> {
    pub(super) resource: &'static Resource,
    /// The relationship that leads to it from the item before; `None` at the root.
    pub(super) relation: Option<&'static Relation>,
    pub(super) id: &'a str,
}

/// Where a path ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// A collection, at the root or below the last item.
    Collection(&'static Resource, Option<&'static Relation>),
    /// The last item itself.
    Item,
    /// The target of a to-one relationship of the last item.
    Related(&'static Resource, &'static Relation),
    /// A relationship of the last item.
    Relationship(&'static Relation),
}

/// A parsed path.
#[derive(Clone, Debug)]
pub(super) struct ResourcePath<'a> {
    pub(super) items: Vec<PathItem<'a>>,
    pub(super) end: End,
}

fn unknown(name: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("Unknown collection {name}"))
}

/// Parses a path, with or without a trailing slash.
pub(super) fn parse(path: &str) -> Result<ResourcePath<'_>> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    if segments.len() > SEGMENTS {
        return Err(Problem::bad("the path is too long"));
    }
    let mut segments = segments.into_iter();
    let name = segments.next().unwrap_or_default();
    let first = tables::by_kind(name).filter(|resource| resource.root).ok_or_else(|| unknown(name))?;
    let Some(id) = segments.next() else {
        return Ok(ResourcePath { items: Vec::new(), end: End::Collection(first, None) });
    };
    let mut items = vec![PathItem { resource: first, relation: None, id }];
    let mut at = first;
    loop {
        let Some(name) = segments.next() else { return Ok(ResourcePath { items, end: End::Item }) };
        if name == "relationships" {
            let name = segments.next().unwrap_or_default();
            let relation = at.relation(name).ok_or_else(|| unknown(name))?;
            return match segments.next() {
                None => Ok(ResourcePath { items, end: End::Relationship(relation) }),
                Some(more) => Err(unknown(more)),
            };
        }
        let relation = at.relation(name).ok_or_else(|| unknown(name))?;
        let resource = tables::target(relation).ok_or_else(|| unknown(name))?;
        let id = segments.next();
        // A collection has no relationships of its own.
        if id == Some("relationships") && relation.link.is_many() {
            return Err(unknown("relationships"));
        }
        match (relation.link, id) {
            (Link::Many(_) | Link::Empty, None) => {
                return Ok(ResourcePath { items, end: End::Collection(resource, Some(relation)) });
            }
            (Link::One(_) | Link::Maybe(_) | Link::Nothing, None) => {
                return Ok(ResourcePath { items, end: End::Related(resource, relation) });
            }
            (_, Some(id)) => items.push(PathItem { resource, relation: Some(relation), id }),
        }
        at = resource;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_paths_end() {
        let of = |path: &str| {
            let resource_path = parse(path).unwrap();
            let items: Vec<_> =
                resource_path.items.iter().map(|place| (place.resource.kind, place.id.to_owned())).collect();
            let end = match resource_path.end {
                End::Collection(resource, _) => format!("all {}", resource.kind),
                End::Item => "item".into(),
                End::Related(resource, _) => format!("one {}", resource.kind),
                End::Relationship(relation) => format!("link {}", relation.name),
            };
            (items.len(), end)
        };
        assert_eq!(of("organization"), (0, "all organization".into()));
        assert_eq!(of("organization/1/"), (1, "item".into()));
        assert_eq!(of("organization/1/job/"), (1, "all job".into()));
        assert_eq!(of("organization/1/workspace/2/job/3"), (3, "item".into()));
        assert_eq!(of("workspace/2/workspaceTag"), (1, "all workspacetag".into()));
        assert_eq!(of("organization/1/job/3/workspace"), (2, "one workspace".into()));
        assert_eq!(of("organization/1/job/3/relationships/step"), (2, "link step".into()));
    }

    #[test]
    fn what_is_unknown() {
        for path in [
            "",
            "job",
            "team",
            "foo/1",
            "organization/1/foo",
            "organization/1/relationships/foo",
            "organization/1/team/relationships/organization",
            "step/1/relationships/job/2",
        ] {
            assert_eq!(parse(path).unwrap_err().status, StatusCode::NOT_FOUND, "{path}");
        }
        assert!(parse(&"organization/1/".repeat(20)).is_err());
    }
}
