//! GET: one resource, a collection, or a relationship, as a document with all that the query asks for.

use std::collections::{BTreeMap, BTreeSet};

use poem::http::StatusCode;
use sea_orm::sea_query::{ExprTrait as _, SimpleExpr};
use serde_json::{Map, Value, json};

use super::document::{id_of, shown};
use super::error::{Problem, Result};
use super::filter;
use super::path::{End, Way};
use super::query::{Page, Query};
use super::resource::{Link, Relation, Resource};
use super::session::{Found, MOST, Session, answer, of_end};
use super::tables;
use crate::store::resource::{self, Cell, Column, Row, RowQuery};

impl Session {
    /// Answers a GET.
    pub(super) async fn get(&self, way: &Way<'_>, query: &Query) -> Result<poem::Response> {
        let found = self.walk(&self.app.db, way).await?;
        self.check(way, query)?;
        let document = match way.end {
            End::Item => {
                let (resource, row) = found.last.ok_or_else(|| Problem::bad("the path is empty"))?;
                self.document(resource, vec![row], query, true).await?
            }
            End::Related(target, relation) => {
                let rows = self.related(&found, target, relation).await?.into_iter().collect();
                self.document(target, rows, query, true).await?
            }
            End::Collection(resource, _) => self.collection(resource, of_end(way.end, &found), query).await?,
            End::Relationship(relation) => self.relationship(&found, relation).await?,
        };
        Ok(answer(StatusCode::OK, &document))
    }

    /// Refuses fields, paths and types that are not there, before anything is read.
    fn check(&self, way: &Way<'_>, query: &Query) -> Result<()> {
        let at = match way.end {
            End::Collection(resource, _) | End::Related(resource, _) => Some(resource),
            End::Item | End::Relationship(_) => way.places.last().map(|place| place.resource),
        };
        let Some(at) = at else { return Ok(()) };
        for (kind, names) in &query.fields {
            let of = tables::by_kind(kind)
                .ok_or_else(|| Problem::bad(format!("Unknown entity type: Entity {kind} not found")))?;
            let lacking: Vec<&String> =
                names.iter().filter(|name| of.attribute(name).is_none() && of.relation(name).is_none()).collect();
            if !lacking.is_empty() {
                let list: Vec<&str> = lacking.iter().map(|name| name.as_str()).collect();
                return Err(Problem::bad(format!(
                    "Invalid value: {kind} does not contain the fields: [{}]",
                    list.join(", ")
                )));
            }
        }
        for path in &query.include {
            let mut of = at;
            for step in path {
                let lacks = || Problem::bad(format!("Invalid value: {} does not contain the field {step}", of.kind));
                of = of.relation(step).and_then(tables::target).ok_or_else(lacks)?;
            }
        }
        Ok(())
    }

    async fn collection(&self, of: &'static Resource, hangs: SimpleExpr, query: &Query) -> Result<Value> {
        let mut conditions = vec![self.visible(of), hangs];
        for (kind, filter) in &query.filters {
            match kind {
                // A filter of another type is about what is included.
                Some(kind) if kind != of.kind && !kind.starts_with(&format!("{}.", of.kind)) => {
                    tables::by_kind(kind).ok_or_else(|| Problem::bad(format!("Invalid predicate: {kind}")))?;
                }
                _ => {
                    let with = filter::With { backend: self.backend(), visible: &|of| self.visible(of) };
                    conditions.push(filter::condition(&with, of, filter)?);
                }
            }
        }
        let condition = resource::all(conditions);
        let (offset, limit) = query.page.map_or((0, MOST), |page| (page.offset, page.limit));
        let wanted = RowQuery {
            table: of.table,
            columns: of.columns(),
            filter: condition.clone(),
            order: filter::order(of, &query.sort)?,
            offset,
            limit,
        };
        let rows = resource::list(&self.app.db, wanted).await?;
        let mut document = self.document(of, rows, query, false).await?;
        if let (Some(page), Some(document)) = (query.page, document.as_object_mut()) {
            let total = resource::count(&self.app.db, of.table, condition).await?;
            document.insert("meta".into(), meta(page, total));
        }
        Ok(document)
    }

    async fn relationship(&self, found: &Found, relation: &Relation) -> Result<Value> {
        let Some((resource, row)) = &found.last else { return Ok(json!({"data": null})) };
        let rows = std::slice::from_ref(row);
        let links = self.links(resource, rows, relation).await?;
        Ok(json!({"data": links.into_values().next().unwrap_or(empty(relation))}))
    }

    /// A document about rows: one of them, or a list.
    async fn document(&self, of: &'static Resource, rows: Vec<Row>, query: &Query, single: bool) -> Result<Value> {
        let objects = self.objects(of, &rows, query).await?;
        let data = if single { objects.into_iter().next().unwrap_or(Value::Null) } else { json!(objects) };
        let mut document = Map::from_iter([("data".to_owned(), data)]);
        if !query.include.is_empty() {
            let included = self.included(of, rows, query).await?;
            document.insert("included".into(), json!(included));
        }
        Ok(Value::Object(document))
    }

    /// A document about one row that was just made.
    pub(super) async fn made(&self, of: &'static Resource, row: Row) -> Result<Value> {
        self.document(of, vec![row], &Query::default(), true).await
    }

    /// Rows as resources, with their relationships.
    async fn objects(&self, of: &'static Resource, rows: &[Row], query: &Query) -> Result<Vec<Value>> {
        let fields = query.fields.get(of.kind);
        let wants = |name: &str| fields.is_none_or(|names| names.iter().any(|wanted| wanted == name));
        let mut linked: Vec<(&Relation, BTreeMap<String, Value>)> = Vec::new();
        for relation in of.relations.iter().filter(|relation| wants(relation.name)) {
            linked.push((relation, self.links(of, rows, relation).await?));
        }
        let server = self.app.public_url();
        let object = |row: &Row| {
            let id = id_of(row);
            let attributes: Map<String, Value> = of
                .attributes()
                .filter(|attribute| wants(attribute.name))
                .map(|attribute| (attribute.name.to_owned(), shown(attribute, row, &server)))
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

    /// What a relationship of rows leads to, by the ids of the rows: in one query for all of them.
    async fn links(&self, of: &Resource, rows: &[Row], relation: &Relation) -> Result<BTreeMap<String, Value>> {
        let mut links = BTreeMap::new();
        match relation.link {
            Link::One(column) | Link::Maybe(column) => {
                for row in rows {
                    let id = match row.get(column) {
                        Some(Cell::Id(id)) => json!({"type": relation.target, "id": id.to_string()}),
                        Some(Cell::Number(number)) => json!({"type": relation.target, "id": number.to_string()}),
                        _ => Value::Null,
                    };
                    links.insert(id_of(row), id);
                }
            }
            Link::Many(column) => {
                let Some(target) = tables::target(relation) else { return Ok(links) };
                let back = Column { name: column, kind: of.key };
                for piece in rows.chunks(500) {
                    let ids: Vec<Cell> = piece.iter().filter_map(|row| row.get("id").cloned()).collect();
                    let wanted = RowQuery {
                        table: target.table,
                        columns: vec![target.id(), back],
                        filter: self.visible(target).and(resource::is_in(target.table, back, &ids)),
                        order: vec![("id", sea_orm::sea_query::Order::Asc)],
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
                            list.push(json!({"type": relation.target, "id": id_of(&row)}));
                        }
                    }
                }
            }
        }
        Ok(links)
    }

    /// What the paths of `include` lead to, each resource once.
    async fn included(&self, of: &'static Resource, rows: Vec<Row>, query: &Query) -> Result<Vec<Value>> {
        let mut seen: BTreeSet<(&str, String)> = rows.iter().map(|row| (of.kind, id_of(row))).collect();
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
                    next.extend(self.rows(&self.app.db, target, lead(at, relation, target, piece)).await?);
                }
                let fresh: Vec<Row> =
                    next.iter().filter(|row| seen.insert((target.kind, id_of(row)))).cloned().collect();
                objects.extend(self.objects(target, &fresh, query).await?);
                (at, from) = (target, next);
            }
        }
        Ok(objects)
    }
}

/// The condition that a relationship of rows leads to a row.
fn lead(of: &Resource, relation: &Relation, target: &'static Resource, rows: &[Row]) -> SimpleExpr {
    let cells = |column: &str| -> Vec<Cell> {
        rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null).cloned().collect()
    };
    let (column, ids) = match relation.link {
        Link::One(column) | Link::Maybe(column) => (target.id(), cells(column)),
        Link::Many(column) => (Column { name: column, kind: of.key }, cells("id")),
    };
    if ids.is_empty() { resource::constant(false) } else { resource::is_in(target.table, column, &ids) }
}

fn empty(relation: &Relation) -> Value {
    match relation.link {
        Link::Many(_) => json!([]),
        Link::One(_) | Link::Maybe(_) => Value::Null,
    }
}

fn meta(page: Page, total: u64) -> Value {
    let mut meta = json!({"number": page.offset / page.limit + 1, "limit": page.limit});
    if let (true, Some(meta)) = (page.totals, meta.as_object_mut()) {
        meta.insert("totalRecords".into(), json!(total));
        meta.insert("totalPages".into(), json!(total.div_ceil(page.limit)));
    }
    json!({"page": meta})
}
