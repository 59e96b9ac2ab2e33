//! The page of a workspace's webhook: where the provider delivers to, what is followed, and what was delivered.

use std::sync::Arc;

use entity::id::WorkspaceId;
use entity::{workspace, workspace_webhook, workspace_webhook_event};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::webhook_section::{deliveries, followed};
use crate::access::reach::Rights;
use crate::access::{self, principal, require_right};
use crate::app::App;
use crate::console::form::Form;
use crate::console::notice::Noticed;
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section, token};
use crate::console::token_parts::shown_once;
use crate::console::viewer::Viewer;
use crate::console::widgets::{Field, button, check, choice, place};
use crate::console::{notice, paths, reply};
use crate::engine::push::webhook_setting::{self, WantedEvent, WantedWebhook, address};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store;

/// How many deliveries the page lists.
const DELIVERIES: u64 = 50;

/// What is typed about one kind of event.
#[derive(Default)]
struct TypedEvent {
    is_on: bool,
    branch: String,
    path: String,
    path_type: String,
    template: String,
}

/// What is typed into the form.
#[derive(Default)]
struct Typed {
    push: TypedEvent,
    request: TypedEvent,
    poll_seconds: String,
}

impl TypedEvent {
    fn of_row(row: Option<&workspace_webhook_event::Model>) -> Self {
        let Some(row) = row else { return Self { path_type: "PATTERN".into(), ..Self::default() } };
        Self {
            is_on: true,
            branch: row.branch.clone().unwrap_or_default(),
            path: row.path.clone().unwrap_or_default(),
            path_type: row.path_type.clone(),
            template: row.template_id.clone().unwrap_or_default(),
        }
    }

    fn of_form(form: &Form, kind: &str) -> Self {
        let text = |name: &str| form.text(&format!("{kind}-{name}")).trim().to_owned();
        Self {
            is_on: form.has(&format!("{kind}-on")),
            branch: text("branch"),
            path: text("path"),
            path_type: text("path-type"),
            template: text("template"),
        }
    }

    fn wanted(&self, event: &str) -> Option<WantedEvent> {
        self.is_on.then(|| WantedEvent {
            event: event.to_owned(),
            branch: self.branch.clone(),
            path: self.path.clone(),
            path_type: self.path_type.clone(),
            template_id: Some(self.template.clone()).filter(|id| !id.is_empty()),
            priority: None,
        })
    }
}

impl Typed {
    fn of_rows(hook: Option<&workspace_webhook::Model>, events: &[workspace_webhook_event::Model]) -> Self {
        let first = |kind: &str| events.iter().find(|event| event.event == kind);
        let push = TypedEvent { is_on: hook.is_none() || first("PUSH").is_some(), ..TypedEvent::of_row(first("PUSH")) };
        let poll = hook.and_then(|hook| hook.poll_seconds);
        Self {
            push,
            request: TypedEvent::of_row(first("PULL_REQUEST")),
            poll_seconds: poll.map(|seconds| seconds.to_string()).unwrap_or_default(),
        }
    }

    fn of_form(form: &Form) -> Self {
        Self {
            push: TypedEvent::of_form(form, "push"),
            request: TypedEvent::of_form(form, "request"),
            poll_seconds: form.text("pollSeconds").trim().to_owned(),
        }
    }

    fn wanted(&self) -> Result<WantedWebhook> {
        let poll_seconds = match self.poll_seconds.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| Error::invalid("pollSeconds", "must be a whole number"))?),
        };
        let events = self.push.wanted("PUSH").into_iter().chain(self.request.wanted("PULL_REQUEST")).collect();
        Ok(WantedWebhook { poll_seconds, events })
    }
}

/// What the page is about.
struct Shown {
    of: workspace::Model,
    rights: Rights,
    hook: Option<workspace_webhook::Model>,
    events: Vec<workspace_webhook_event::Model>,
}

async fn open(app: &App, viewer: &Viewer, id: Uuid) -> Result<Shown> {
    let (of, rights) = access::workspace(&app.db, &viewer.caller, WorkspaceId(id)).await?;
    require_right(rights.workspaces)?;
    let hook = store::push::of_workspace(&app.db, of.id).await?;
    let events = match &hook {
        Some(hook) => store::push::events(&app.db, hook.id).await?,
        None => Vec::new(),
    };
    Ok(Shown { of, rights, hook, events })
}

/// The names of the fields of one kind of event.
struct Names {
    is_on: &'static str,
    branch: &'static str,
    path: &'static str,
    path_type: &'static str,
    template: &'static str,
}

const PUSH: Names = Names {
    is_on: "push-on",
    branch: "push-branch",
    path: "push-path",
    path_type: "push-path-type",
    template: "push-template",
};
const REQUEST: Names = Names {
    is_on: "request-on",
    branch: "request-branch",
    path: "request-path",
    path_type: "request-path-type",
    template: "request-template",
};

async fn form(app: &App, viewer: &Viewer, shown: &Shown, typed: &Typed, problems: &Problems) -> Result<Markup> {
    let templates = store::workspace::template_names(&app.db, shown.of.organization_id).await?;
    let options = || {
        let default = std::iter::once((String::new(), "The default of the workspace"));
        default.chain(templates.iter().map(|(id, name)| (id.to_string(), name.as_str())))
    };
    let languages =
        || [("PATTERN", "Globs"), ("REGEX", "Regular expressions")].map(|(value, words)| (value.to_owned(), words));
    let fields = |names: &Names, one: &TypedEvent| {
        html! {
            (Field::text(names.branch, "Branches", &one.branch)
                .hint("Regular expressions for whole names, separated by commas. Empty for the branch of the workspace").show(problems))
            (Field::text(names.path, "Changed paths", &one.path).hint("Separated by commas. Empty for all").show(problems))
            (choice(names.path_type, "Paths are", languages().into_iter(), &one.path_type, problems))
            (choice(names.template, "Template", options(), &one.template, problems))
        }
    };
    Ok(html! {
        form.card method="post" action={ (paths::workspace(shown.of.id)) "/webhook" } {
            (token(viewer))
            (problems.others(&["pollSeconds"]))
            h2 { "Pushes" }
            p { (check(PUSH.is_on, "A push starts a job", typed.push.is_on)) }
            (fields(&PUSH, &typed.push))
            h2 { "Pull requests" }
            p { (check(REQUEST.is_on, "A pull request is planned", typed.request.is_on)) }
            (fields(&REQUEST, &typed.request))
            h2 { "Without deliveries" }
            (Field::text("pollSeconds", "Seconds between polls", &typed.poll_seconds)
                .hint("60 to 86400. Empty if the provider delivers").show(problems))
            p.hint { "Its jobs act with your rights." }
            p { button type="submit" { "Save" } }
        }
    })
}

/// Where the provider delivers to, and what it is given.
fn set_up(app: &App, viewer: &Viewer, shown: &Shown, secret: Option<&Secret<String>>) -> Markup {
    let path = format!("{}/webhook", paths::workspace(shown.of.id));
    html! {
        @if let Some(secret) = secret {
            (shown_once(&path, "This is the secret of the webhook. Copy it now: it is not shown again.", secret.expose(), None))
        }
        @if let Some(hook) = &shown.hook {
            section.card aria-labelledby="set-up" {
                h2 #set-up { "Address" }
                pre { code { (address(app, hook.id)) } }
                p.hint { "Give the provider this address and the secret, with JSON as the type of content, and the events of pushes and pull requests." }
                @if let Some(reason) = &hook.poll_error { p.notice { "The repository could not be polled: " (reason) } }
                div.row {
                    (button(viewer, &format!("{path}/secret"), "New secret", "quiet",
                        Some("Make a new secret? Deliveries that are signed with the present one are refused.")))
                    (button(viewer, &format!("{path}/delete"), "Delete the webhook", "danger", Some("Delete the webhook?")))
                }
            }
        }
    }
}

async fn page_of(
    app: &App,
    viewer: &Viewer,
    shown: &Shown,
    (typed, problems): (&Typed, &Problems),
    (secret, noticed): (Option<&Secret<String>>, &Noticed),
) -> Result<Page> {
    let of = &shown.of;
    let title = format!("Webhook of {}", of.name);
    let several = |kind: &str| shown.events.iter().filter(|event| event.event == kind).count() > 1;
    let templates = store::workspace::template_names(&app.db, of.organization_id).await?;
    let rows = store::push::list(&app.db, of.id, DELIVERIES).await?;
    let body = html! {
        h1 { (title) }
        (noticed.show())
        (set_up(app, viewer, shown, secret))
        @if several("PUSH") || several("PULL_REQUEST") {
            p.notice { "The webhook has several events of a kind. Change them through the API." }
            (followed(&shown.events, &templates, of))
        } @else { (form(app, viewer, shown, typed, problems).await?) }
        h2 { "Deliveries" }
        (deliveries(&rows, app.clock.now()))
    };
    let place = Some(place(app, of.organization_id, Section::Workspaces).await?);
    let trail = vec![(of.name.clone(), paths::workspace(of.id))];
    let api = Some(format!("/api/v1/organization/{}/workspace/{}/webhook", of.organization_id, of.id));
    Ok(Page { title, place, trail, body, api, live: None })
}

#[handler]
pub(super) async fn show(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let shown = open(app, &viewer, id).await?;
    let typed = Typed::of_rows(shown.hook.as_ref(), &shown.events);
    let page = page_of(app, &viewer, &shown, (&typed, &Problems::default()), (None, &noticed)).await?;
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn save(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    form: Form,
) -> poem::Result<Response> {
    let shown = open(app, &viewer, id).await?;
    let typed = Typed::of_form(&form);
    let who = viewer.requester();
    let by = (&who, principal::stored(&viewer.caller), shown.rights);
    let saved = match typed.wanted() {
        Ok(wanted) => webhook_setting::save(app, by, &shown.of, wanted).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(None) => Ok(notice::lead(&format!("{}/webhook", paths::workspace(shown.of.id)), "webhook-saved")),
        Ok(Some(secret)) => Ok(with_secret(app, &viewer, id, &secret).await?),
        Err(error) => {
            let problems = Problems::of(error)?;
            let page = page_of(app, &viewer, &shown, (&typed, &problems), (None, &Noticed::default())).await?;
            Ok(reply::refused(app, &viewer, &page))
        }
    }
}

/// The page with a new secret, which is shown once.
async fn with_secret(app: &App, viewer: &Viewer, id: Uuid, secret: &Secret<String>) -> Result<Response> {
    let shown = open(app, viewer, id).await?;
    let typed = Typed::of_rows(shown.hook.as_ref(), &shown.events);
    let none = (Some(secret), &Noticed::default());
    Ok(reply::page(app, viewer, &page_of(app, viewer, &shown, (&typed, &Problems::default()), none).await?))
}

#[handler]
pub(super) async fn replace_secret(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let shown = open(app, &viewer, id).await?;
    let hook = shown.hook.ok_or(Error::NotFound("webhook"))?;
    let secret = webhook_setting::replace_secret(app, &viewer.requester(), hook.id).await?;
    Ok(with_secret(app, &viewer, id, &secret).await?)
}

#[handler]
pub(super) async fn delete(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    _form: Form,
) -> poem::Result<Response> {
    let shown = open(app, &viewer, id).await?;
    let hook = shown.hook.ok_or(Error::NotFound("webhook"))?;
    webhook_setting::delete(app, &viewer.requester(), &hook).await?;
    Ok(notice::lead(&paths::workspace(shown.of.id), "webhook-deleted"))
}
