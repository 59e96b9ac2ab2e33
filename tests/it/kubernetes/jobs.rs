//! Runs as Jobs, seen through the API and in the cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::site::{Site, within};

/// The status of the first container of a pod.
fn container(pod: &k8s_openapi::api::core::v1::Pod) -> k8s_openapi::api::core::v1::Container {
    pod.spec.clone().unwrap().containers.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_lifecycle_job_from_deployment_to_deletion() {
    let site = Site::new().await;
    let organization = &site.organization;
    let annotations =
        json!({"name": "a", "scopes": ["JOBS", "PODS"], "annotations": [{"key": "example.com/team", "value": "red"}]});
    let annotations = site.create(&format!("/organization/{organization}/annotationsGroups"), annotations).await;
    let labels = json!({"name": "l", "labels": [{"key": "cost", "value": "42", "propagate_to_cloud_provider": false}]});
    let labels = site.create(&format!("/organization/{organization}/labelsGroups"), labels).await;
    let script = "echo \"$PLAIN $TOP_SECRET $(cat /etc/app/config.txt)\"; id -u; echo x > /etc/app/config.txt || echo read-only; \
                  echo '{\"url\": {\"value\": \"http://x\", \"sensitive\": false}}' > /qovery-output/qovery-output.json; sleep 2";
    let mut job = site.lifecycle("seed", script);
    job["annotations_groups"] = json!([{"id": annotations}]);
    job["labels_groups"] = json!([{"id": labels}]);
    job["max_nb_restart"] = json!(3);
    let job = site.new_job(job).await;
    site.create(&format!("/job/{job}/environmentVariable"), json!({"key": "PLAIN", "value": "$(HOME) plain"})).await;
    site.create(&format!("/job/{job}/secret"), json!({"key": "TOP_SECRET", "value": "hidden-value"})).await;
    let file = json!({"key": "CONFIG", "value": "file content", "mount_path": "/etc/app/config.txt"});
    site.create(&format!("/job/{job}/environmentVariable"), file).await;
    site.settings(
        &job,
        json!({"security.read_only_root_filesystem": true, "deployment.termination_grace_period_seconds": 7}),
    )
    .await;
    site.call("POST", &format!("/environment/{}/deploy", site.environment), None).await;
    within(60, async || !site.pods().await.is_empty(), "there is a pod").await;
    let (namespace, pods, jobs) = (site.namespace().await, site.pods().await, site.jobs().await);
    assert_eq!(namespace, format!("z{}-staging-1", &site.environment[..8]));
    let spec = jobs[0].spec.clone().unwrap();
    assert_eq!((spec.backoff_limit, spec.active_deadline_seconds), (Some(3), Some(120)));
    let (pod, main) = (pods[0].spec.clone().unwrap(), container(&pods[0]));
    assert_eq!((pod.termination_grace_period_seconds, pod.automount_service_account_token), (Some(7), Some(false)));
    assert_eq!(pod.restart_policy.as_deref(), Some("Never"));
    let security = main.security_context.unwrap();
    assert_eq!((security.allow_privilege_escalation, security.read_only_root_filesystem), (Some(false), Some(true)));
    let limits = main.resources.unwrap().limits.unwrap();
    assert_eq!((limits["cpu"].0.as_str(), limits["memory"].0.as_str()), ("100m", "64Mi"));
    let text = serde_json::to_string(&pods[0]).unwrap() + &serde_json::to_string(&jobs[0]).unwrap();
    assert!(!text.contains("hidden-value") && !text.contains("file content"), "a value is outside of the Secret");
    let metadata = |labels: &Option<BTreeMap<String, String>>, key: &str| labels.as_ref().unwrap().get(key).cloned();
    for meta in [&pods[0].metadata, &jobs[0].metadata] {
        assert_eq!(metadata(&meta.labels, "windlass.dev/job").as_deref(), Some(job.as_str()));
        assert_eq!(metadata(&meta.labels, "cost").as_deref(), Some("42"));
        assert_eq!(metadata(&meta.annotations, "example.com/team").as_deref(), Some("red"));
        assert!(metadata(&meta.labels, "windlass.dev/run").is_some());
        assert!(metadata(&meta.labels, "windlass.dev/deployment").is_some());
    }
    let secrets = site.secrets().await;
    assert_eq!(secrets.len(), 1);
    assert_eq!(secrets[0].metadata.owner_references.as_ref().unwrap()[0].kind, "Job");

    site.reaches(&job, "DEPLOYED").await;
    let run = site.ended(&job).await;
    assert_eq!((run["state"].as_str(), run["runner"].as_str()), (Some("SUCCEEDED"), Some("KUBERNETES")), "{run:#}");
    let log = site.log(&run).await;
    // The cluster does not keep the order of the two streams.
    let line = log.iter().find(|line| line.starts_with("$(HOME) plain ")).unwrap();
    assert!(line.ends_with(" file content") && !line.contains("hidden-value"), "{log:?}");
    assert!(log.contains(&"read-only".to_owned()), "{log:?}");
    let variables = site.get(&format!("/environment/{}/environmentVariable", site.environment)).await;
    let output = variables["results"].as_array().unwrap().iter().find(|row| row["value"] == "http://x");
    assert!(output.is_some(), "{variables:#}");
    site.empty().await;

    site.call("DELETE", &format!("/environment/{}", site.environment), None).await;
    within(90, async || site.namespace().await.is_empty(), "the namespace is gone").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn why_a_run_failed_is_said() {
    let site = Site::with(&["--start-timeout-seconds", "8"]).await;
    let pull = {
        let mut job = site.lifecycle("pull", "true");
        job["source"]["image"]["image_name"] = json!("no/such");
        site.new_job(job).await
    };
    let unschedulable = site.new_job(site.lifecycle("nowhere", "true")).await;
    site.settings(&unschedulable, json!({"deployment.affinity.node.required": {"disk": "golden"}})).await;
    let memory = {
        let mut job = site.lifecycle(
            "memory",
            "head -c 200000000 /dev/zero | awk '{s=s $0} END {print length(s)}'; sleep 1; exit 137",
        );
        job["memory"] = json!(16);
        job["schedule"]["on_start"]["arguments"][1] =
            json!("x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}");
        site.new_job(job).await
    };
    let late = {
        let mut job = site.lifecycle("late", "echo begun; sleep 100");
        job["max_duration_seconds"] = json!(3);
        site.new_job(job).await
    };
    site.settings(&late, json!({"deployment.termination_grace_period_seconds": 1})).await;
    let twice = {
        let mut job = site.lifecycle("twice", "echo attempt; exit 3");
        job["max_nb_restart"] = json!(1);
        site.new_job(job).await
    };
    let wrong = site.new_job(site.lifecycle("wrong", "true")).await;
    site.settings(&wrong, json!({"security.service_account_name": "Not A Name"})).await;
    let expected = [
        (&pull, "ErrImagePull", Value::Null),
        (&unschedulable, "Unschedulable", Value::Null),
        (&memory, "OOMKilled", json!(137)),
        (&late, "DeadlineExceeded", Value::Null),
        (&twice, "exit code 3", json!(3)),
        (&wrong, "Kubernetes rejected the step", Value::Null),
    ];
    for (job, _, _) in &expected {
        site.call("POST", &format!("/job/{job}/deploy"), Some(json!({}))).await;
    }
    for (job, reason, code) in expected {
        site.reaches(job, "DEPLOYMENT_ERROR").await;
        let run = site.ended(job).await;
        let found = run["reason"].as_str().unwrap_or_default();
        let pulls = reason == "ErrImagePull" && found.contains("ImagePullBackOff");
        assert!(found.contains(reason) || pulls, "{reason}: {run:#}");
        assert_eq!((run["state"].as_str(), &run["exit_code"]), (Some("FAILED"), &code), "{run:#}");
    }
    let run = site.ended(&twice).await;
    assert_eq!((run["attempt"].as_i64(), site.log(&run).await.len()), (Some(2), 2), "{run:#}");
    assert_eq!(site.log(&site.ended(&late).await).await, ["begun"]);
    site.empty().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster; cargo xtask test --kubernetes runs it"]
async fn a_killed_server_finds_its_jobs_again_and_a_cancelled_one_goes() {
    let mut site = Site::new().await;
    let script = "trap 'echo bye; exit 0' TERM; for i in $(seq 200); do echo line $i; sleep 0.1; done";
    let job = site.new_job(site.lifecycle("long", script)).await;
    site.settings(&job, json!({"deployment.termination_grace_period_seconds": 5})).await;
    site.call("POST", &format!("/job/{job}/deploy"), Some(json!({}))).await;
    let lines = async |site: &Site| match site.runs(&job).await.first() {
        Some(run) => site.log(run).await,
        None => Vec::new(),
    };
    within(60, async || lines(&site).await.len() > 5, "lines come while it runs").await;
    let token = site.kill();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    site.start(&token);
    let before = lines(&site).await.len();
    within(60, async || lines(&site).await.len() > before + 5, "lines go on").await;
    let run = site.runs(&job).await.remove(0);
    site.call("POST", &format!("/run/{}/cancel", run["id"].as_str().unwrap()), None).await;
    let run = site.ended(&job).await;
    assert_eq!(run["state"], "CANCELLED", "{run:#}");
    let lines = site.log(&run).await;
    for (place, line) in lines.iter().enumerate().take(lines.len() - 1) {
        assert_eq!(*line, format!("line {}", place + 1));
    }
    assert_eq!(lines.last().unwrap(), "bye");
    site.empty().await;
}
