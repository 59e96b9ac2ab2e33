//! Variables and schedules of workspaces, as people enter them. Callers have checked that the requester may change the workspace.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, TemplateId, TerraformVariableId, WorkspaceId, WorkspaceScheduleId};
use entity::{terraform_variable, workspace, workspace_schedule};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::faults::Faults;
use super::limits;
use super::plan_inputs::opened;
use super::requester::Requester;
use super::template::PLAN;
use super::variables::{check_hcl, check_workspace_key};
use super::workspace::{Flow, next_time};
use super::workspace_event::{self, By, Part, kind};
use crate::access::reach::Rights;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The longest description, in characters.
const DESCRIPTION: usize = 2048;

/// A variable of a workspace or of all of them. No `Debug`: the value may be sensitive.
#[derive(Clone)]
pub struct WorkspaceVariable {
    pub key: String,
    /// None keeps the value of a sensitive variable.
    pub value: Option<String>,
    pub description: Option<String>,
    /// `TERRAFORM` or `ENV`.
    pub category: String,
    pub sensitive: bool,
    pub hcl: bool,
}

impl From<&terraform_variable::Model> for WorkspaceVariable {
    fn from(row: &terraform_variable::Model) -> Self {
        Self {
            key: row.key.clone(),
            value: row.value.clone().filter(|_| !row.sensitive),
            description: row.description.clone(),
            category: row.category.clone(),
            sensitive: row.sensitive,
            hcl: row.hcl,
        }
    }
}

fn check_description(text: Option<&str>) -> Result<()> {
    if text.is_some_and(|text| text.chars().count() > DESCRIPTION) {
        return Err(Error::invalid("description", format!("must have at most {DESCRIPTION} characters")));
    }
    Ok(())
}

/// Stores a variable of a workspace, or of all workspaces of an organization: a new one, or `old` with other values. Returns it. The change
/// gets the variable as it is stored, which may be another one than the caller has seen.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if there is such a variable; database errors.
pub async fn save_variable(
    app: &App,
    by: &Requester,
    (organization, workspace): (OrganizationId, Option<WorkspaceId>),
    old: Option<TerraformVariableId>,
    change: impl Fn(WorkspaceVariable) -> WorkspaceVariable,
) -> Result<terraform_variable::Model> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let row = match old {
            Some(id) => {
                store::row::lock::<terraform_variable::Model>(tx, id).await?.ok_or(Error::NotFound("variable"))?
            }
            None => empty_variable((organization, workspace), by.author(), now),
        };
        let before = old.map(|_| row.clone());
        let wanted = change(WorkspaceVariable::from(&row));
        let row = changed_variable(app, row, wanted)?;
        let row = terraform_variable::Model { updated_at: now, updated_by: by.author().to_owned(), ..row };
        let whose = if workspace.is_some() { "workspace" } else { "organization" };
        let taken = format!("the {whose} already has a variable {} of this kind", row.key);
        let saved = if old.is_some() { store::row::update(tx, row).await } else { store::row::create(tx, row).await };
        let row = saved.map_err(|error| Error::or_taken(error, taken))?;
        workspace_event::variable(tx, By { who: by, at: now }, (before.as_ref(), Some(&row))).await?;
        Ok(row)
    })
    .await
}

/// Deletes a variable of a workspace, or of all of them.
///
/// # Errors
/// Database errors.
pub async fn delete_variable(app: &App, by: &Requester, row: &terraform_variable::Model) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        if store::row::delete::<terraform_variable::Model>(tx, row.id).await? {
            workspace_event::variable(tx, By { who: by, at: now }, (Some(row), None)).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// The row of a variable with other values.
fn changed_variable(
    app: &App,
    old: terraform_variable::Model,
    wanted: WorkspaceVariable,
) -> Result<terraform_variable::Model> {
    let WorkspaceVariable { key, value, description, category, sensitive, hcl } = wanted;
    let mut faults = Faults::default();
    if !["TERRAFORM", "ENV"].contains(&category.as_str()) {
        faults.refuse("category", "must be TERRAFORM or ENV");
    } else if let Err(allowed) = check_workspace_key(&category, &key) {
        faults.refuse("key", allowed);
    }
    let value = faults.note(value.map(|value| limits::text("value", value)).transpose());
    faults.note(check_description(description.as_deref()));
    if value.is_none() && !(sensitive && old.sensitive) {
        faults.refuse("value", "must be given again, because the present one is not revealed");
    }
    faults.result()?;
    let is_new =
        !old.hcl || old.category != category || value.as_ref().is_some_and(|value| old.value.as_ref() != Some(value));
    if hcl && category == "TERRAFORM" && is_new {
        let sealed = || opened(app, &old);
        let value = value.clone().map_or_else(sealed, Ok)?;
        check_hcl(&key, &value).map_err(|text| Error::invalid("value", text))?;
    }
    let mut row = terraform_variable::Model { key, description, category, sensitive, hcl, ..old };
    match (value, sensitive) {
        (Some(value), true) => {
            row.sealed = Some(app.keys.seal(&secret::place("terraform_variable", row.id.0), value.as_bytes())?);
            row.value = None;
        }
        (Some(value), false) => (row.value, row.sealed) = (Some(value), None),
        (None, _) => {}
    }
    Ok(row)
}

fn empty_variable(
    (organization, workspace): (OrganizationId, Option<WorkspaceId>),
    by: &str,
    now: DateTime<Utc>,
) -> terraform_variable::Model {
    terraform_variable::Model {
        id: TerraformVariableId::create(),
        organization_id: organization,
        workspace_id: workspace,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        key: String::new(),
        value: Some(String::new()),
        sealed: None,
        description: None,
        category: String::new(),
        sensitive: false,
        hcl: false,
    }
}

/// A schedule of a workspace.
pub struct WorkspaceSchedule {
    pub cron: String,
    pub template: Option<TemplateId>,
    pub description: Option<String>,
    pub enabled: bool,
    /// Whether its jobs only look for drift; then it has no template.
    pub refresh_only: bool,
}

/// Stores a schedule: a new one, or `old` with other values. Whoever enables it stands behind its jobs, and needs the rights for them.
///
/// # Errors
/// `Invalid` with the field; `Forbidden` if the requester may not have the template carried out; database errors.
pub async fn save_schedule(
    app: &App,
    (by, principal, rights): (&Requester, String, Rights),
    of: &workspace::Model,
    old: Option<WorkspaceScheduleId>,
    wanted: WorkspaceSchedule,
) -> Result<()> {
    let WorkspaceSchedule { cron, template, description, enabled, refresh_only } = wanted;
    let template = template.filter(|_| !refresh_only);
    let now = app.clock.now();
    let next = next_time(&cron, now)?;
    check_description(description.as_deref())?;
    store::write(&app.db, async |tx| {
        let row = match old {
            Some(id) => {
                store::row::lock::<workspace_schedule::Model>(tx, id).await?.ok_or(Error::NotFound("schedule"))?
            }
            None => empty_schedule(of, by.author(), now),
        };
        let before = old.map(|_| shown_schedule(&row));
        let mut row = workspace_schedule::Model {
            cron,
            tcl: if template.is_some() || refresh_only { None } else { row.tcl.clone() },
            template_reference: template.map(|id| id.to_string()),
            description,
            enabled,
            refresh_only,
            next_run_at: next.filter(|_| enabled),
            updated_at: now,
            updated_by: by.author().to_owned(),
            ..row
        };
        if row.enabled {
            require(tx, of, &row, rights).await?;
            row.principal = Some(principal);
        }
        let saved = if old.is_some() { store::row::update(tx, row).await } else { store::row::create(tx, row).await };
        let values = (before, Some(shown_schedule(&saved?)));
        let kind = if old.is_some() { kind::UPDATE } else { kind::CREATE };
        workspace_event::part(tx, By { who: by, at: now }, of, (kind, Part::Schedule), values).await
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// Deletes a schedule of a workspace.
///
/// # Errors
/// Database errors.
pub async fn delete_schedule(
    app: &App,
    by: &Requester,
    of: &workspace::Model,
    row: &workspace_schedule::Model,
) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        if store::row::delete::<workspace_schedule::Model>(tx, row.id).await? {
            let (by, values) = (By { who: by, at: now }, (Some(shown_schedule(row)), None));
            workspace_event::part(tx, by, of, (kind::DELETE, Part::Schedule), values).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    app.wake.now();
    Ok(())
}

/// A schedule as its event shows it.
fn shown_schedule(row: &workspace_schedule::Model) -> Value {
    json!({
        "cron": row.cron,
        "templateReference": row.template_reference,
        "description": row.description,
        "enabled": row.enabled,
        "refreshOnly": row.refresh_only,
    })
}

/// Checks that somebody with these rights may have carried out what a schedule starts.
async fn require(
    tx: &DatabaseTransaction,
    of: &workspace::Model,
    row: &workspace_schedule::Model,
    rights: Rights,
) -> Result<()> {
    if row.refresh_only {
        return Flow::of_default(PLAN)?.require(rights);
    }
    let named = row.template_reference.as_ref().and_then(|id| id.parse().ok()).map(TemplateId);
    let default = of.default_template.as_ref().and_then(|id| id.parse().ok()).map(TemplateId);
    let template = named.or(if row.tcl.is_none() { default } else { None });
    let flow = Flow::load(tx, of.organization_id, template, row.tcl.as_deref()).await?;
    flow.require(rights)
}

fn empty_schedule(of: &workspace::Model, by: &str, now: DateTime<Utc>) -> workspace_schedule::Model {
    workspace_schedule::Model {
        id: WorkspaceScheduleId::create(),
        organization_id: of.organization_id,
        workspace_id: of.id,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        cron: String::new(),
        tcl: None,
        template_reference: None,
        description: None,
        enabled: true,
        next_run_at: None,
        principal: None,
        refresh_only: false,
    }
}
