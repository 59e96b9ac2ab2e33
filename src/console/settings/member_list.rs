//! The members of an organization and those who are invited.

use std::sync::Arc;

use entity::id::{InvitationId, OrganizationId, PersonId};
use entity::member::Role;
use entity::{custom_role, invitation, member, person};
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use super::tabs::{Tab, may, settings, show};
use crate::access::{self, Action};
use crate::app::App;
use crate::console::form::Form;
use crate::console::problems::Problems;
use crate::console::reply;
use crate::console::shell::token;
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::Field;
use crate::engine::assigned_role::{BUILT_IN, assignable, name_and_id};
use crate::engine::member as members;
use crate::error::{Error, Result};
use crate::store;

#[handler]
pub(super) async fn page(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    Ok(listed(app, &viewer, OrganizationId(id), "", &Problems::default()).await?)
}

async fn listed(app: &App, viewer: &Viewer, id: OrganizationId, email: &str, problems: &Problems) -> Result<Response> {
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, id).await?;
    let custom = store::custom_role::list(&app.db, id).await?;
    let rows = store::person::list_members(&app.db, id).await?;
    let invited = store::invitation::list(&app.db, id).await?;
    let manages = may(viewer, id, Action::ManageMembers);
    let now = app.clock.now();
    let body = html! {
        div.scroll { table.stacked {
            caption { "Members" }
            thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Joined" } th scope="col" { span.hidden { "Actions" } } } }
            tbody { @for (member, person) in &rows { tr {
                td data-label="Name" { div { (name(person)) @if let Some(email) = &person.email { div.soft { (email) } } } }
                td data-label="Role" { (name_and_id((member.role, member.custom_role_id), &custom).0) }
                td data-label="Joined" { (distance(member.created_at, now)) }
                td data-label="Actions" { @if manages && member.role != Role::Owner { (actions(viewer, id, member, person, &custom)) } }
            } } }
        } }
        @if rows.is_empty() { p.card { "Nobody is a member yet; API tokens act for the organization." } }
        @if !invited.is_empty() { (invitations(viewer, id, &invited, &custom, manages)) }
        @if manages { (invite_form(viewer, id, email, &custom, problems)) }
    };
    show(app, viewer, id, (Tab::Members, Some(format!("/organization/{id}/member"))), &body).await
}

fn name(person: &person::Model) -> &str {
    person.name.as_deref().or(person.email.as_deref()).unwrap_or(&person.subject)
}

/// The roles that can be assigned.
fn roles(label: &str, chosen: Option<Uuid>, custom: &[custom_role::Model]) -> Markup {
    let built_in = BUILT_IN.iter().filter(|(role, ..)| *role != Role::Owner);
    html! {
        select name="role" aria-label=(label) {
            @for (_, name, id) in built_in { option value=(id) selected[Some(*id) == chosen] { (name) } }
            @for row in custom { option value=(row.id) selected[Some(row.id.0) == chosen] { (row.name) } }
        }
    }
}

fn actions(
    viewer: &Viewer,
    id: OrganizationId,
    member: &member::Model,
    person: &person::Model,
    custom: &[custom_role::Model],
) -> Markup {
    let (_, role) = name_and_id((member.role, member.custom_role_id), custom);
    html! {
        form.row method="post" action={ (settings(id)) "/member/" (person.id) } {
            (token(viewer))
            (roles(&format!("Role of {}", name(person)), Some(role), custom))
            button.quiet type="submit" name="do" value="role" { "Change" }
            button.danger type="submit" name="do" value="remove" data-confirm={ "Remove " (name(person)) " from the organization?" } { "Remove" }
        }
    }
}

fn invitations(
    viewer: &Viewer,
    id: OrganizationId,
    invited: &[invitation::Model],
    custom: &[custom_role::Model],
    manages: bool,
) -> Markup {
    html! {
        div.scroll { table.stacked {
            caption { "Invited" }
            thead { tr { th scope="col" { "Email" } th scope="col" { "Role" } th scope="col" { "By" } th scope="col" { span.hidden { "Actions" } } } }
            tbody { @for row in invited { tr {
                td data-label="Email" { (row.email) }
                td data-label="Role" { (name_and_id((row.role, row.custom_role_id), custom).0) }
                td data-label="By" { (row.inviter) }
                td data-label="Actions" { @if manages {
                    form.inline method="post" action={ (settings(id)) "/invitation/" (row.id) } {
                        (token(viewer))
                        button.quiet type="submit" { "Withdraw" }
                    }
                } }
            } } }
        } }
    }
}

fn invite_form(
    viewer: &Viewer,
    id: OrganizationId,
    email: &str,
    custom: &[custom_role::Model],
    problems: &Problems,
) -> Markup {
    let viewer_role = BUILT_IN.iter().find(|(role, ..)| *role == Role::Viewer).map(|(_, _, id)| *id);
    html! {
        section.card {
            h2 { "Invite somebody" }
            form method="post" action=(settings(id)) {
                (token(viewer))
                (problems.others(&["email"]))
                (Field { kind: "email", ..Field::text("email", "Email address", email) }.required().show(problems))
                label { "Role " (roles("Role", viewer_role, custom)) }
                p { button type="submit" { "Invite" } }
            }
        }
    }
}

#[handler]
pub(super) async fn invite(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ManageMembers, id).await?;
    let role = assignable(&app.db, "role", id, uuid(&form, "role")?).await?;
    let email = form.text("email").trim();
    let shown = |row: &invitation::Model, _: &[_]| serde_json::json!({ "email": row.email });
    match members::invite(app, &viewer.requester(), id, (email, role), shown).await {
        Ok(_) => Ok(reply::redirect(&settings(id))),
        Err(error) => Ok(listed(app, &viewer, id, email, &Problems::of(error)?).await?),
    }
}

#[handler]
pub(super) async fn change(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, person)): Path<(Uuid, Uuid)>,
    form: Form,
) -> poem::Result<Response> {
    let (id, person) = (OrganizationId(id), PersonId(person));
    access::organization(&app.db, &viewer.caller, Action::ManageMembers, id).await?;
    match form.text("do") {
        "remove" => members::remove(app, &viewer.requester(), id, person).await?,
        "role" => {
            let role = assignable(&app.db, "role", id, uuid(&form, "role")?).await?;
            members::set_role(app, &viewer.requester(), id, person, role).await?;
        }
        _ => return Err(Error::invalid("do", "must be role or remove").into()),
    }
    Ok(reply::redirect(&settings(id)))
}

#[handler]
pub(super) async fn withdraw(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path((id, invitation)): Path<(Uuid, Uuid)>,
    _form: Form,
) -> poem::Result<Response> {
    let (id, invitation) = (OrganizationId(id), InvitationId(invitation));
    let row = access::invitation(&app.db, &viewer.caller, Action::ManageMembers, id, invitation).await?;
    members::withdraw(app, &viewer.requester(), &row).await?;
    Ok(reply::redirect(&settings(id)))
}

pub(super) fn uuid(form: &Form, field: &str) -> Result<Uuid> {
    form.text(field).parse().map_err(|_| Error::invalid(field, "must be a UUID"))
}
