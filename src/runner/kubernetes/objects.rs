//! Pure: from a step to the objects of Kubernetes that are applied for it.
//!
//! Names derive from ids alone, so that applying twice is applying once; labels lead back from every object to its job,
//! run and deployment. The fields are those of `batch/v1` and `v1` (<https://kubernetes.io/docs/reference/kubernetes-api/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::job_spec::{CpuArchitecture, Probe, ProbeType};
use serde_json::{Map, Value, json};

use super::pod::{Concurrency, Pod, Times};
use crate::runner::terraform::script::{SOURCE_FOLDER, SOURCE_VARIABLE};
use crate::runner::{Image, OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE, StepSpec};

/// Says which objects are ours (a recommended label of Kubernetes).
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub(super) const MANAGER: &str = "windlass";
/// The job that an object belongs to.
pub(super) const JOB: &str = "windlass.dev/job";
/// The environment that a namespace belongs to.
pub(super) const ENVIRONMENT: &str = "windlass.dev/environment";
/// On the Jobs that a CronJob starts.
pub(super) const SCHEDULED: &str = "windlass.dev/scheduled";
/// On a Job of which everything is stored.
pub(super) const RECORDED: &str = "windlass.dev/recorded";
/// On a CronJob: what it was applied by.
pub(super) const APPLIED_BY: &str = "windlass.dev/applied-by";
/// Written by the controller of CronJobs on the Jobs that it starts.
pub(super) const SCHEDULED_FOR: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// The container that runs the step, and not one that somebody has put beside it.
pub(super) const CONTAINER: &str = "main";

/// All that is applied for a step, in this order.
pub(super) struct Objects {
    pub(super) namespace: Value,
    /// None where the step has neither variables nor files.
    pub(super) secret: Option<Value>,
    /// The login to the registry of its image.
    pub(super) pull_secret: Option<Value>,
    /// The Job, or the CronJob where the step has times.
    pub(super) owner: Value,
}

/// The name of the secret that holds the login to a registry.
pub(super) fn pull_secret_name(name: &str) -> String {
    format!("{name}-pull")
}

/// What is to be applied for a step.
pub(super) fn objects(step: &StepSpec, pod: &Pod, name: &str) -> Objects {
    let labels = labels(step, pod);
    let meta =
        |name: &str, labels: &Map<String, Value>| json!({"name": name, "namespace": pod.namespace, "labels": labels});
    let mut data = Map::new();
    for (key, value) in &step.environment {
        data.insert(key.clone(), json!(STANDARD.encode(value.expose())));
    }
    for (place, file) in step.files.iter().enumerate() {
        data.insert(file_key(place), json!(STANDARD.encode(file.content.expose())));
    }
    let secret = (!data.is_empty()).then(|| {
        let mut meta = meta(name, &labels);
        annotate(&mut meta, &pod.annotations.secrets);
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})
    });
    let pull_secret = step.image.as_ref().and_then(|image| pull_secret(image, meta(&pull_secret_name(name), &labels)));
    let mut namespace_labels = Map::new();
    namespace_labels.insert(MANAGED_BY.into(), json!(MANAGER));
    namespace_labels.extend(pod.namespace_labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    let owner = match &pod.times {
        Some(times) => cron_job(step, pod, times, name, &labels),
        None => job(step, pod, name, &labels),
    };
    Objects {
        namespace: json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": pod.namespace, "labels": namespace_labels}}),
        secret,
        pull_secret,
        owner,
    }
}

/// Those of the groups first: ours are never overwritten.
fn labels(step: &StepSpec, pod: &Pod) -> Map<String, Value> {
    let mut labels: Map<String, Value> = pod.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    labels.extend(step.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    labels.insert(MANAGED_BY.into(), json!(MANAGER));
    labels
}

fn annotate(meta: &mut Value, annotations: &[(String, String)]) {
    if annotations.is_empty() {
        return;
    }
    let map: Map<String, Value> = annotations.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    if let Some(meta) = meta.as_object_mut() {
        meta.insert("annotations".into(), Value::Object(map));
    }
}

fn pull_secret(image: &Image, meta: Value) -> Option<Value> {
    let login = image.credentials.as_ref()?;
    let auth = STANDARD.encode(format!("{}:{}", login.username, login.password.expose()));
    let server = match login.server.as_str() {
        // What the kubelet looks for with images of Docker Hub.
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    let config = json!({"auths": {server: {"auth": auth}}}).to_string();
    Some(json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": STANDARD.encode(config)}}))
}

fn job(step: &StepSpec, pod: &Pod, name: &str, labels: &Map<String, Value>) -> Value {
    let mut meta = json!({"name": name, "namespace": pod.namespace, "labels": labels});
    annotate(&mut meta, &pod.annotations.jobs);
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": job_spec(step, pod, name, labels)})
}

fn cron_job(step: &StepSpec, pod: &Pod, times: &Times, name: &str, labels: &Map<String, Value>) -> Value {
    let mut annotations = pod.annotations.cron_jobs.clone();
    annotations.push((APPLIED_BY.into(), times.applied_by.clone()));
    let mut meta = json!({"name": name, "namespace": pod.namespace, "labels": labels});
    annotate(&mut meta, &annotations);
    let mut job_labels = labels.clone();
    job_labels.insert(SCHEDULED.into(), json!("true"));
    let mut job_meta = json!({"labels": job_labels});
    annotate(&mut job_meta, &pod.annotations.jobs);
    let mut spec = json!({
        "schedule": times.schedule,
        "timeZone": times.zone,
        "concurrencyPolicy": match times.concurrency {
            Concurrency::Allow => "Allow",
            Concurrency::Forbid => "Forbid",
            Concurrency::Replace => "Replace",
        },
        "suspend": times.suspended,
        "successfulJobsHistoryLimit": times.keep_succeeded,
        "failedJobsHistoryLimit": times.keep_failed,
        "jobTemplate": {"metadata": job_meta, "spec": job_spec(step, pod, name, &job_labels)},
    });
    put(&mut spec, "startingDeadlineSeconds", times.starting_deadline_seconds);
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec})
}

/// Sets a field that is left out where there is nothing to say.
fn put<T: Into<Value>>(object: &mut Value, key: &str, value: Option<T>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.into(), value.into());
    }
}

fn job_spec(step: &StepSpec, pod: &Pod, name: &str, labels: &Map<String, Value>) -> Value {
    let mut meta = json!({"labels": labels});
    annotate(&mut meta, &pod.annotations.pods);
    let mut spec = json!({
        "backoffLimit": pod.retries,
        "parallelism": 1,
        "completions": 1,
        "template": {"metadata": meta, "spec": pod_spec(step, pod, name)},
    });
    put(&mut spec, "activeDeadlineSeconds", pod.deadline_seconds);
    put(&mut spec, "ttlSecondsAfterFinished", pod.ttl_seconds);
    spec
}

fn pod_spec(step: &StepSpec, pod: &Pod, name: &str) -> Value {
    let mut volumes = Vec::new();
    if !step.files.is_empty() {
        let items: Vec<Value> =
            (0..step.files.len()).map(|place| json!({"key": file_key(place), "path": file_key(place)})).collect();
        volumes.push(json!({"name": "files", "secret": {"secretName": name, "defaultMode": 0o444, "items": items}}));
    }
    if step.source.is_some() {
        volumes.push(json!({"name": "source", "emptyDir": {}}));
    }
    let mut spec = json!({
        // Every attempt is a pod of its own, whose log is read to its end.
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": pod.grace_seconds,
        "automountServiceAccountToken": pod.automount_token,
        "enableServiceLinks": false,
        "containers": [container(step, pod, name)],
    });
    put(&mut spec, "serviceAccountName", pod.service_account.clone());
    put(&mut spec, "affinity", affinity(pod));
    if !volumes.is_empty() {
        put(&mut spec, "volumes", Some(volumes));
    }
    if step.image.as_ref().is_some_and(|image| image.credentials.is_some()) {
        put(&mut spec, "imagePullSecrets", Some(json!([{"name": pull_secret_name(name)}])));
    }
    spec
}

fn container(step: &StepSpec, pod: &Pod, name: &str) -> Value {
    let mut environment: Vec<Value> = step
        .environment
        .iter()
        .map(|(key, _)| json!({"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}))
        .collect();
    let mut container = json!({
        "name": CONTAINER,
        "image": step.image.as_ref().map(|image| image.reference.clone()),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": step.read_only_root,
        },
    });
    if let Some(file) = pod.message_file {
        let path = format!("{OUTPUT_FOLDER}/{file}");
        environment.push(json!({"name": OUTPUT_VARIABLE, "value": format!("{OUTPUT_FOLDER}/{OUTPUT_FILE}")}));
        // The kubelet makes the file, lets the container write to it, and puts what is in it at the end into the status.
        put(&mut container, "terminationMessagePath", Some(path));
    }
    let arguments: Vec<String> = step.arguments.iter().map(|argument| literal(argument)).collect();
    let mut mounts: Vec<Value> = step
        .files
        .iter()
        .enumerate()
        .map(|(place, file)| {
            json!({"name": "files", "mountPath": file.path, "subPath": file_key(place), "readOnly": true})
        })
        .collect();
    if step.source.is_some() {
        environment.push(json!({"name": SOURCE_VARIABLE, "value": SOURCE_FOLDER}));
        mounts.push(json!({"name": "source", "mountPath": SOURCE_FOLDER}));
    }
    put(&mut container, "command", step.entrypoint.as_ref().map(|program| json!([literal(program)])));
    put(&mut container, "args", (!step.arguments.is_empty()).then(|| json!(arguments)));
    put(&mut container, "env", (!environment.is_empty()).then_some(environment));
    put(&mut container, "volumeMounts", (!mounts.is_empty()).then_some(mounts));
    put(&mut container, "resources", resources(step, pod));
    put(&mut container, "ports", pod.port.map(|port| json!([{"name": format!("p{port}"), "containerPort": port}])));
    put(&mut container, "livenessProbe", pod.liveness.as_ref().map(|given| probe(given, pod)));
    put(&mut container, "readinessProbe", pod.readiness.as_ref().map(|given| probe(given, pod)));
    container
}

/// A text that Kubernetes takes as it is: it would put variables in the place of `$(NAME)`, and `$` in that of `$$`.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// What is asked for is what there is: limits are the requests.
fn resources(step: &StepSpec, pod: &Pod) -> Option<Value> {
    let mut amounts = Map::new();
    if step.cpu_milli > 0 {
        amounts.insert("cpu".into(), json!(quantity(step.cpu_milli, 1000, "m", "")));
    }
    if step.memory_mib > 0 {
        amounts.insert("memory".into(), json!(quantity(step.memory_mib, 1024, "Mi", "Gi")));
    }
    if let Some(gib) = pod.ephemeral_storage_gib.filter(|gib| *gib > 0) {
        amounts.insert("ephemeral-storage".into(), json!(format!("{gib}Gi")));
    }
    if pod.gpu > 0 {
        amounts.insert("nvidia.com/gpu".into(), json!(pod.gpu.to_string()));
    }
    (!amounts.is_empty()).then(|| json!({"limits": amounts, "requests": amounts}))
}

/// An amount as the API server writes it itself.
fn quantity(amount: i32, whole: i32, part: &str, unit: &str) -> String {
    if amount % whole == 0 { format!("{}{unit}", amount / whole) } else { format!("{amount}{part}") }
}

fn affinity(pod: &Pod) -> Option<Value> {
    let architecture = pod.architecture.map(|architecture| match architecture {
        CpuArchitecture::Amd64 => "amd64",
        CpuArchitecture::Arm64 => "arm64",
    });
    let wanted = pod.node_labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let expressions: Vec<Value> = wanted
        .chain(architecture.map(|architecture| ("kubernetes.io/arch", architecture)))
        .map(|(key, value)| json!({"key": key, "operator": "In", "values": [value]}))
        .collect();
    (!expressions.is_empty()).then(|| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}})
    })
}

fn probe(given: &Probe, pod: &Pod) -> Value {
    let port = |own: &Option<i32>| own.or(pod.port);
    let mut probe = json!({
        "initialDelaySeconds": given.initial_delay_seconds,
        "periodSeconds": given.period_seconds,
        "timeoutSeconds": given.timeout_seconds,
        "successThreshold": given.success_threshold,
        "failureThreshold": given.failure_threshold,
    });
    let (kind, mut how) = match &given.kind {
        ProbeType::Tcp { port: own, host } => {
            let mut how = json!({"port": port(own)});
            put(&mut how, "host", host.clone());
            ("tcpSocket", how)
        }
        ProbeType::Http { path, scheme, port: own } => {
            ("httpGet", json!({"path": path, "scheme": scheme.to_uppercase(), "port": port(own)}))
        }
        ProbeType::Exec { command } => ("exec", json!({"command": command})),
        ProbeType::Grpc { service, port: own } => {
            let mut how = json!({"port": port(own)});
            put(&mut how, "service", service.clone());
            ("grpc", how)
        }
    };
    put(&mut probe, kind, Some(how.take()));
    probe
}

/// Not the name of a variable: those have no dot.
fn file_key(place: usize) -> String {
    format!("file.{place}")
}
