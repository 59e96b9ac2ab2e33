//! Schedules as CronJobs: Kubernetes starts the Jobs, and the server records them.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Timelike as _, Utc};
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::site::{Site, within};

async fn deployment_status(site: &Site, job: &str) -> String {
    site.get(&format!("/job/{job}/status")).await["service_deployment_status"].as_str().unwrap().to_owned()
}

fn scheduled_for(run: &Value) -> DateTime<Utc> {
    run["scheduled_for"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_cron_job_keeps_time_while_the_server_is_away() {
    let mut site = Site::new().await;
    let job = site.new_job(site.cron("tick", "* * * * *", "echo at $(date +%M) with $TOP_SECRET")).await;
    site.create(&format!("/job/{job}/secret"), json!({"key": "TOP_SECRET", "value": "hidden-value"})).await;
    site.settings(&job, json!({"cronjob.success_jobs_history_limit": 5})).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    let next = site.get(&format!("/job/{job}/nextRun?count=1")).await;
    assert_eq!((&next["keeper"], &next["active"]), (&json!("KUBERNETES"), &json!(true)), "{next:#}");
    let first = site.ended(&job).await;
    assert_eq!(
        (first["state"].as_str(), first["trigger"].as_str()),
        (Some("SUCCEEDED"), Some("SCHEDULE")),
        "{first:#}"
    );
    let minute = scheduled_for(&first).minute();
    assert_eq!(site.log(&first).await, [format!("at {minute:02} with ********")]);
    // The server is away at the next time: the Job runs all the same, and is recorded once.
    let token = site.kill();
    within(75, async || site.jobs().await.len() >= 2, "Kubernetes starts the next one by itself").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    site.start(&token);
    within(30, async || site.runs(&job).await.len() >= 2, "it is recorded").await;
    let run = site.ended(&job).await;
    assert_eq!((scheduled_for(&run) - scheduled_for(&first)).num_seconds(), 60);
    assert_eq!(site.log(&run).await.len(), 1);
    // A manual run beside them.
    let (_, by_hand) = site.call("POST", &format!("/job/{job}/run"), Some(json!({}))).await;
    within(
        60,
        async || site.get(&format!("/run/{}", by_hand["id"].as_str().unwrap())).await["state"] == "SUCCEEDED",
        "the manual run has ended",
    )
    .await;
    // After a restart there is nothing new to record.
    let token = site.kill();
    site.start(&token);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let runs = site.runs(&job).await;
    let times: Vec<_> = runs.iter().filter(|run| run["trigger"] == "SCHEDULE").map(scheduled_for).collect();
    assert_eq!(times.iter().collect::<HashSet<_>>().len(), times.len(), "{runs:#?}");
    let explained = site.get(&format!("/job/{job}/explain?at={}", first["scheduled_for"].as_str().unwrap())).await;
    assert_eq!(explained["verdict"], "RAN", "{explained:#}");
    site.act(&job, "stop", "STOPPED").await;
    site.empty().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn what_is_applied_is_what_was_asked_for_and_stays_so() {
    let site = Site::new().await;
    let mut request = site.cron("report", "30 3 * * 5-7", "true");
    request["schedule"]["cronjob"]["timezone"] = json!("Asia/Kolkata");
    request["max_nb_restart"] = json!(2);
    request["max_duration_seconds"] = json!(0);
    request["port"] = json!(8080);
    request["healthchecks"] = json!({"liveness_probe": {"type": {"http": {"path": "/live", "scheme": "HTTP", "port": 8080}},
        "initial_delay_seconds": 3, "period_seconds": 4, "timeout_seconds": 5, "success_threshold": 1, "failure_threshold": 6}});
    let job = site.new_job(request).await;
    site.settings(
        &job,
        json!({
            "cronjob.concurrency_policy": "Replace", "cronjob.starting_deadline_seconds": 77,
            "cronjob.failed_jobs_history_limit": 4, "cronjob.success_jobs_history_limit": 3,
            "job.delete_ttl_seconds_after_finished": 55, "security.service_account_name": "reporter",
        }),
    )
    .await;
    site.create(&format!("/job/{job}/environmentVariable"), json!({"key": "A", "value": "1"})).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    let found = site.cron_jobs().await;
    assert_eq!(found.len(), 1);
    let name = found[0].metadata.name.clone().unwrap();
    let spec = found[0].spec.clone().unwrap();
    assert_eq!((spec.schedule.as_str(), spec.time_zone.as_deref()), ("30 3 * * 0,5,6", Some("Asia/Kolkata")));
    assert_eq!((spec.concurrency_policy.as_deref(), spec.starting_deadline_seconds), (Some("Replace"), Some(77)));
    assert_eq!((spec.failed_jobs_history_limit, spec.successful_jobs_history_limit), (Some(4), Some(3)));
    let template = spec.job_template.spec.unwrap();
    assert_eq!((template.backoff_limit, template.active_deadline_seconds), (Some(2), None));
    assert_eq!(template.ttl_seconds_after_finished, Some(55));
    let pod = template.template.spec.unwrap();
    assert_eq!(
        (pod.service_account_name.as_deref(), pod.automount_service_account_token),
        (Some("reporter"), Some(true))
    );
    let probe = pod.containers[0].liveness_probe.clone().unwrap();
    assert_eq!((probe.http_get.unwrap().path.as_deref(), probe.failure_threshold), (Some("/live"), Some(6)));
    assert_eq!(deployment_status(&site, &job).await, "UP_TO_DATE");

    // Another deployment does not change the object.
    let before = found[0].metadata.clone();
    site.act(&job, "deploy", "DEPLOYED").await;
    let after = site.cron_jobs().await[0].metadata.clone();
    assert_eq!(before.uid, after.uid);

    changes_are_seen_and_put_right(&site, &job, &name).await;
    // A schedule that a CronJob cannot express is run by the server, and the CronJob is deleted.
    site.settings(&job, json!({"cronjob.concurrency_policy": "Queue"})).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    assert!(site.cron_jobs().await.is_empty());
    let next = site.get(&format!("/job/{job}/nextRun")).await;
    assert_eq!(next["keeper"], "SERVER");
    assert!(next["keeper_reason"].as_str().unwrap().contains("Queue"), "{next:#}");
    site.call("DELETE", &format!("/job/{job}"), None).await;
    within(60, async || site.jobs().await.is_empty() && site.secrets().await.is_empty(), "nothing is left").await;
}

/// An operator changes or deletes objects manually.
async fn changes_are_seen_and_put_right(site: &Site, job: &str, name: &str) {
    let namespace = site.namespace().await;
    let cron_jobs: Api<CronJob> = Api::namespaced(site.kube.clone(), &namespace);
    let secrets: Api<Secret> = Api::namespaced(site.kube.clone(), &namespace);
    for act in 0..3 {
        match act {
            0 => {
                let patch = Patch::Merge(json!({"spec": {"suspend": true}}));
                cron_jobs.patch(name, &PatchParams::default(), &patch).await.unwrap();
            }
            1 => {
                cron_jobs.delete(name, &DeleteParams::default()).await.unwrap();
            }
            _ => {
                let patch = Patch::Merge(json!({"data": {"A": "Mg=="}}));
                secrets.patch(name, &PatchParams::default(), &patch).await.unwrap();
            }
        }
        within(60, async || deployment_status(site, job).await == "OUT_OF_DATE", "the change is seen").await;
        site.act(job, "deploy", "DEPLOYED").await;
        assert_eq!(deployment_status(site, job).await, "UP_TO_DATE");
        let spec = site.cron_jobs().await[0].spec.clone().unwrap();
        assert_eq!(spec.suspend, Some(false));
        assert_eq!(secrets.get(name).await.unwrap().data.unwrap()["A"].0, b"1");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn times_that_the_server_keeps_are_started_as_jobs() {
    let site = Site::new().await;
    let job = site.new_job(site.cron("codes", "* * * * *", "echo ran; exit 7")).await;
    site.settings(&job, json!({"job.success_exit_codes": "7"})).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    assert!(site.cron_jobs().await.is_empty());
    let next = site.get(&format!("/job/{job}/nextRun")).await;
    assert_eq!((&next["keeper"], &next["active"]), (&json!("SERVER"), &json!(true)), "{next:#}");
    let run = site.ended(&job).await;
    assert_eq!((run["state"].as_str(), run["exit_code"].as_i64()), (Some("SUCCEEDED"), Some(7)), "{run:#}");
    assert_eq!((run["runner"].as_str(), run["trigger"].as_str()), (Some("KUBERNETES"), Some("SCHEDULE")));
    assert_eq!(site.log(&run).await, ["ran"]);
    site.act(&job, "stop", "STOPPED").await;
    site.empty().await;
}

/// Kubernetes can neither pause a schedule nor skip a time, so the server takes the schedule over.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_pause_takes_the_schedule_over() {
    let site = Site::new().await;
    let job = site.new_job(site.cron("paused", "* * * * *", "echo ran")).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    assert_eq!(site.cron_jobs().await.len(), 1);
    let (status, held) = site.call("POST", &format!("/job/{job}/pause"), Some(json!({}))).await;
    assert_eq!(status, 200, "{held:#}");
    within(60, async || site.cron_jobs().await.is_empty(), "the CronJob is removed").await;
    within(60, async || site.get(&format!("/job/{job}/nextRun")).await["keeper"] == "SERVER", "the server plans").await;
    let next = site.get(&format!("/job/{job}/nextRun")).await;
    assert_eq!((&next["active"], &next["results"][0]["skip_reason"]), (&json!(true), &json!("PAUSED")), "{next:#}");
    assert!(next["keeper_reason"].as_str().unwrap().contains("paused"), "{next:#}");
    within(
        90,
        async || site.get(&format!("/job/{job}/skippedTime")).await["results"][0]["reason"] == "PAUSED",
        "a skip",
    )
    .await;
    // A deployment during the pause leaves the schedule with the server.
    site.act(&job, "deploy", "DEPLOYED").await;
    assert!(site.cron_jobs().await.is_empty());
    let (status, _) = site.call("POST", &format!("/job/{job}/resume"), None).await;
    assert_eq!(status, 200);
    let before = site.runs(&job).await.iter().filter(|run| run["trigger"] == "SCHEDULE").count();
    let scheduled = async || site.runs(&job).await.iter().filter(|run| run["trigger"] == "SCHEDULE").count();
    within(90, async || scheduled().await > before, "the server starts a run").await;
    site.act(&job, "deploy", "DEPLOYED").await;
    assert_eq!(site.cron_jobs().await.len(), 1);
    let next = site.get(&format!("/job/{job}/nextRun")).await;
    assert_eq!((&next["keeper"], &next["keeper_reason"]), (&json!("KUBERNETES"), &json!(null)), "{next:#}");
    let runs = site.runs(&job).await;
    let times: Vec<_> = runs.iter().filter(|run| run["trigger"] == "SCHEDULE").map(scheduled_for).collect();
    assert_eq!(times.iter().collect::<HashSet<_>>().len(), times.len(), "{runs:#?}");
    site.act(&job, "stop", "STOPPED").await;
    site.empty().await;
}

/// The behaviour of the CronJob controller that the server relies on. With Forbid, a time that comes while a Job is active
/// waits until the Job has ended, unless its starting deadline has passed by then. Times are in the time zone. Of missed
/// times only the newest is caught up.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn what_the_controller_of_cron_jobs_does() {
    let site = Site::new().await;
    let forbid = site.new_job(site.cron("forbid", "* * * * *", "sleep 75")).await;
    site.settings(&forbid, json!({"cronjob.starting_deadline_seconds": 12})).await;
    let put_off = site.new_job(site.cron("put-off", "* * * * *", "sleep 75")).await;
    // In a zone with an offset of half an hour: the minute is the current one in this zone only.
    let local = (Utc::now() + chrono::TimeDelta::seconds(90))
        .with_timezone(&windlass_schedule::time_zone::find("Asia/Kolkata").unwrap());
    let mut zoned = site.cron("zoned", &format!("{} {} * * *", local.minute(), local.hour()), "echo here");
    zoned["schedule"]["cronjob"]["timezone"] = json!("Asia/Kolkata");
    let zoned = site.new_job(zoned).await;
    let missed = site.new_job(site.cron("missed", "* * * * *", "echo late")).await;
    site.settings(&missed, json!({"cronjob.suspend": true})).await;
    for job in [&forbid, &put_off, &zoned, &missed] {
        site.act(job, "deploy", "DEPLOYED").await;
    }
    let run = site.ended(&zoned).await;
    assert_eq!(
        scheduled_for(&run)
            .with_timezone(&windlass_schedule::time_zone::find("Asia/Kolkata").unwrap())
            .format("%H:%M")
            .to_string(),
        local.format("%H:%M").to_string()
    );
    assert!(site.runs(&missed).await.is_empty());
    within(200, async || site.runs(&forbid).await.len() > 1, "the time after the one that was left out").await;
    let runs = site.runs(&forbid).await;
    let (second, first) = (&runs[runs.len() - 2], &runs[runs.len() - 1]);
    assert_eq!((scheduled_for(second) - scheduled_for(first)).num_seconds(), 120, "{runs:#?}");
    within(60, async || site.runs(&put_off).await.len() > 1, "the time that was put off").await;
    let runs = site.runs(&put_off).await;
    let (late, early) = (&runs[runs.len() - 2], &runs[runs.len() - 1]);
    assert_eq!((scheduled_for(late) - scheduled_for(early)).num_seconds(), 60, "{runs:#?}");
    let begun: DateTime<Utc> = late["started_at"].as_str().unwrap().parse().unwrap();
    assert!((begun - scheduled_for(late)).num_seconds() >= 14, "{late:#}");
    let left_out = scheduled_for(first) + chrono::TimeDelta::seconds(60);
    let explained = site.get(&format!("/job/{forbid}/explain?at={}", left_out.format("%Y-%m-%dT%H:%M:%SZ"))).await;
    assert_eq!(explained["verdict"], "UNKNOWN", "{explained:#}");
    assert!(explained["reason"].as_str().unwrap().contains("Kubernetes"), "{explained:#}");
    // After the suspension only the newest missed time is run.
    site.settings(&missed, json!({"cronjob.suspend": false})).await;
    site.act(&missed, "deploy", "DEPLOYED").await;
    let begun = Utc::now();
    let run = site.ended(&missed).await;
    assert!(scheduled_for(&run) <= begun || scheduled_for(&run) - begun < chrono::TimeDelta::seconds(61), "{run:#}");
    for job in [&forbid, &put_off, &zoned, &missed] {
        site.act(job, "stop", "STOPPED").await;
    }
    site.empty().await;
}
