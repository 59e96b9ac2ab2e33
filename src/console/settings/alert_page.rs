//! Alerts: what is wrong now, the rules that watch for it, who is told, and what was sent.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::alert::{AlertState, Model as Alert};
use entity::alert_delivery::{MessageKind, Model as Message};
use entity::alert_receiver::Model as Receiver;
use entity::alert_rule::Model as Rule;
use entity::alert_silence::Model as Silence;
use entity::id::{JobId, OrganizationId};
use entity::webhook_delivery::DeliveryState;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use uuid::Uuid;

use super::alert_words::{Names, alert_words, kind_words, rule_state, rule_words, severity_words};
use super::silence_form::silences;
use super::tabs::{may, settings};
use crate::access::{self, Action, Caller, Location, location};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::notice::Noticed;
use crate::console::post_button::{Manner, post_button};
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::distance;
use crate::console::widgets::{place, state};
use crate::console::{paths, reply};
use crate::error::Result;
use crate::store;

/// How many alerts and messages are shown.
const ALERTS: usize = 100;
const MESSAGES: u64 = 30;

/// What the page shows, as far as the viewer may see it.
struct Seen {
    rules: Vec<Rule>,
    receivers: Vec<Receiver>,
    alerts: Vec<Alert>,
    silences: Vec<Silence>,
    messages: Vec<Message>,
    names: Names,
    manages: bool,
    now: DateTime<Utc>,
}

impl Seen {
    async fn read(app: &App, caller: &Caller, id: OrganizationId) -> Result<Self> {
        let db = &app.db;
        let manages = caller.may(id, Action::ManageSettings, &Location::default());
        let rules = store::alert::list_rules(db, id).await?;
        let receivers = store::alert::list_receivers(db, id).await?;
        let alerts = store::alert::list_alerts_of_rules(db, rules.iter().map(|rule| rule.id).collect()).await?;
        let silences = store::alert::list_silences(db, id).await?;
        // Rules may be read with the settings; jobs and environments only by those who see them.
        let sees_all = caller.may(id, Action::View, &Location::default()) && caller.organizations().contains(&id);
        let environments = store::environment::list_by_organization(db, id).await?;
        let seen: HashSet<_> = environments
            .iter()
            .filter(|row| sees_all && caller.may(id, Action::View, &location(row)))
            .map(|row| row.id)
            .collect();
        // Those about workspaces and clusters are in no environment.
        let is_seen = |alert: &Alert| alert.environment_id.map_or(manages, |id| seen.contains(&id));
        let alerts: Vec<Alert> = alerts.into_iter().filter(is_seen).collect();
        // What was sent may be read by those who may change where it is sent.
        let messages = if manages {
            store::alert::list_messages(db, receivers.iter().map(|row| row.id).collect(), MESSAGES).await?
        } else {
            Vec::new()
        };
        let jobs = alerts.iter().take(ALERTS).filter_map(|alert| alert.job_id);
        let of_rules = rules.iter().filter(|_| manages).filter_map(|rule| rule.job_id);
        let of_silences = silences.iter().filter(|_| manages).filter_map(|silence| silence.job_id);
        let jobs: HashSet<JobId> = jobs.chain(of_rules).chain(of_silences).collect();
        let mut names = Names::load(db, id, jobs.into_iter().collect()).await?;
        let of_alerts = alerts.iter().filter_map(|alert| alert.workspace_id).collect::<HashSet<_>>();
        let workspaces = store::alert::workspace_places(db, of_alerts.into_iter().collect()).await?;
        names.workspaces = workspaces.into_iter().map(|(id, place)| (id, place.name)).collect();
        names.environments.retain(|id, _| seen.contains(id));
        names.projects.retain(|project, _| {
            caller.may(id, Action::View, &Location { project: Some(*project), ..Location::default() })
        });
        Ok(Self { rules, receivers, alerts, silences, messages, names, manages, now: app.clock.now() })
    }

    fn rule(&self, alert: &Alert) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == alert.rule_id)
    }
}

/// The parts that change.
struct LiveAlerts {
    organization: OrganizationId,
    csrf: String,
}

impl Live for LiveAlerts {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let id = self.organization;
        access::organization(&app.db, caller, Action::ViewSettings, id).await?;
        let (seen, to) = (Seen::read(app, caller, id).await?, settings(id));
        let silenced =
            silences(&seen.silences, (&seen.names, &seen.rules), seen.manages.then_some(to.as_str()), seen.now);
        Ok(vec![
            ("alerts-wrong", html! { div #alerts-wrong { (nobody(&seen)) (wrong(&seen, &to)) } }),
            ("alerts-silenced", html! { div #alerts-silenced { (silenced) } }),
            ("alert-rules", html! { div #alert-rules { (rules(&seen, &to)) } }),
            ("alert-receivers", html! { div #alert-receivers { (receivers(&self.csrf, &seen, &to)) } }),
            ("alert-messages", html! { div #alert-messages { @if seen.manages { (messages(&seen)) } } }),
        ])
    }

    /// Alerts are decided about after the ends of runs, and messages are sent after that.
    async fn pulse(&self, app: &App) -> Result<i64> {
        Ok(store::alert::pulse_of_alerts(&app.db, self.organization).await?)
    }
}

#[handler]
pub(super) async fn page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(noticed): Query<Noticed>,
) -> poem::Result<Response> {
    let id = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, id).await?;
    let live = LiveAlerts { organization: id, csrf: viewer.csrf.clone() };
    let fragments = live.fragments(app, &viewer.caller).await?;
    let to = settings(id);
    let body = html! {
        h1 { "Alerts" }
        (noticed.show())
        @if may(&viewer, id, Action::ManageSettings) {
            p.row {
                a.button href={ (to) "/alert-rules/new" } { "New rule" }
                a.button.quiet href={ (to) "/alert-receivers/new" } { "New receiver" }
                a.button.quiet href={ (to) "/alert-silences/new" } { "New silence" }
            }
        }
        @for (_, markup) in &fragments { (markup) }
    };
    let page = Page {
        title: "Alerts".into(),
        place: Some(place(app, id, Section::Alerts).await?),
        trail: Vec::new(),
        body,
        api: Some(format!("/organization/{id}/alert-rules")),
        live: Some(format!("{to}/alerts/live")),
    };
    Ok(reply::page(app, &viewer, &page))
}

#[handler]
pub(super) async fn fresh(Data(app): Data<&Arc<App>>, viewer: Viewer, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewSettings, organization).await?;
    let csrf = viewer.csrf.clone();
    Ok(live::events(app, viewer, LiveAlerts { organization, csrf }))
}

fn nobody(seen: &Seen) -> Markup {
    html! {
        @if seen.receivers.is_empty() {
            p.notice {
                "Nobody is told yet. "
                @if seen.manages { "First create a receiver, such as a mail address; then choose it in the rules." }
                @else { "Somebody who manages the settings can create a receiver." }
            }
        }
    }
}

fn wrong(seen: &Seen, to: &str) -> Markup {
    // An alert that only waits for more failures, or for a recovery, is nothing to act on.
    let firing: Vec<&Alert> =
        seen.alerts.iter().filter(|alert| alert.state != AlertState::Pending || alert.due_at.is_some()).collect();
    html! {
        h2 { "Wrong now" }
        @if firing.is_empty() {
            p.card { @if seen.rules.is_empty() { "Nothing is watched: there are no rules." } @else { "Nothing that a rule watches for." } }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Alerts" }
                thead { tr {
                    th scope="col" { "What" } th scope="col" { "Rule" } th scope="col" { "State" } th scope="col" { "Since" }
                    th.number scope="col" { "Times" } th scope="col" { "Why" }
                } }
                tbody { @for alert in firing.iter().take(ALERTS) { (wrong_row(seen, alert, to)) } }
            } }
            @if firing.len() > ALERTS { p.soft { (firing.len() - ALERTS) " more are not shown." } }
        }
    }
}

/// What an alert is about, with a link to it.
fn what(seen: &Seen, alert: &Alert) -> Markup {
    let names = &seen.names;
    let link = |to: String, name: Option<&String>, unnamed: &str| html! { a href=(to) { (name.map_or(unnamed, String::as_str)) } };
    match (alert.job_id, alert.environment_id, alert.workspace_id, alert.cluster_id) {
        (Some(job), ..) => link(paths::job(job), names.jobs.get(&job), "a job"),
        (_, Some(id), ..) => link(paths::environment(id), names.environments.get(&id), "an environment"),
        (_, _, Some(id), _) => link(paths::workspace(id), names.workspaces.get(&id), "a workspace"),
        (_, _, _, Some(id)) => html! { "cluster " (names.clusters.get(&id).map_or("", String::as_str)) },
        _ => html! { span.soft { "something that is gone" } },
    }
}

fn wrong_row(seen: &Seen, alert: &Alert, to: &str) -> Markup {
    let rule = seen.rule(alert);
    let shown = alert_words(alert, rule.is_some_and(|rule| !rule.receivers.0.is_empty()));
    html! {
        tr {
            td data-label="What" { div {
                (what(seen, alert))
                @if let Some(run) = alert.run_id { div { a href=(paths::run(run)) { "newest run" } } }
            } }
            td data-label="Rule" { (rule.map_or("", |rule| &rule.name)) }
            td data-label="State" { (state(shown)) }
            td data-label="Since" { (distance(alert.since, seen.now)) }
            td.number data-label="Times" { (alert.times) }
            td data-label="Why" { div {
                @if let Some(reason) = &alert.reason { div { (reason) } }
                div.soft { (alert.decision) }
                @if seen.manages && alert.state != AlertState::Suppressed {
                    @let about = alert.job_id.map_or_else(|| format!("rule:{}", alert.rule_id), |job| format!("job:{job}"));
                    div { a href={ (to) "/alert-silences/new?target=" (about) } { "Silence it" } }
                }
            } }
        }
    }
}

fn rules(seen: &Seen, to: &str) -> Markup {
    let name_of = |id| seen.receivers.iter().find(|row| row.id == id).map(|row| row.name.as_str());
    html! {
        h2 { "Rules" }
        @if seen.rules.is_empty() {
            p.card { "There are no rules yet. A rule says what is told, about which jobs, and to whom." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Rules" }
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "When" } th scope="col" { "About" } th scope="col" { "Tells" }
                    th scope="col" { "Severity" } th scope="col" { "State" }
                } }
                tbody { @for rule in &seen.rules { @let told: Vec<&str> = rule.receivers.0.iter().filter_map(|id| name_of(*id)).collect(); tr {
                    td data-label="Rule" { div {
                        @if seen.manages { a href={ (to) "/alert-rule/" (rule.id) "/edit" } { (rule.name) } } @else { (rule.name) }
                        @if !rule.description.is_empty() { div.soft { (rule.description) } }
                    } }
                    td data-label="When" { (rule_words(rule)) }
                    td data-label="About" { (seen.names.target(rule)) }
                    td data-label="Tells" { @if told.is_empty() { span.soft { "nobody" } } @else { (told.join(", ")) } }
                    td data-label="Severity" { (severity_words(rule.severity)) }
                    td data-label="State" { (state(rule_state(rule, &seen.alerts))) }
                } } }
            } }
        }
    }
}

fn receivers(csrf: &str, seen: &Seen, to: &str) -> Markup {
    html! {
        h2 { "Receivers" }
        @if seen.receivers.is_empty() {
            p.card { "There are no receivers yet. A receiver is a mail address, a channel of a chat, or another service." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Receivers" }
                thead { tr {
                    th scope="col" { "Receiver" } th scope="col" { "Type" } th scope="col" { "Address" } th scope="col" { "Newest message" }
                    @if seen.manages { th scope="col" { span.hidden { "Actions" } } }
                } }
                tbody { @for row in &seen.receivers { tr {
                    td data-label="Receiver" { div {
                        @if seen.manages { a href={ (to) "/alert-receiver/" (row.id) "/edit" } { (row.name) } } @else { (row.name) }
                        @if !row.description.is_empty() { div.soft { (row.description) } }
                    } }
                    td data-label="Type" { (kind_words(row.kind)) }
                    td data-label="Address" { (row.mail.as_ref().map_or(row.host.as_str(), |mail| mail.to.as_str())) }
                    td data-label="Newest" { @match &row.last_error {
                        Some(error) => div { (state(("failed", "not accepted"))) div { (error) } },
                        None => span.soft { "no error" },
                    } }
                    @if seen.manages { td data-label="Actions" {
                        (post_button(csrf, &format!("{to}/alert-receiver/{}/test", row.id), "Send a test message", Manner::Quiet))
                    } }
                } } }
            } }
        }
    }
}

fn messages(seen: &Seen) -> Markup {
    let rule =
        |message: &Message| seen.rules.iter().find(|rule| rule.id == message.rule_id).map(|rule| rule.name.as_str());
    let receiver = |message: &Message| {
        seen.receivers.iter().find(|row| row.id == message.receiver_id).map(|row| row.name.as_str())
    };
    html! {
        h2 { "Messages" }
        @if seen.messages.is_empty() {
            p.card { "Nothing was sent yet." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "The newest messages" }
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "To" } th scope="col" { "Rule" } th scope="col" { "About" }
                    th scope="col" { "State" } th.number scope="col" { "Attempts" }
                } }
                tbody { @for message in &seen.messages { tr {
                    td data-label="When" { (distance(message.created_at, seen.now)) }
                    td data-label="To" { (receiver(message).unwrap_or_default()) }
                    td data-label="Rule" { (rule(message).unwrap_or_default()) }
                    td data-label="About" { (about(message)) }
                    td data-label="State" { div {
                        (state(delivery_words(message.state)))
                        @if let Some(error) = &message.error { div { (error) } }
                    } }
                    td.number data-label="Attempts" { (message.attempts) }
                } } }
            } }
        }
    }
}

fn about(message: &Message) -> Markup {
    let all = message.items.0.len() + usize::try_from(message.more).unwrap_or_default();
    let first: Vec<&str> = message.items.0.iter().take(3).map(|item| item.name.as_str()).collect();
    html! {
        @if message.kind == MessageKind::Resolved { "resolved: " }
        (first.join(", "))
        @if all > first.len() { " and " (all - first.len()) " more" }
    }
}

fn delivery_words(state: DeliveryState) -> (&'static str, &'static str) {
    match state {
        DeliveryState::Pending => ("queued", "waiting"),
        DeliveryState::Delivered => ("ok", "delivered"),
        DeliveryState::Failed => ("failed", "failed"),
    }
}
