//! Official operations know no checks; those of Windlass list them among the jobs.

use poem::http::Method;
use serde_json::json;

use super::Elsewhere;

#[tokio::test]
async fn official_operations_serve_no_checks() {
    let of = Elsewhere::daily().await;
    let (client, check) = (&of.it.client, &of.check);
    let (environment, organization, project) = (&of.it.environment, of.it.organization, &of.it.project);
    assert_eq!(of.ping("", "").await, 200);
    let job = of.it.create(of.it.cron("cron", "@daily")).await;
    for path in [
        format!("/environment/{environment}/job"),
        format!("/environment/{environment}/statuses"),
        format!("/environment/{environment}/services"),
        format!("/organization/{organization}/services"),
        format!("/environment/{environment}/deploymentStage"),
    ] {
        let (status, text) = client.raw_call("GET", &path, None, &[]).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(text.contains(&job) && !text.contains(check.as_str()), "{path}: {text}");
    }
    let stats = client.get(&format!("/organization/{organization}/project/stats")).await.expect(200);
    assert_eq!(stats["results"][0]["service_total_number"], 1, "{stats} {project}");
    for (method, end) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::GET, "/status"),
        (Method::GET, "/environmentVariable"),
        (Method::GET, "/advancedSettings"),
        (Method::GET, "/deploymentRestriction"),
        (Method::POST, "/deploy"),
        (Method::POST, "/stop"),
        (Method::POST, "/run"),
    ] {
        let detail = client.call(method.clone(), &format!("/job/{check}{end}"), Some("{}".into())).await.detail(404);
        assert!(detail.contains("/check/{checkId}"), "{method} {end}: {detail}");
    }
    // Nothing of an environment deploys, stops or removes it.
    client.post(&format!("/environment/{environment}/deploy"), json!({})).await.expect(202);
    of.app.settle().await;
    client.post(&format!("/environment/{environment}/stop"), json!({})).await.expect(202);
    of.app.settle().await;
    of.at("2026-11-22T12:00:00Z").await;
    assert_eq!(of.ping("", "").await, 200);
    assert_eq!(of.runs().await[0], ["SUCCEEDED", "2026-11-22T12:00:00Z", ""]);
}

#[tokio::test]
async fn checks_are_among_the_jobs() {
    let of = Elsewhere::daily().await;
    let client = &of.it.client;
    assert_eq!(of.ping("/4", "").await, 200);
    let jobs = client.get(&format!("/organization/{}/job", of.it.organization)).await.expect(200);
    let job = &jobs["results"][0];
    assert_eq!((&job["job_type"], &job["deployed"]), (&json!("CHECK"), &json!(true)));
    assert_eq!(
        (&job["next_run_at"], &job["last_run"]["state"]),
        (&json!("2026-11-22T12:00:00.000000Z"), &json!("FAILED"))
    );
    assert_eq!(job["schedule"], "every day at 12:00 (Etc/UTC)");
    let runs = client.get(&format!("/organization/{}/run", of.it.organization)).await.expect(200);
    assert!(runs.to_string().contains(&of.check), "{runs}");
    let next = client.get(&format!("/job/{}/nextRun", of.check)).await.expect(200);
    assert_eq!(next["results"][0]["at"], "2026-11-22T12:00:00.000000Z", "{next}");
    // Only jobs that run here are planned for.
    let forecast = client.get(&format!("/organization/{}/forecast", of.it.organization)).await.expect(200);
    assert!(!forecast.to_string().contains(&of.check), "{forecast}");
}

#[tokio::test]
async fn a_period_is_explained_by_pings() {
    let of = Elsewhere::with(json!({"period_seconds": 3600, "grace_seconds": 60})).await;
    assert_eq!(of.ping("/2", "").await, 200);
    let (verdict, reason) = of.verdict("2026-11-22T10:00:00Z").await;
    assert_eq!(verdict, "RAN");
    assert!(reason.ends_with("was reported for this time and failed: exit code 2"), "{reason}");
    assert_eq!(of.verdict("2026-11-22T10:30:00Z").await.0, "NOT_DUE");
    assert_eq!(of.verdict("2026-11-22T11:00:00Z").await.0, "PENDING");
    of.app.clock.forward(3660);
    of.app.tick().await;
    assert_eq!(of.verdict("2026-11-22T11:00:00Z").await.0, "SKIPPED");
    let detail = of.it.client.get(&format!("/job/{}/nextRun", of.check)).await.detail(400);
    assert!(detail.contains("a check with a period"), "{detail}");
}
