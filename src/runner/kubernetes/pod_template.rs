//! Pure: builds the specification of a step's Job and pods.

use entity::job_spec::{CpuArchitecture, Probe, ProbeType};
use serde_json::{Map, Value, json};

use super::object_labels::CONTAINER;
use super::object_parts::{annotate, file_key, own_secret, pull_secret_name, put};
use super::pod_options::PodOptions;
use crate::runner::output_file::{OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE};
use crate::runner::step_spec::{StepFile, StepSpec};
use crate::runner::terraform::layout::{SOURCE_FOLDER, SOURCE_VARIABLE};

/// The volume of the files that share a Secret.
const SHARED: &str = "files";

pub(super) fn job_spec(step: &StepSpec, pod: &PodOptions, name: &str, labels: &Map<String, Value>) -> Value {
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

fn pod_spec(step: &StepSpec, pod: &PodOptions, name: &str) -> Value {
    let mut volumes = Vec::new();
    let item = |place: usize| json!({"key": file_key(place), "path": file_key(place)});
    let mut shared = Vec::new();
    for (place, file) in step.files.iter().enumerate() {
        match own_secret(name, place, file) {
            Some(own) => {
                let secret = json!({"secretName": own, "defaultMode": 0o444, "items": [item(place)]});
                volumes.push(json!({"name": volume(name, place, file), "secret": secret}));
            }
            None => shared.push(item(place)),
        }
    }
    if !shared.is_empty() {
        let secret = json!({"secretName": name, "defaultMode": 0o444, "items": shared});
        volumes.insert(0, json!({"name": SHARED, "secret": secret}));
    }
    if step.source.is_some() {
        volumes.push(json!({"name": "source", "emptyDir": {}}));
    }
    let mut spec = json!({
        // Every attempt gets its own pod, whose log is read to the end.
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

fn container(step: &StepSpec, pod: &PodOptions, name: &str) -> Value {
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
        // The kubelet creates the file for the container and copies its content into the status of the pod.
        put(&mut container, "terminationMessagePath", Some(path));
    }
    let arguments: Vec<String> = step.arguments.iter().map(|argument| literal(argument)).collect();
    let mut mounts: Vec<Value> = step
        .files
        .iter()
        .enumerate()
        .map(|(place, file)| {
            let volume = volume(name, place, file);
            json!({"name": volume, "mountPath": file.path, "subPath": file_key(place), "readOnly": true})
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

/// The volume of a file.
fn volume(name: &str, place: usize, file: &StepFile) -> String {
    own_secret(name, place, file).map_or_else(|| SHARED.to_owned(), |_| format!("file-{place}"))
}

/// Escapes a text, because Kubernetes expands `$(NAME)` and reads `$$` as `$`.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// Limits equal requests.
fn resources(step: &StepSpec, pod: &PodOptions) -> Option<Value> {
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

/// An amount in the canonical form of the API server.
fn quantity(amount: i32, whole: i32, part: &str, unit: &str) -> String {
    if amount % whole == 0 { format!("{}{unit}", amount / whole) } else { format!("{amount}{part}") }
}

fn affinity(pod: &PodOptions) -> Option<Value> {
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

fn probe(given: &Probe, pod: &PodOptions) -> Value {
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
