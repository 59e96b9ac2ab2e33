//! A row that cannot be stored, and a cluster whose kubeconfig cannot be opened, affect no others.

use k8s_openapi::api::batch::v1::CronJob;
use kube::Api;
use kube::api::{Patch, PatchParams};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::json;

use super::limited;
use super::site::{Site, within};

async fn execute(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}

fn row(id: &str) -> String {
    format!("x'{}'", id.replace('-', ""))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_row_that_fails_stops_no_other_row() {
    let site = Site::new().await;
    let mut jobs = Vec::new();
    for name in ["bad", "good"] {
        let job = site.new_job(site.cron(name, "* * * * *", "true")).await;
        site.settings(&job, json!({"cronjob.success_jobs_history_limit": 9})).await;
        jobs.push(job);
    }
    let [bad, good] = jobs.try_into().unwrap();
    let db = site.database().await;
    let refuse = "BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END";
    let condition = format!("NEW.job_id = {} AND NEW.trigger = 'SCHEDULE'", row(&bad));
    execute(&db, &format!("CREATE TRIGGER no_run BEFORE INSERT ON run WHEN {condition} {refuse}")).await;
    let condition = format!("OLD.id = {} AND NEW.drifted_at IS NOT NULL", row(&bad));
    execute(&db, &format!("CREATE TRIGGER no_drift BEFORE UPDATE ON job WHEN {condition} {refuse}")).await;
    // Only now, because a minute may begin at any moment.
    for job in [&bad, &good] {
        site.act(job, "deploy", "DEPLOYED").await;
    }
    let cron_jobs: Api<CronJob> = Api::namespaced(site.kube.clone(), &site.namespace().await);
    for found in site.cron_jobs().await {
        let patch = Patch::Merge(json!({"spec": {"startingDeadlineSeconds": 55}}));
        cron_jobs.patch(&found.metadata.name.unwrap(), &PatchParams::default(), &patch).await.unwrap();
    }
    within(150, async || !site.runs(&good).await.is_empty(), "the Job of the good schedule is recorded").await;
    let status = async |job: &str| {
        site.get(&format!("/job/{job}/status")).await["service_deployment_status"].as_str().unwrap().to_owned()
    };
    within(60, async || status(&good).await == "OUT_OF_DATE", "the change of the good CronJob is noticed").await;
    assert_eq!((site.runs(&bad).await.len(), status(&bad).await.as_str()), (0, "UP_TO_DATE"));
    for pass in ["cluster_runs", "drift"] {
        let counted = async || site.metrics().await.contains(&format!("pass_row_errors_total{{pass=\"{pass}\"}}"));
        within(60, counted, "the failure is counted").await;
    }
    execute(&db, "DROP TRIGGER no_run").await;
    execute(&db, "DROP TRIGGER no_drift").await;
    within(150, async || !site.runs(&bad).await.is_empty(), "no Job is lost").await;
    within(150, async || status(&bad).await == "OUT_OF_DATE", "the change is noticed").await;

    let sealed = site.register("sealed by another key", &limited().await).await;
    within(30, async || site.cluster_status(&sealed).await == "DEPLOYED", "the second cluster is ready").await;
    execute(&db, &format!("UPDATE cluster SET kubeconfig = x'00' WHERE id = {}", row(&sealed))).await;
    within(30, async || site.cluster_status(&sealed).await != "DEPLOYED", "the second cluster is reported").await;
    assert_eq!(site.cluster_status(&site.cluster).await, "DEPLOYED");
    site.act(&good, "stop", "STOPPED").await;
}
