//! Renders rows as resource objects, with the linkage of their relationships.

use std::collections::BTreeMap;

use sea_orm::sea_query::ExprTrait as _;
use serde_json::{Map, Value, json};

use crate::store::resource::{self, Cell, Column, Row, RowQuery};
use crate::terrakube::attribute_value::{row_id, to_json};
use crate::terrakube::error::Result;
use crate::terrakube::query::Query;
use crate::terrakube::resource::{Link, Relation, Resource};
use crate::terrakube::session::{MOST, Session};
use crate::terrakube::tables;

impl Session {
    /// Renders rows as resource objects, with their relationships.
    pub(super) async fn objects(&self, of: &'static Resource, rows: &[Row], query: &Query) -> Result<Vec<Value>> {
        let fields = query.fields.get(of.kind);
        let wants = |name: &str| fields.is_none_or(|names| names.iter().any(|wanted| wanted == name));
        let mut linked: Vec<(&Relation, BTreeMap<String, Value>)> = Vec::new();
        for relation in of.relations.iter().filter(|relation| wants(relation.name)) {
            linked.push((relation, self.links(of, rows, relation, query).await?));
        }
        let server = self.app.public_url();
        let object = |row: &Row| {
            let id = row_id(row);
            let attributes: Map<String, Value> = of
                .attributes()
                .filter(|attribute| wants(attribute.name))
                .map(|attribute| (attribute.name.to_owned(), to_json(attribute, row, &server)))
                .collect();
            let mut object = json!({"type": of.kind, "id": id, "attributes": attributes});
            let relationships: Map<String, Value> = linked
                .iter()
                .map(|(relation, links)| {
                    let data = links.get(&id).cloned().unwrap_or_else(|| empty(relation));
                    (relation.name.to_owned(), json!({"data": data}))
                })
                .collect();
            if let (false, Some(object)) = (relationships.is_empty(), object.as_object_mut()) {
                object.insert("relationships".into(), Value::Object(relationships));
            }
            object
        };
        Ok(rows.iter().map(object).collect())
    }

    /// The linkage of a relationship by row id, loaded for all rows at once. A filter on a type applies wherever a relationship
    /// leads to many of it.
    pub(super) async fn links(
        &self,
        of: &Resource,
        rows: &[Row],
        relation: &Relation,
        query: &Query,
    ) -> Result<BTreeMap<String, Value>> {
        let mut links = BTreeMap::new();
        match relation.link {
            Link::One(column) | Link::Maybe(column) => {
                for row in rows {
                    let id = match row.get(column) {
                        Some(Cell::Id(id)) => json!({"type": relation.target, "id": id.to_string()}),
                        Some(Cell::Number(number)) => json!({"type": relation.target, "id": number.to_string()}),
                        _ => Value::Null,
                    };
                    links.insert(row_id(row), id);
                }
            }
            Link::Nothing | Link::Empty => {}
            Link::Many(column) => {
                let Some(target) = tables::target(relation) else { return Ok(links) };
                let back = Column { name: column, kind: of.key };
                let filter = self.filtered(target, query)?;
                for piece in rows.chunks(500) {
                    let ids: Vec<Cell> = piece.iter().filter_map(|row| row.get("id").cloned()).collect();
                    let wanted = RowQuery {
                        table: target.table,
                        columns: vec![target.id(), back],
                        filter: self.visible(target).and(filter.clone()).and(resource::is_in(target.table, back, &ids)),
                        order: vec![(resource::column(target.table, "id"), sea_orm::sea_query::Order::Asc)],
                        offset: 0,
                        limit: MOST,
                    };
                    for row in resource::list(&self.app.db, wanted).await? {
                        let to = match row.get(column) {
                            Some(Cell::Id(id)) => id.to_string(),
                            Some(Cell::Number(number)) => number.to_string(),
                            _ => continue,
                        };
                        let list = links.entry(to).or_insert_with(|| json!([]));
                        if let Some(list) = list.as_array_mut() {
                            list.push(json!({"type": relation.target, "id": row_id(&row)}));
                        }
                    }
                }
            }
        }
        Ok(links)
    }
}

pub(super) fn empty(relation: &Relation) -> Value {
    if relation.link.is_many() { json!([]) } else { Value::Null }
}
