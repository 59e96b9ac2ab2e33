//! Tests of reading CronJobs.

use super::read_cron_job_manifests;

const MANIFESTS: &str = r#"
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  schedule: "30 6 * * 1-5"
  timeZone: Europe/Madrid
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 120
  successfulJobsHistoryLimit: 5
  jobTemplate:
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: 600
      template:
        spec:
          restartPolicy: Never
          serviceAccountName: reporter
          containers:
          - name: report
            image: registry.example/report:4
            command: [/bin/report]
            args: ["--all", "--day=1"]
            env:
            - {name: LEVEL, value: "2"}
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: db, key: password}}
---
# Not a job.
apiVersion: v1
kind: Service
metadata: {name: shop}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: wrong}
spec: {schedule: "0 6 * * 7", jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}
---
kind: CronJobList
items:
- kind: CronJob
  metadata: {name: two}
  spec: {schedule: "@hourly", suspend: true, jobTemplate: {spec: {template: {spec: {containers: [{image: a}, {image: b}]}}}}}
- kind: CronJob
  metadata: {name: plain}
  spec: {schedule: "@hourly", suspend: true, jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}
---
kind: [
"#;

#[test]
fn manifests_become_jobs() {
    let found = read_cron_job_manifests(MANIFESTS, "Etc/UTC");
    let [report, plain] = found.jobs.as_slice() else { panic!("{:?}", found.jobs) };
    assert_eq!((report.name.as_str(), report.line, report.zone.as_str()), ("report", 1, "Europe/Madrid"));
    assert_eq!(
        (report.schedules.as_slice(), report.image.as_deref()),
        (&["30 6 * * 1-5".to_owned()][..], Some("registry.example/report:4"))
    );
    assert_eq!(report.command, ["/bin/report", "--all", "--day=1"]);
    assert_eq!(report.environment["LEVEL"], "2");
    assert_eq!((report.max_restarts, report.max_duration_seconds), (Some(2), Some(600)));
    for (key, value) in [
        ("cronjob.concurrency_policy", "\"Forbid\""),
        ("cronjob.starting_deadline_seconds", "120"),
        ("cronjob.success_jobs_history_limit", "5"),
        ("security.service_account_name", "\"reporter\""),
    ] {
        assert_eq!(report.settings[key], value, "{key}");
    }
    assert!(report.notes.iter().any(|note| note.contains("PASSWORD")), "{:?}", report.notes);
    assert_eq!(
        (plain.schedules[0].as_str(), plain.settings["cronjob.suspend"].as_str(), plain.max_restarts),
        ("0 * * * *", "true", Some(6))
    );
    assert_eq!(plain.settings["cronjob.concurrency_policy"], "\"Allow\"");
    assert!(plain.notes.iter().any(|note| note.contains("names no time zone")), "{:?}", plain.notes);
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|one| (one.text.as_str(), one.why.as_str())).collect();
    for ((text, why), (expected, part)) in refused.iter().zip([
        ("Service shop", "only CronJobs"),
        ("CronJob wrong", "7 is not a day of week"),
        ("CronJob two", "one container"),
        ("kind: [", "no manifest"),
    ]) {
        assert_eq!(*text, expected);
        assert!(why.contains(part), "{why}");
    }
    assert_eq!(refused.len(), 4);
}
