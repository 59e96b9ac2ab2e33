//! What a receiver is told last about a job is its state, however often that changes.

use serde_json::json;

use super::silences::nights;
use super::{Service, Watch};

/// The titles of the messages that were received since the last call.
fn titles(service: &Service) -> Vec<String> {
    service.texts().iter().map(|text| text.lines().next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_job_that_fails_again_is_not_resolved() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    let rule = watch.rule(&[&slack], json!({})).await;
    let job = watch.job("job").await;
    for code in [1, 0, 1, 0, 1] {
        watch.run(&[&job], code).await;
        watch.pass_after(3).await;
    }
    for _ in 0..5 {
        watch.pass_after(30).await;
    }
    // The second message is about one job, although it has failed twice since the first.
    assert_eq!(titles(&service), ["[HIGH] failed: job"; 2]);
    assert_eq!(watch.shown(&rule).await["state"], "NOTIFIED");
    watch.run(&[&job], 0).await;
    for _ in 0..3 {
        watch.pass_after(30).await;
    }
    assert_eq!(titles(&service), ["[RESOLVED] failed: job"]);
}

#[tokio::test]
async fn the_morning_brings_the_newest_state() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.receiver(json!({"webhook_url": format!("{url}/slack"), "quiet_hours": nights()})).await;
    watch.rule(&[&slack], json!({})).await;
    let (failing, well) = (watch.job("failing").await, watch.job("well").await);
    watch.app.clock.set("2026-12-01T22:00:00Z");
    for (of_failing, of_well) in [(1, 1), (0, 0), (1, 1), (0, 0), (1, 0)] {
        watch.run(&[&failing], of_failing).await;
        watch.run(&[&well], of_well).await;
        watch.pass_after(600).await;
    }
    assert!(service.take().is_empty());
    watch.app.clock.set("2026-12-02T06:00:00Z");
    for _ in 0..3 {
        watch.pass_after(60).await;
    }
    assert_eq!(titles(&service), ["[HIGH] failed: 2 jobs", "[RESOLVED] failed: well"]);
}

#[tokio::test]
async fn a_recovery_follows_the_failure_that_waits() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let slack = watch.slack(&url).await;
    watch.rule(&[&slack], json!({})).await;
    let (first, second) = (watch.job("first").await, watch.job("second").await);
    watch.run(&[&first], 1).await;
    assert_eq!(watch.pass_after(1).await, 1);
    assert_eq!(titles(&service), ["[HIGH] failed: first"]);
    // Its message waits until a minute after the first.
    watch.run(&[&second], 1).await;
    assert_eq!(watch.pass_after(2).await, 0);
    watch.run(&[&second], 0).await;
    assert_eq!(watch.pass_after(2).await + watch.pass_after(2).await + watch.pass_after(2).await, 0);
    assert_eq!(watch.pass_after(60).await, 2);
    assert_eq!(titles(&service), ["[HIGH] failed: second", "[RESOLVED] failed: second"]);
}
