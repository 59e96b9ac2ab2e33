//! Compound documents: rows, with the resources that `include` requests.

use std::collections::BTreeSet;

use sea_orm::sea_query::{ExprTrait as _, SimpleExpr};
use serde_json::{Map, Value, json};

use crate::store::resource::{self, Cell, Column, Row};
use crate::terrakube::attribute_value::row_id;
use crate::terrakube::error::Result;
use crate::terrakube::query::Query;
use crate::terrakube::resource::{Link, Relation, Resource};
use crate::terrakube::session::Session;
use crate::terrakube::tables;

impl Session {
    /// A document about one row, or a list of rows.
    pub(super) async fn document(
        &self,
        of: &'static Resource,
        rows: Vec<Row>,
        query: &Query,
        single: bool,
    ) -> Result<Value> {
        let objects = self.objects(of, &rows, query).await?;
        let data = if single { objects.into_iter().next().unwrap_or(Value::Null) } else { json!(objects) };
        let mut document = Map::from_iter([("data".to_owned(), data)]);
        if !query.include.is_empty() {
            let included = self.included(of, rows, query).await?;
            document.insert("included".into(), json!(included));
        }
        Ok(Value::Object(document))
    }

    /// A document about a new row.
    pub(in crate::terrakube) async fn created_document(&self, of: &'static Resource, row: Row) -> Result<Value> {
        self.document(of, vec![row], &Query::default(), true).await
    }

    /// The resources on the paths of `include`, each once.
    pub(super) async fn included(&self, of: &'static Resource, rows: Vec<Row>, query: &Query) -> Result<Vec<Value>> {
        let mut seen: BTreeSet<(&str, String)> = rows.iter().map(|row| (of.kind, row_id(row))).collect();
        let mut objects = Vec::new();
        for path in &query.include {
            let (mut at, mut from) = (of, rows.clone());
            for step in path {
                let Some((relation, target)) = at.relation(step).and_then(|one| Some((one, tables::target(one)?)))
                else {
                    break;
                };
                let mut next = Vec::new();
                for piece in from.chunks(500) {
                    let mut leads = lead(at, relation, target, piece);
                    if relation.link.is_many() {
                        leads = leads.and(self.filtered(target, query)?);
                    }
                    next.extend(self.rows(&self.app.db, target, leads).await?);
                }
                let fresh: Vec<Row> =
                    next.iter().filter(|row| seen.insert((target.kind, row_id(row)))).cloned().collect();
                objects.extend(self.objects(target, &fresh, query).await?);
                (at, from) = (target, next);
            }
        }
        Ok(objects)
    }
}

/// The condition that selects the targets of a relationship of any of the rows.
fn lead(of: &Resource, relation: &Relation, target: &'static Resource, rows: &[Row]) -> SimpleExpr {
    let cells = |column: &str| -> Vec<Cell> {
        rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null).cloned().collect()
    };
    let (column, ids) = match relation.link {
        Link::One(column) | Link::Maybe(column) => (target.id(), cells(column)),
        Link::Many(column) => (Column { name: column, kind: of.key }, cells("id")),
        Link::Nothing | Link::Empty => return resource::constant(false),
    };
    if ids.is_empty() { resource::constant(false) } else { resource::is_in(target.table, column, &ids) }
}
