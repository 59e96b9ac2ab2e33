//! Lists workspaces: by a part of their names, by tags, by project.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{ProjectId, WorkspaceId};
use poem::http::StatusCode;
use poem::{Request, Response};
use serde_json::{Value, json};

use super::caller::Visit;
use super::error::{Problem, Result};
use super::json_api::document;
use super::query_page::ListQuery;
use super::tag_binding::TagBinding;
use super::workspace_document::ShownWorkspace;
use crate::access;
use crate::app::App;
use crate::store;
use crate::store::workspace::{TagPattern, WorkspaceSearch};

/// The workspaces of an organization that the caller sees.
pub(super) async fn listed(app: &Arc<App>, request: &Request, organization: &str) -> Result<Response> {
    let visit = Visit::of(app, request).await?;
    let (organization, _) = visit.organization(organization).await?;
    let query = query_of(request)?;
    let (reach, among) = access::seen_workspaces(&app.db, &visit.caller, organization.id).await?;
    let project = match query.text("filter[project][id]") {
        None => None,
        Some(id) => Some(
            id.parse().map(ProjectId).map_err(|_| Problem::bad("filter[project][id]: must be the id of a project"))?,
        ),
    };
    let tags = query.list("search[tags]").into_iter().map(pattern);
    let tagged = query.tagged().into_iter().map(|(key, value)| match value {
        None => pattern(key),
        Some(value) => TagPattern::Name(TagBinding { key: key.to_owned(), value: value.to_owned() }.name()),
    });
    let wanted = WorkspaceSearch {
        organization: organization.id,
        among,
        name: query.text("search[name]").map(str::to_owned),
        project,
        tags: tags.chain(tagged).collect(),
        without: query.list("search[exclude-tags]").into_iter().map(pattern).collect(),
    };
    let (rows, total) = store::workspace::search(&app.db, &wanted, query.range()).await?;
    let mut tags: HashMap<WorkspaceId, Vec<TagBinding>> = HashMap::new();
    for (id, name) in store::workspace::tag_names(&app.db, rows.iter().map(|row| row.id).collect()).await? {
        tags.entry(id).or_default().push(TagBinding::of(&name));
    }
    let data = rows.iter().map(|row| {
        let rights = reach.in_workspace(row.organization_id, row.id);
        let tags = tags.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        ShownWorkspace { organization: &organization, row, rights, tags, current_run: None }.resource()
    });
    let data: Vec<Value> = data.collect();
    Ok(document(StatusCode::OK, &json!({"data": data, "meta": query.meta(total)})))
}

/// A tag of this key, with any value.
fn pattern(key: &str) -> TagPattern {
    TagPattern::NameOrBeginning { name: key.to_owned(), beginning: TagBinding::beginning(key) }
}

/// The query of a list.
pub(super) fn query_of(request: &Request) -> Result<ListQuery> {
    let pairs = request.params::<Vec<(String, String)>>().unwrap_or_default();
    ListQuery::of(pairs).map_err(Problem::bad)
}
