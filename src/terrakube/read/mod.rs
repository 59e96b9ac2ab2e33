//! GET of a resource, a collection or a relationship.

use poem::http::StatusCode;
use sea_orm::sea_query::SimpleExpr;
use serde_json::{Value, json};

use self::resource_object::empty;
use crate::store::resource::{self, RowQuery};
use crate::terrakube::error::{Problem, Result};
use crate::terrakube::filter;
use crate::terrakube::path::{End, ResourcePath};
use crate::terrakube::path_context::{PathContext, collection_condition};
use crate::terrakube::query::{Page, Query};
use crate::terrakube::resource::{Relation, Resource};
use crate::terrakube::response::document_response;
use crate::terrakube::session::{MOST, Session};
use crate::terrakube::tables;

mod compound_document;
mod resource_object;

impl Session {
    /// Handles a GET.
    pub(in crate::terrakube) async fn get(
        &self,
        resource_path: &ResourcePath<'_>,
        query: &Query,
    ) -> Result<poem::Response> {
        let found = self.walk(&self.app.db, resource_path).await?;
        self.check(resource_path, query)?;
        let document = match resource_path.end {
            End::Item => {
                let (resource, row) = found.last.ok_or_else(|| Problem::bad("the path is empty"))?;
                self.document(resource, vec![row], query, true).await?
            }
            End::Related(target, relation) => {
                let rows = self.related(&found, target, relation).await?.into_iter().collect();
                self.document(target, rows, query, true).await?
            }
            End::Collection(resource, _) => {
                self.collection(resource, collection_condition(resource_path.end, &found), query).await?
            }
            End::Relationship(relation) => self.relationship(&found, relation, query).await?,
        };
        Ok(document_response(StatusCode::OK, &document))
    }

    /// Rejects unknown types, fields and include paths before anything is loaded.
    fn check(&self, resource_path: &ResourcePath<'_>, query: &Query) -> Result<()> {
        let at = match resource_path.end {
            End::Collection(resource, _) | End::Related(resource, _) => Some(resource),
            End::Item | End::Relationship(_) => resource_path.items.last().map(|place| place.resource),
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
        for kind in query.filters.iter().filter_map(|(kind, _)| kind.as_deref()) {
            // Filters of other types apply to what is included.
            let of = tables::by_kind(kind)
                .ok_or_else(|| Problem::bad(format!("Invalid query parameter: filter[{kind}]")))?;
            self.filtered(of, query)?;
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

    /// The condition of the filters on a type.
    pub(super) fn filtered(&self, of: &'static Resource, query: &Query) -> Result<SimpleExpr> {
        let context = self.filter_context();
        let filters = query.filters.iter().filter(|(kind, _)| kind.as_deref() == Some(of.kind));
        Ok(resource::all(filters.map(|(_, filter)| filter::condition(&context, of, filter)).collect::<Result<_>>()?))
    }

    async fn collection(&self, of: &'static Resource, hangs: SimpleExpr, query: &Query) -> Result<Value> {
        let context = self.filter_context();
        let mut conditions = vec![self.visible(of), hangs, self.filtered(of, query)?];
        for (_, filter) in query.filters.iter().filter(|(kind, _)| kind.is_none()) {
            conditions.push(filter::condition(&context, of, filter)?);
        }
        let condition = resource::all(conditions);
        let (offset, limit) = query.page.map_or((0, MOST), |page| (page.offset, page.limit));
        let wanted = RowQuery {
            table: of.table,
            columns: of.columns(),
            filter: condition.clone(),
            order: filter::order(&context, of, &query.sort)?,
            offset,
            limit,
        };
        let is_stored = of.is_stored();
        let rows = if is_stored { resource::list(&self.app.db, wanted).await? } else { Vec::new() };
        let mut document = self.document(of, rows, query, false).await?;
        if let (Some(page), Some(document)) = (query.page, document.as_object_mut()) {
            let total = if is_stored { resource::count(&self.app.db, of.table, condition).await? } else { 0 };
            document.insert("meta".into(), meta(page, total));
        }
        Ok(document)
    }

    async fn relationship(&self, found: &PathContext, relation: &Relation, query: &Query) -> Result<Value> {
        let Some((resource, row)) = &found.last else { return Ok(json!({"data": null})) };
        let rows = std::slice::from_ref(row);
        let links = self.links(resource, rows, relation, query).await?;
        let mut document = json!({"data": links.into_values().next().unwrap_or(empty(relation))});
        if let (false, Some(document)) = (query.include.is_empty(), document.as_object_mut()) {
            // As everywhere, the paths begin at the resource that has the relationship.
            document.insert("included".into(), json!(self.included(resource, rows.to_vec(), query).await?));
        }
        Ok(document)
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
