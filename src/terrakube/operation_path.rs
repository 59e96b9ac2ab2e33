//! Pure: resolves the target of an operation, with the local ids of earlier operations.

use std::collections::HashMap;

use serde_json::Value;

use super::document;
use super::document::{Linkage, ResourceObject};
use super::error::{Problem, Result};

pub(super) type Names = HashMap<String, String>;

pub(super) fn is_relationship(operation: &Value) -> bool {
    operation.get("ref").is_some_and(|of| of.get("relationship").is_some())
        || operation.get("href").and_then(Value::as_str).is_some_and(|href| href.contains("/relationships/"))
}

/// The path that an operation targets.
pub(super) fn path_of(operation: &Value, given: Option<&ResourceObject>, names: &Names) -> Result<String> {
    if let Some(href) = operation.get("href").and_then(Value::as_str) {
        let path = href.split_once("/api/v1/").map_or(href, |(_, path)| path);
        let real = |segment: &str| names.get(segment).cloned().unwrap_or_else(|| segment.to_owned());
        return Ok(path.split('/').map(real).collect::<Vec<_>>().join("/"));
    }
    let named = match (operation.get("ref"), given) {
        (Some(of), _) => Some(document::parse_reference(of)?),
        (None, Some(given)) => {
            Some(document::Reference { kind: given.kind.clone(), id: given.id.clone(), lid: given.lid.clone() })
        }
        (None, None) => None,
    };
    let named = named.ok_or_else(|| Problem::bad("an operation has neither href nor ref"))?;
    let id = named.lid.as_ref().and_then(|lid| names.get(lid).cloned()).or(named.id);
    let id = id.ok_or_else(|| Problem::bad("the ref of an operation has no id"))?;
    let relationship = operation.get("ref").and_then(|of| of.get("relationship")).and_then(Value::as_str);
    Ok(match relationship {
        Some(name) => format!("{}/{id}/relationships/{name}", named.kind),
        None => format!("{}/{id}", named.kind),
    })
}

/// Replaces local ids by the ids of created resources.
pub(super) fn resolve(given: &mut ResourceObject, names: &Names) -> Result<()> {
    given.relationships.values_mut().try_for_each(|linkage| resolve_linkage(linkage, names))
}

/// The same in one linkage.
pub(super) fn resolve_linkage(linkage: &mut Linkage, names: &Names) -> Result<()> {
    let references: Vec<&mut document::Reference> = match linkage {
        Linkage::One(reference) => reference.iter_mut().collect(),
        Linkage::Many(list) => list.iter_mut().collect(),
    };
    for reference in references {
        let name = reference.lid.as_ref().or(reference.id.as_ref());
        if let Some(id) = name.and_then(|name| names.get(name)) {
            reference.id = Some(id.clone());
        } else if let (None, Some(lid)) = (&reference.id, &reference.lid) {
            return Err(Problem::bad(format!("no earlier operation has the lid {lid}")));
        }
    }
    Ok(())
}
