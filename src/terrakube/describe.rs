//! Pure: describes the tables as schemas, for the test that compares them with the contract.

use serde_json::{Map, Value, json};

use super::attribute::{Attribute, Fallback, Shape, Writer};
use super::resource::Resource;
use super::tables::RESOURCES;

/// All resources.
pub(super) fn all() -> Value {
    Value::Object(RESOURCES.iter().map(|resource| (resource.kind.to_owned(), one(resource))).collect())
}

fn one(resource: &Resource) -> Value {
    let attributes: Map<String, Value> =
        resource.attributes().map(|attribute| (attribute.name.to_owned(), described(attribute))).collect();
    let relations: Map<String, Value> = resource
        .relations
        .iter()
        .map(|relation| (relation.name.to_owned(), json!({"target": relation.target, "many": relation.link.is_many()})))
        .collect();
    let methods = resource.methods;
    json!({
        "root": resource.root,
        "methods": {"create": methods.create, "update": methods.update, "delete": methods.delete},
        "attributes": attributes,
        "relations": relations,
    })
}

fn described(attribute: &Attribute) -> Value {
    let mut schema = Map::new();
    let kind = match attribute.shape {
        Shape::Flag(_) | Shape::Always(_) => "boolean",
        Shape::Number(_) | Shape::Long(_) => "integer",
        Shape::Texts(_) => "array",
        Shape::Text(_)
        | Shape::Choice(..)
        | Shape::Word(..)
        | Shape::Time(_)
        | Shape::Id(_)
        | Shape::Secret(_)
        | Shape::Derived(_) => "string",
    };
    schema.insert("type".into(), json!(kind));
    match attribute.shape {
        Shape::Choice(_, of) => drop(schema.insert("enum".into(), json!(of))),
        Shape::Texts(_) => drop(schema.insert("items".into(), json!({"type": "string"}))),
        Shape::Id(_) => drop(schema.insert("format".into(), json!("uuid"))),
        _ => {}
    }
    if matches!(attribute.shape, Shape::Text(_) | Shape::Secret(_)) && attribute.writer != Writer::Server {
        schema.insert("maxLength".into(), json!(attribute.most));
    }
    if attribute.writer == Writer::Server {
        schema.insert("readOnly".into(), json!(true));
    }
    if matches!(attribute.shape, Shape::Secret(_)) || nullable(attribute) {
        schema.insert("nullable".into(), json!(true));
    }
    Value::Object(schema)
}

/// Whether an attribute may be null: it has no default, and the server does not always set it.
fn nullable(attribute: &Attribute) -> bool {
    let always = matches!(attribute.shape, Shape::Always(_));
    let set = ["createdBy", "createdDate", "updatedBy", "updatedDate", "stepNumber", "serial", "md5", "lastJobStatus"];
    let derived = matches!(attribute.shape, Shape::Derived(_));
    attribute.fallback == Some(Fallback::Null) && !always && (derived || !set.contains(&attribute.name))
}
