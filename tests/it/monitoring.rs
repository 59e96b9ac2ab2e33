//! Metrics in both formats, those of single jobs, and the rules and the dashboard for Prometheus, checked by promtool.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::TestApp;
use crate::runner::needed;

const RULES: &str = include_str!("../../deploy/monitoring/alerts.yaml");
const DASHBOARD: &str = include_str!("../../deploy/monitoring/dashboard.json");

/// Series of a failing and of an overdue job, and what the rules make of them.
const RULE_TEST: &str = r#"
rule_files: [alerts.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - series: 'windlass_job_last_run_failed{job_id="1",job_name="nightly",environment="production",project="shop",instance="a"}'
    values: '0 0 1 1 1 1 1 1 1 1 1'
  - series: 'windlass_job_next_time_timestamp_seconds{job_id="1",job_name="nightly",environment="production",project="shop",instance="a"}'
    values: '60x10'
  alert_rule_test:
  - eval_time: 1m
    alertname: WindlassJobFails
    exp_alerts: []
  - eval_time: 3m
    alertname: WindlassJobFails
    exp_alerts:
    - exp_labels: {severity: warning, job_id: "1", job_name: nightly, environment: production, project: shop}
      exp_annotations: {summary: nightly in shop/production has failed}
  - eval_time: 5m
    alertname: WindlassJobOverdue
    exp_alerts: []
  - eval_time: 8m
    alertname: WindlassJobOverdue
    exp_alerts:
    - exp_labels: {severity: critical, job_id: "1", job_name: nightly, environment: production, project: shop}
      exp_annotations: {summary: nightly in shop/production should have run 7m 0s ago}
"#;

fn promtool(program: &str, words: &[&str], folder: &std::path::Path, input: &str) {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn the_rules_and_the_dashboard_are_valid() {
    let Some(program) = needed("WINDLASS_TEST_PROMTOOL") else { return };
    let folder = tempfile::tempdir().unwrap();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let rules: Vec<Value> = targets
        .enumerate()
        .map(|(place, target)| json!({"record": format!("panel:{place}"), "expr": target["expr"]}))
        .collect();
    assert!(rules.len() > 10);
    let panels = json!({"groups": [{"name": "panels", "rules": rules}]}).to_string();
    for (name, text) in [("alerts.yaml", RULES), ("panels.yaml", &panels), ("test.yaml", RULE_TEST)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    promtool(&program, &["check", "rules", "alerts.yaml", "panels.yaml"], folder.path(), "");
    promtool(&program, &["test", "rules", "test.yaml"], folder.path(), "");
}

#[tokio::test]
async fn jobs_have_metrics_if_the_setting_asks_for_them() {
    let app = TestApp::configured(|config| config.metrics_per_job = 2).await;
    let it = app.furnished().await;
    let good = it.deployed(&app, it.cron("good \"one\"", "0 11 * * *")).await;
    let bad = it.create(it.cron("bad", "0 12 * * *")).await;
    app.clock.forward(1);
    it.create(it.cron("one too many", "0 12 * * *")).await;
    for (job, code) in [(&good, 0), (&bad, 3)] {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
        app.settle().await;
        app.clock.forward(7);
        app.runner.exit_all(code);
        app.settle().await;
    }
    let scrape = async |accept: &str| app.client(None).whole("GET", "/metrics", None, &[("accept", accept)]).await;
    let (status, headers, open) = scrape("*/*").await;
    let kind = headers["content-type"].to_str().unwrap();
    assert_eq!((status, kind), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let labels = |job: &str, name: &str| {
        let (environment, project) = ("environment", "project");
        let line = open.lines().find(|line| line.contains(job)).unwrap();
        assert!(line.contains(environment) && line.contains(project), "{line}");
        format!("job_id=\"{job}\",job_name=\"{name}\"")
    };
    let value = |metric: &str, labels: &str| {
        let line = open.lines().find(|line| line.starts_with(&format!("windlass_{metric}{{{labels}")));
        line.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
    };
    let (good, bad) = (labels(&good, "good \\\"one\\\""), labels(&bad, "bad"));
    assert_eq!(value("job_last_run_failed", &good), Some(0.0));
    assert_eq!(value("job_last_run_failed", &bad), Some(1.0));
    assert_eq!(value("job_last_duration_seconds", &bad), Some(7.0));
    assert_eq!(value("job_last_success_timestamp_seconds", &bad), None);
    let at = |time: &str| time.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp() as f64;
    assert!(value("job_last_success_timestamp_seconds", &good).unwrap() >= at("2026-11-22T10:00:38Z"));
    assert_eq!(value("job_next_time_timestamp_seconds", &good), Some(at("2026-11-22T11:00:00Z")));
    let ended = open.lines().filter(|line| line.starts_with("windlass_job_runs_ended_total{") && line.ends_with("} 1"));
    let ended: Vec<&str> = ended.collect();
    assert_eq!(ended.len(), 2, "{ended:?}");
    assert!(ended.iter().any(|line| line.contains(&bad) && line.contains("outcome=\"Failed\"")), "{ended:?}");
    assert!(open.contains("\nwindlass_jobs_without_metrics 1\n") && !open.contains("one too many"), "{open}");
    assert!(open.ends_with("# EOF\n"));

    let (_, headers, classic) = scrape("text/plain;version=0.0.4").await;
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(
        classic.contains("# TYPE windlass_job_runs_ended_total counter\n") && !classic.contains("# EOF"),
        "{classic}"
    );
    if let Some(program) = needed("WINDLASS_TEST_PROMTOOL") {
        promtool(&program, &["check", "metrics"], std::path::Path::new("/"), &classic);
    }
    // Without the setting no name is shown.
    let quiet = TestApp::new().await;
    let it = quiet.furnished().await;
    it.create(it.cron("hidden", "@daily")).await;
    let text = quiet.client(None).raw("/metrics").await;
    assert!(!text.contains("job_id") && !text.contains("hidden") && !text.contains("jobs_without"), "{text}");
}
