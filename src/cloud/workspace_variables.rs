//! The variables of a workspace. A sensitive value is never shown.

use std::sync::Arc;

use entity::id::TerraformVariableId;
use entity::terraform_variable;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler, patch};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{SeenWorkspace, Visit};
use super::error::{Problem, Result, answered, guarded};
use super::json_api::{document, one, resource, to_one};
use super::workspace_request::renamed;
use crate::access::require_right;
use crate::app::App;
use crate::engine::workspace_setting::{WorkspaceVariable, delete_variable, save_variable};
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/workspaces/:id/vars", guarded(get(list).post(create)))
        .at("/api/v2/workspaces/:id/vars/:variable", guarded(patch(update).delete(remove)))
}

/// The attributes of a variable. What is missing stays as it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    key: Option<String>,
    value: Option<String>,
    description: Option<String>,
    category: Option<String>,
    hcl: Option<bool>,
    sensitive: Option<bool>,
}

/// The names of the categories here, and those under which they are stored.
const CATEGORIES: [(&str, &str); 2] = [("terraform", "TERRAFORM"), ("env", "ENV")];

fn variable_of(row: &terraform_variable::Model) -> Value {
    let category = CATEGORIES.iter().find(|(_, stored)| *stored == row.category).map_or("terraform", |(name, _)| name);
    json!({
        "id": row.id,
        "type": "vars",
        "attributes": {
            "key": row.key,
            "value": if row.sensitive { None } else { row.value.as_deref() },
            "description": row.description,
            "category": category,
            "hcl": row.hcl,
            "sensitive": row.sensitive,
        },
        "relationships": {"configurable": row.workspace_id.map(|id| to_one("workspaces", id))},
    })
}

impl Attributes {
    /// The attributes with the category under its stored name.
    fn read(self) -> Result<Self> {
        let known =
            |name: &String| CATEGORIES.iter().find(|(one, _)| one == name).map(|(_, stored)| (*stored).to_owned());
        match self.category.as_ref().map(known) {
            Some(None) => Err(Problem::invalid("data.attributes.category: must be terraform or env")),
            category => Ok(Self { category: category.flatten(), ..self }),
        }
    }

    /// Checks that a new variable has what it needs.
    fn require_all(&self) -> Result<()> {
        let missing = match (&self.key, &self.category) {
            (Some(_), Some(_)) => return Ok(()),
            (None, _) => "key",
            (_, None) => "category",
        };
        Err(Problem::invalid(format!("data.attributes.{missing}: is required")))
    }

    /// The variable with the attributes that were given.
    fn variable(&self, old: WorkspaceVariable) -> WorkspaceVariable {
        let Self { key, value, description, category, hcl, sensitive } = self;
        WorkspaceVariable {
            key: key.clone().unwrap_or(old.key),
            value: value.clone().or(old.value),
            description: description.clone().or(old.description),
            category: category.clone().unwrap_or(old.category),
            sensitive: sensitive.unwrap_or(old.sensitive),
            hcl: hcl.unwrap_or(old.hcl),
        }
    }
}

#[handler]
async fn list(app: Data<&Arc<App>>, request: &Request, id: Path<String>) -> Response {
    let answer = async {
        let seen = Visit::of(app.0, request).await?.workspace(&id.0).await?;
        let rows = store::workspace::variables(&app.0.db, seen.row.organization_id, seen.row.id).await?;
        let own = rows.iter().filter(|row| row.workspace_id.is_some());
        let data: Vec<Value> = own.map(variable_of).collect();
        Ok(document(StatusCode::OK, &json!({"data": data})))
    };
    answered(answer.await)
}

/// A workspace whose variables the caller may change.
async fn changeable(app: &Arc<App>, request: &Request, id: &str) -> Result<(Visit, SeenWorkspace)> {
    let visit = Visit::of(app, request).await?;
    let seen = visit.workspace(id).await?;
    require_right(seen.rights.workspaces)?;
    Ok((visit, seen))
}

/// A variable of a workspace.
async fn variable(app: &App, of: &SeenWorkspace, id: &str) -> Result<terraform_variable::Model> {
    let missing = || Problem::missing("variable");
    let id = id.parse().map(TerraformVariableId).map_err(|_| missing())?;
    let row = store::row::by_id::<terraform_variable::Model>(&app.db, id).await?;
    row.filter(|row| row.workspace_id == Some(of.row.id)).ok_or_else(missing)
}

#[handler]
async fn create(app: Data<&Arc<App>>, request: &Request, id: Path<String>, body: Body) -> Response {
    let answer = async {
        let (visit, seen) = changeable(app.0, request, &id.0).await?;
        let wanted = one::<Attributes>(request, body, "vars").await?.attributes.read()?;
        wanted.require_all()?;
        saved(&visit, &seen, None, wanted, StatusCode::CREATED).await
    };
    answered(answer.await)
}

#[handler]
async fn update(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String)>, body: Body) -> Response {
    let answer = async {
        let (visit, seen) = changeable(app.0, request, &path.0.0).await?;
        let old = variable(app.0, &seen, &path.0.1).await?;
        let wanted = one::<Attributes>(request, body, "vars").await?.attributes.read()?;
        saved(&visit, &seen, Some(old.id), wanted, StatusCode::OK).await
    };
    answered(answer.await)
}

async fn saved(
    visit: &Visit,
    of: &SeenWorkspace,
    old: Option<TerraformVariableId>,
    wanted: Attributes,
    status: StatusCode,
) -> Result<Response> {
    let place = (of.row.organization_id, Some(of.row.id));
    let change = |old| wanted.variable(old);
    let row = save_variable(&visit.app, &visit.requester(), place, old, change).await.map_err(renamed)?;
    Ok(resource(status, &variable_of(&row)))
}

#[handler]
async fn remove(app: Data<&Arc<App>>, request: &Request, path: Path<(String, String)>) -> Response {
    let answer = async {
        let (visit, seen) = changeable(app.0, request, &path.0.0).await?;
        let row = variable(app.0, &seen, &path.0.1).await?;
        delete_variable(app.0, &visit.requester(), &row).await?;
        Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
    };
    answered(answer.await)
}
