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

/// What is written beside the image, and a note that must be there.
const DETAILS: &str = r#"
kind: CronJob
metadata: {name: detailed}
spec:
  schedule: "@hourly"
  timeZone: Etc/UTC
  jobTemplate:
    spec:
      ttlSecondsAfterFinished: 60
      completionMode: NonIndexed
      suspend: false
      template:
        spec:
          restartPolicy: OnFailure
          dnsPolicy: ClusterFirst
          hostNetwork: false
          nodeSelector: {disk: ssd}
          securityContext: {}
          terminationGracePeriodSeconds: 30
          containers:
          - name: detailed
            image: busybox
            imagePullPolicy: Always
            workingDir: /srv
            securityContext: {runAsUser: 1000}
            command: [/bin/sh, -c]
            args: ["report $(DAY) $(date) $(HOST)"]
            env:
            - {name: DAY, value: "1"}
            - {name: URL, value: "http://$(HOST)/"}
            - name: HOST
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
            resources:
              requests: {cpu: 100m}
              limits: {cpu: 1.5, memory: 1Gi, nvidia.com/gpu: 1}
"#;

#[test]
fn what_is_left_out_is_said() {
    let found = read_cron_job_manifests(DETAILS, "Etc/UTC");
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.image.as_deref(), job.cpu_milli, job.memory_mib), (Some("busybox:latest"), Some(1500), Some(1024)));
    let note =
        |part: &str| job.notes.iter().find(|note| note.contains(part)).unwrap_or_else(|| panic!("{:?}", job.notes));
    assert!(note("has no tag").contains("latest"));
    assert!(note("Kubernetes replaces").contains(" $(DAY), $(HOST) in its command"), "{:?}", job.notes);
    let names = "nodeSelector, resources.limits.nvidia.com/gpu, resources.requests, securityContext, \
                 ttlSecondsAfterFinished, workingDir";
    assert_eq!(note("left out"), &format!("these fields of its manifest are left out: {names}"));
    assert!(!job.notes.iter().any(|note| note.contains("no limit")), "{:?}", job.notes);

    let plain = read_cron_job_manifests(MANIFESTS, "Etc/UTC");
    let report = &plain.jobs[0];
    assert_eq!((report.cpu_milli, report.memory_mib), (None, None));
    assert!(report.notes.iter().any(|note| note.contains("no limit of cpu and memory")), "{:?}", report.notes);
    assert!(!report.notes.iter().any(|note| note.contains("left out")), "{:?}", report.notes);
    let pinned =
        DETAILS.replace("image: busybox", "image: \"acme/b@sha256:00\"").replace("memory: 1Gi", "memory: lots");
    let pinned = read_cron_job_manifests(&pinned, "Etc/UTC");
    let job = &pinned.jobs[0];
    assert_eq!((job.image.as_deref(), job.memory_mib), (Some("acme/b@sha256:00"), None));
    assert!(job.notes.iter().any(|note| note.contains("resources.limits.memory,")), "{:?}", job.notes);
    assert!(!job.notes.iter().any(|note| note.contains("no tag")), "{:?}", job.notes);
}
