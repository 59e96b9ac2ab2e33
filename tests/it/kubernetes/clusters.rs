//! Clusters that are registered, unreachable, or reject the credentials of the server.

use std::time::{Duration, Instant};

use serde_json::json;

use super::site::{Site, within};
use super::{kubeconfig, limited};

/// A cluster that is down has a reason, does not delay others, and is used again when it is back.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn one_that_is_down_delays_its_own_environments_only() {
    let mut site = Site::with(&["--start-timeout-seconds", "6"]).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let working = limited().await;
    let server = working.split("server: '").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let dead = site.register("dead", &working.replace(&server, &format!("https://{port}"))).await;
    within(20, async || site.cluster_status(&dead).await == "DEPLOYMENT_ERROR", "the cluster is reported as down")
        .await;
    let elsewhere = std::mem::take(&mut site.environment);
    site.environment = site.environment("on a dead cluster", &dead).await;
    let stuck = site.new_job(site.lifecycle("stuck", "true")).await;
    let cron = site.new_job(site.cron("cron", "* * * * *", "true")).await;
    site.call("POST", &format!("/environment/{}/deploy", site.environment), None).await;
    site.environment = elsewhere;
    let begun = Instant::now();
    let job = site.new_job(site.lifecycle("elsewhere", "true")).await;
    site.act(&job, "deploy", "DEPLOYED").await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    for job in [&stuck, &cron] {
        site.reaches(job, "DEPLOYMENT_ERROR").await;
        let runs = site.get(&format!("/job/{job}/run")).await;
        let reason = runs["results"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("cannot be reached"), "{runs:#}");
    }
    // The cluster comes back.
    let (status, text) = site.put_kubeconfig(&dead, &working).await;
    assert_eq!(status, 204, "{text}");
    within(30, async || site.cluster_status(&dead).await == "DEPLOYED", "it is used again").await;
    site.act(&stuck, "deploy", "DEPLOYED").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn what_is_no_kubeconfig_is_refused_and_who_is_not_let_in_is_told_so() {
    let site = Site::new().await;
    for (wrong, expected) in [
        ("not: a kubeconfig", "no list of clusters"),
        ("in-cluster", "--in-cluster"),
        (&limited().await.replace("token:", "tokenFile: /etc/passwd, x:"), "tokenFile"),
    ] {
        let (status, text) = site.put_kubeconfig(&site.cluster, wrong).await;
        assert_eq!(status, 400, "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let stranger = kubeconfig().replace("not-a-secret", "somebody-else");
    let cluster = site.register("stranger", &stranger).await;
    within(
        20,
        async || site.cluster_status(&cluster).await == "INVALID_CREDENTIALS",
        "the credentials are reported as invalid",
    )
    .await;
    let path = format!("/organization/{}/cluster/{cluster}/isReady", site.organization);
    assert_eq!(site.get(&path).await, json!({"is_ready": false}));
}
