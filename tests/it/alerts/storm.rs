//! Many failures at once, crashes between storing and sending, and two servers.

use std::collections::BTreeMap;

use entity::alert_cause;
use entity::alert_delivery::{self, Items};
use entity::id::RunId;
use entity::webhook_delivery::DeliveryState;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use windlass::alert::{self, Memory};
use windlass::error::Error;
use windlass::store;

use super::{Service, Watch};

const JOBS: usize = 200;
const FAILURES: usize = 50;

#[tokio::test]
async fn ten_thousand_failures_are_one_message_for_each_receiver() {
    let mut watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let first = watch.receiver(json!({"webhook_url": format!("{url}/first")})).await;
    let second = watch.receiver(json!({"webhook_url": format!("{url}/second")})).await;
    watch.rule(&[&first, &second], json!({})).await;
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(watch.job(&format!("job-{number}")).await);
    }
    watch.run(&jobs.iter().collect::<Vec<_>>(), 1).await;
    let mut runs: Vec<RunId> = Vec::new();
    for job in &jobs {
        runs.push(RunId(watch.it.runs(job).await[0]["id"].as_str().unwrap().parse().unwrap()));
    }
    let now = watch.app.clock.now();
    store::write(&watch.app.app.db, async |tx| {
        for _ in 1..FAILURES {
            for run in &runs {
                store::alert::note_run_failed(tx, *run, now).await?;
            }
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let causes = alert_cause::Entity::find().count(&watch.app.app.db).await.unwrap();
    assert!(causes >= 9_800, "{causes}");
    // The server is killed again and again: after it has decided about some of them, and before it has sent anything.
    while store::alert::any_cause(&watch.app.app.db).await.unwrap() {
        watch.memory = Memory::default();
        alert::decide(&watch.app.app, &mut watch.memory, watch.app.clock.now()).await.unwrap();
        watch.app = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    }
    assert_eq!(watch.pass_after(1).await, 2);
    let calls = service.take();
    let mut paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["first", "second"]);
    for call in &calls {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("[HIGH] failed: {JOBS} jobs")), "{text}");
    }
    for row in alert_delivery::Entity::find().all(&watch.app.app.db).await.unwrap() {
        let Items(items) = row.items;
        assert_eq!(row.state, DeliveryState::Delivered);
        assert_eq!(items.len() + usize::try_from(row.more).unwrap(), JOBS, "each job is listed or counted once");
    }
    let alerts = entity::alert::Entity::find().all(&watch.app.app.db).await.unwrap();
    assert_eq!(alerts.len(), JOBS);
    let counted: u64 = alerts.iter().map(|row| u64::try_from(row.times).unwrap()).sum();
    assert_eq!(counted, causes, "each failure was counted once");
    assert_eq!(watch.pass_after(3600).await, 0);
}

/// Two servers decide and send at the same time. Each firing is delivered, and none of them twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_deliver_each_firing_once() {
    let watch = Watch::new().await;
    let (service, url) = Service::start().await;
    let webhook = json!({"type": "WEBHOOK", "url": format!("{url}/hook")});
    let receiver = watch.receiver(webhook).await;
    let mut jobs = Vec::new();
    for number in 0..20 {
        let job = watch.job(&format!("job-{number}")).await;
        let target = json!({"target_type": "JOB", "target_id": job});
        watch.rule(&[&receiver], json!({"name": format!("rule-{number}"), "target": target})).await;
        jobs.push(job);
    }
    let second = watch.app.restarted().await.reconfigured(|config| config.webhook_private_addresses = true);
    watch.run(&jobs.iter().collect::<Vec<_>>(), 1).await;
    let busy = async |app: &std::sync::Arc<windlass::app::App>| {
        let mut memory = Memory::default();
        for _ in 0..40 {
            let now = watch.app.clock.now();
            // Two servers that want the same row may have to try again, as their loops do.
            let _again = alert::decide(app, &mut memory, now).await;
            let _again = alert::send(app).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let clock = async {
        for _ in 0..8 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            watch.app.clock.forward(1);
        }
    };
    tokio::join!(busy(&watch.app.app), busy(&second.app), clock);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for call in service.take() {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        *told.entry(body["data"]["rule"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(told.len(), 20, "{told:?}");
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    assert_eq!(alert_delivery::Entity::find().count(&watch.app.app.db).await.unwrap(), 20);
}
