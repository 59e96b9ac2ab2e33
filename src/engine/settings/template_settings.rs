//! Templates of workspace jobs, as people write them: YAML, which is stored as base64. Callers have checked that the requester may
//! manage templates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::id::{OrganizationId, TemplateId};
use entity::template::Model;

use crate::app::App;
use crate::engine::approval_team;
use crate::engine::faults::Faults;
use crate::engine::template;
use crate::engine::workspace_definition::{DESCRIPTION, NAME, VERSION};
use crate::error::{Error, Result};
use crate::store;

/// A template as somebody wants it.
pub struct WantedTemplate {
    pub name: String,
    pub description: Option<String>,
    pub version: Option<String>,
    /// The YAML.
    pub flow: String,
}

/// The YAML of a template; empty if it is none.
#[must_use]
pub fn flow_text(row: &Model) -> String {
    let packed: String = row.tcl.split_whitespace().collect();
    STANDARD.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Stores a template: a new one, or `old` with other values.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the name is taken; database errors.
pub async fn save(
    app: &App,
    by: &str,
    organization: OrganizationId,
    old: Option<Model>,
    wanted: WantedTemplate,
) -> Result<()> {
    let WantedTemplate { name, description, version, flow } = wanted;
    let mut faults = Faults::default();
    if name.trim().is_empty() {
        faults.refuse("name", "must not be empty");
    }
    for (field, text, most) in [
        ("name", Some(name.as_str()), NAME),
        ("description", description.as_deref(), DESCRIPTION),
        ("version", version.as_deref(), VERSION),
    ] {
        if text.is_some_and(|text| text.chars().count() > most) {
            faults.refuse(field, format!("must have at most {most} characters"));
        }
    }
    let tcl = STANDARD.encode(&flow);
    let parsed = template::parse(&tcl).and_then(|steps| template::refuse_logins(&steps).map(|()| steps));
    let steps = faults.note(parsed.map_err(|refused| Error::invalid("tcl", refused.0)));
    faults.result()?;
    let (now, old) = (app.clock.now(), old.map(|old| old.id));
    let empty = Model {
        id: TemplateId::create(),
        organization_id: organization,
        created_at: now,
        updated_at: now,
        created_by: by.to_owned(),
        updated_by: by.to_owned(),
        name: String::new(),
        description: None,
        version: None,
        tcl: String::new(),
    };
    let taken = format!("the organization already has a template {name}");
    store::write(&app.db, async |tx| {
        approval_team::check(tx, organization, &steps).await?;
        let edit = |row: Model| {
            Ok(Model { updated_at: now, updated_by: by.to_owned(), name, description, version, tcl, ..row })
        };
        let saved = store::row::save(tx, (old, empty), edit, |error| Error::or_taken(error, taken)).await?;
        saved.map(drop).ok_or(Error::NotFound("template"))
    })
    .await
}
