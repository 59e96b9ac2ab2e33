//! Receivers that keep an incident open for each job: each gets one, and none is left open.

use std::collections::BTreeSet;

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::{Service, Watch};

const JOBS: usize = 60;

type Aliases = BTreeSet<String>;

async fn opsgenie(watch: &Watch, url: &str) -> String {
    watch.receiver(json!({"type": "OPSGENIE", "url": url, "secret": "key"})).await
}

/// The aliases of what was opened and of what was closed since the last call.
fn changes(service: &Service) -> (Aliases, Aliases) {
    let (mut opened, mut closed) = (Aliases::new(), Aliases::new());
    for call in service.take() {
        match call.path.strip_prefix("v2/alerts/") {
            None => {
                let body: Value = serde_json::from_str(&call.body).unwrap();
                opened.insert(body["alias"].as_str().unwrap().to_owned());
            }
            Some(rest) => {
                closed.insert(rest.strip_suffix("/close").unwrap().to_owned());
            }
        }
    }
    (opened, closed)
}

impl Watch {
    /// Lets what was found be told, also if a message was sent just now.
    async fn told(&mut self) {
        for _ in 0..3 {
            self.pass_after(70).await;
        }
    }
}

#[tokio::test]
async fn each_of_many_jobs_gets_an_incident_that_is_closed() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let receiver = opsgenie(&watch, &url).await;
    let rule = watch.rule(&[&receiver], json!({})).await;
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(watch.job(&format!("job-{number}")).await);
    }
    let all: Vec<&String> = jobs.iter().collect();
    watch.run(&all, 1).await;
    assert_eq!(watch.pass_after(1).await, 2, "a message of fifty and one of ten, at the same time");
    let (opened, closed) = changes(&service);
    let wanted: Aliases = jobs.iter().map(|job| format!("{rule}-{job}")).collect();
    assert_eq!((opened, closed), (wanted.clone(), Aliases::new()));
    watch.run(&all, 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 2);
    assert_eq!(changes(&service), (Aliases::new(), wanted));
}

/// A refusal of one request says nothing about the others.
#[tokio::test]
async fn a_refused_incident_does_not_keep_the_others() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let receiver = opsgenie(&watch, &url).await;
    watch.rule(&[&receiver], json!({})).await;
    let jobs = [watch.job("one").await, watch.job("two").await, watch.job("three").await];
    service.answers(StatusCode::UNPROCESSABLE_ENTITY);
    watch.run(&jobs.iter().collect::<Vec<_>>(), 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    assert_eq!(changes(&service).0.len(), 3);
}

#[tokio::test]
async fn a_rule_that_tells_no_longer_closes_its_incidents() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let receiver = opsgenie(&watch, &url).await;
    let rule = watch.rule(&[&receiver], json!({})).await;
    let job = watch.job("job").await;
    let alias = Aliases::from([format!("{rule}-{job}")]);
    let path = format!("/alert-rules/{rule}");
    watch.run(&[&job], 1).await;
    watch.told().await;
    assert_eq!(changes(&service), (alias.clone(), Aliases::new()));
    let mut edit = watch.shown(&rule).await;
    // It means something else now.
    edit["for_duration"] = json!("PT5M");
    watch.it.client.put(&path, edit.clone()).await.expect(200);
    watch.told().await;
    assert_eq!(changes(&service), (Aliases::new(), alias.clone()));
    edit["for_duration"] = json!("PT0S");
    watch.it.client.put(&path, edit.clone()).await.expect(200);
    watch.run(&[&job], 1).await;
    watch.told().await;
    assert_eq!(changes(&service), (alias.clone(), Aliases::new()));
    edit["enabled"] = json!(false);
    watch.it.client.put(&path, edit).await.expect(200);
    watch.told().await;
    assert_eq!(changes(&service), (Aliases::new(), alias));
}

/// Nothing was opened that it could close, so it is something to look at by itself, each time.
#[tokio::test]
async fn a_recovery_that_a_rule_is_about_is_told() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let receiver = opsgenie(&watch, &url).await;
    let recovered = json!({"condition": {"kind": "BUILT", "promql": "run_recovered"}});
    let rule = watch.rule(&[&receiver], recovered).await;
    let job = watch.job("job").await;
    let mut aliases = Aliases::new();
    for _ in 0..2 {
        watch.run(&[&job], 1).await;
        watch.told().await;
        assert!(service.take().is_empty());
        watch.run(&[&job], 0).await;
        watch.told().await;
        let calls = service.take();
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert_eq!(calls[0].path, "v2/alerts");
        let body: Value = serde_json::from_str(&calls[0].body).unwrap();
        assert_eq!((&body["priority"], &body["message"]), (&json!("P5"), &json!("job: a run succeeded again")));
        let alias = body["alias"].as_str().unwrap();
        assert!(alias.starts_with(&format!("{rule}-{job}-")), "{alias}");
        assert!(aliases.insert(alias.to_owned()), "an open alert with the same alias would swallow it");
    }
}

#[tokio::test]
async fn a_limit_of_requests_delays_the_other_incidents_only() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let receiver = opsgenie(&watch, &url).await;
    let rule = watch.rule(&[&receiver], json!({})).await;
    let mut jobs = Vec::new();
    for number in 0..5 {
        jobs.push(watch.job(&format!("job-{number}")).await);
    }
    let all: Vec<&String> = jobs.iter().collect();
    watch.run(&all, 1).await;
    let mut opened = Aliases::new();
    for (pause, calls) in [(1, 2), (5, 2), (30, 1)] {
        service.takes(2);
        assert_eq!(watch.pass_after(pause).await, 1);
        let (new, closed) = changes(&service);
        assert_eq!((new.len(), closed.len()), (calls, 0), "{new:?}");
        assert!(new.is_disjoint(&opened), "it was accepted before: {new:?}");
        opened.extend(new);
    }
    let wanted: Aliases = jobs.iter().map(|job| format!("{rule}-{job}")).collect();
    assert_eq!(opened, wanted);
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    service.takes(10);
    assert_eq!(watch.pass_after(600).await, 0);
}
