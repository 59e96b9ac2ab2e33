//! Which webhooks are told, and the text for Slack.

use chrono::DateTime;
use entity::environment::Mode;
use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId, WebhookId};
use entity::webhook::{Events, Model, Modes, OwnEvent, OwnEvents, ProjectNames, WebhookKind};
use serde_json::{Map, json};

use super::{News, payload, wants};
use crate::store::webhook_news::NewsPlace;

fn hook(organization: OrganizationId, names: &[&str], modes: &[Mode], events: Option<Vec<OwnEvent>>) -> Model {
    Model {
        id: WebhookId::create(),
        organization_id: organization,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        kind: WebhookKind::Standard,
        target_url: "https://hooks.example.com".into(),
        secret: None,
        description: None,
        enabled: true,
        events: Events::default(),
        project_names: ProjectNames(names.iter().map(|name| (*name).to_owned()).collect()),
        modes: Modes(modes.to_vec()),
        own_events: events.map(OwnEvents),
    }
}

fn place() -> NewsPlace {
    NewsPlace {
        organization: OrganizationId::create(),
        project: Some((ProjectId::create(), "shop <1>".into())),
        environment: Some((EnvironmentId::create(), "live".into(), Mode::Production)),
        job: Some((JobId::create(), "nightly".into())),
        workspace: None,
    }
}

#[test]
fn filters_and_names_decide_who_is_told() {
    let at = place();
    let named = || Some(vec![OwnEvent::RunFailed]);
    for (names, modes, events, told) in [
        (&[][..], &[][..], named(), true),
        (&["SHOP*"], &[Mode::Production], named(), true),
        (&["other"], &[], named(), false),
        (&[], &[Mode::Staging], named(), false),
        (&[], &[], Some(vec![OwnEvent::RunSucceeded]), false),
        (&[], &[], None, false),
    ] {
        assert_eq!(
            wants(&hook(at.organization, names, modes, events.clone()), &at, OwnEvent::RunFailed),
            told,
            "{events:?}"
        );
    }
    let elsewhere = hook(OrganizationId::create(), &[], &[], named());
    assert!(!wants(&elsewhere, &at, OwnEvent::RunFailed));
    // Without an environment, a filter for environments keeps it back.
    let workspace = NewsPlace { project: None, environment: None, job: None, ..at };
    assert!(!wants(&hook(workspace.organization, &[], &[Mode::Production], named()), &workspace, OwnEvent::RunFailed));
    assert!(!wants(&hook(workspace.organization, &["*"], &[], named()), &workspace, OwnEvent::RunFailed));
    assert!(wants(&hook(workspace.organization, &[], &[], named()), &workspace, OwnEvent::RunFailed));
}

#[test]
fn slack_reads_no_markup() {
    let news = News {
        event: OwnEvent::RunFailed,
        cause: "RUN_FAILED 1".into(),
        reason: Some("exit code 1, <none> & more".into()),
        path: "run/1".into(),
        facts: Map::new(),
    };
    let told = payload(WebhookKind::Slack, &place(), &news, ("https://w.example", DateTime::UNIX_EPOCH));
    let text = "A run has failed: shop &lt;1&gt; / live / nightly: exit code 1, &lt;none&gt; &amp; more\nhttps://w.example/console/run/1";
    assert_eq!(told, json!({ "text": text }));
}
