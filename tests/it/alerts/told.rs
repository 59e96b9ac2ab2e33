//! What is told, how often, and what happens when a receiver does not accept it.

use entity::run::Event;
use poem::http::StatusCode;
use serde_json::json;

use super::{Service, Watch};

#[tokio::test]
async fn a_failed_run_is_told_once_and_its_recovery_once() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let presentation = json!({"summary": "Look at the backups", "runbook_url": "https://wiki.example.com/x"});
    let rule = watch.rule(&[&slack], json!({"presentation": presentation})).await;
    let job = watch.job("nightly <backup>").await;
    watch.it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    watch.app.settle().await;
    let step = watch.app.runner.steps().pop().unwrap();
    watch.app.runner.write(&step, &["first line", "disk full"]);
    watch.app.runner.exit_all(3);
    watch.app.settle().await;
    assert_eq!(watch.pass().await, 0, "a message waits a second for others");
    assert_eq!(watch.shown(&rule).await["state"], "PENDING_NOTIFICATION");
    assert_eq!(watch.pass_after(1).await, 1);
    let texts = service.texts();
    let run = &watch.it.runs(&job).await[0]["id"];
    let link = format!("https://windlass.example/console/run/{}", run.as_str().unwrap());
    for part in ["[HIGH] failed: nightly &lt;backup&gt;", "exit code 3", "disk full", &link, "Look at the backups"] {
        assert!(texts[0].contains(part), "{part}: {texts:?}");
    }
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    assert_eq!(watch.pass_after(60).await, 0, "what was accepted is not sent again");
    // A second failure is the same alert.
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(120).await, 0);
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[RESOLVED] failed: nightly"), "{texts:?}");
    assert_eq!(watch.shown(&rule).await["state"], "OK");
    // The next failure is a new alert.
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(120).await, 1);
}

#[tokio::test]
async fn many_failures_are_one_message() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], json!({})).await;
    let mut jobs = Vec::new();
    for number in 0..40 {
        jobs.push(watch.job(&format!("job-{number}")).await);
    }
    watch.run(&jobs.iter().collect::<Vec<_>>(), 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH] failed: 40 jobs"), "{texts:?}");
    // What follows within a minute is the next message.
    let late = watch.job("late").await;
    watch.run(&[&late], 1).await;
    assert_eq!(watch.pass_after(30).await, 0);
    assert_eq!(watch.pass_after(30).await, 1);
    assert!(service.texts()[0].starts_with("[HIGH] failed: late"));
}

#[tokio::test]
async fn what_is_not_accepted_is_sent_again_for_days() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    service.answers(StatusCode::SERVICE_UNAVAILABLE);
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    for pause in [5, 30, 120, 300, 600, 600] {
        assert_eq!(watch.pass_after(pause - 1).await, 0, "not before {pause} s");
        assert_eq!(watch.pass_after(1).await, 1, "after {pause} s");
    }
    assert_eq!(watch.pass_after(86_400).await, 1);
    let shown = watch.it.client.get(&format!("/alert-receivers/{slack}")).await.expect(200);
    assert_eq!(shown["last_error"], "the receiver answered 503: heard");
    assert_eq!(watch.shown(&rule).await["state"], "PENDING_NOTIFICATION");
    service.answers(StatusCode::OK);
    service.take();
    assert_eq!(watch.pass_after(600).await, 1);
    assert_eq!(service.take().len(), 1, "nothing was lost in a day");
    assert_eq!(watch.pass_after(86_400).await, 0);
    let shown = watch.it.client.get(&format!("/alert-receivers/{slack}")).await.expect(200);
    assert!(shown.get("last_error").is_none(), "{shown}");
    // A refusal that does not pass is not repeated.
    service.answers(StatusCode::NOT_FOUND);
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 1);
    assert_eq!(watch.pass_after(86_400).await, 0);
}

#[tokio::test]
async fn another_server_goes_on_after_a_crash() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    // It stops after the run has ended, before anything was decided; and again before the message was sent.
    watch.app = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    assert_eq!(watch.pass().await, 0);
    watch.app = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    assert_eq!(watch.pass_after(1).await, 1);
    assert_eq!(service.take().len(), 1);
    watch.app = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    assert_eq!(watch.pass_after(3600).await, 0, "what was accepted is not sent again");
}

#[tokio::test]
async fn the_order_of_a_receiver_is_kept() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    service.answers(StatusCode::BAD_GATEWAY);
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    watch.run(&[&job], 0).await;
    // The recovery waits for the failure, which is tried again later.
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 0);
    service.answers(StatusCode::OK);
    service.take();
    assert_eq!(watch.pass_after(1).await, 2);
    let texts = service.texts();
    assert!(texts[0].starts_with("[HIGH]") && texts[1].starts_with("[RESOLVED]"), "{texts:?}");
}

/// Builds and changes of schedules in clusters say nothing about how a job does.
#[tokio::test]
async fn a_build_resolves_nothing() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let condition = |name: &str, threshold: Option<i64>| json!({"name": name, "condition": {"kind": "BUILT", "promql": name, "threshold": threshold}});
    let rule = watch.rule(&[&slack], json!({})).await;
    let twice = watch.rule(&[], condition("run_failed", Some(2))).await;
    watch.rule(&[&slack], condition("run_recovered", None)).await;
    let job = watch.job("job").await;
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    for event in Event::NO_EXECUTIONS {
        watch.succeeded(&job, event).await;
    }
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 0);
    assert_eq!(
        (&watch.shown(&rule).await["state"], &watch.shown(&twice).await["state"]),
        (&json!("NOTIFIED"), &json!("OK"))
    );
    watch.run(&[&job], 1).await;
    assert_eq!(watch.pass_after(2).await, 0);
    assert_eq!(watch.shown(&twice).await["state"], "UNROUTED", "a build between two failures separates them");
    service.take();
    watch.run(&[&job], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await, 2);
    let texts = service.texts();
    assert!(texts.iter().any(|text| text.starts_with("[RESOLVED] failed: job")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("job: a run succeeded again")), "{texts:?}");
}
