//! Names, labels and pod options of a job's run in a Kubernetes cluster.

use chrono::{DateTime, Utc};
use entity::metadata_group::{Entry, GroupKind, Model as Group};
use entity::run::{self, Event};
use entity::{environment, job};

use super::super::prepared::{Impossible, step_name};
use super::subject::JobSubject;
use crate::app::App;
use crate::engine::advanced_settings::Settings;
use crate::engine::cron::{cron_job_times, repeats_by_kubernetes};
use crate::engine::outputs::leaves_outputs;
use crate::engine::tick::takeover::belongs_to_kubernetes;
use crate::error::{Error, Result};
use crate::runner::kubernetes::handle;
use crate::runner::kubernetes::pod_options::{Annotations, CronTimes, PodOptions};
use crate::runner::{OUTPUT_FILE, StepSpec};
use crate::store;

/// How many characters of an environment's name its namespace contains.
const NAME: usize = 40;

/// The name of the CronJob of a job.
fn cron_job_name(job: &job::Model) -> String {
    format!("windlass-{}", job.id)
}

/// Whether a run removes a CronJob, because Kubernetes no longer schedules the job.
pub(super) async fn withdraws(app: &App, run: &run::Model, of: JobSubject<'_>) -> Result<bool> {
    if run.event != Event::Apply {
        return Ok(false);
    }
    let deployed = of.job.deployed.as_ref();
    Ok(!belongs_to_kubernetes(&app.db, of.job.id, of.cluster.kind, deployed).await?)
}

/// The namespace of a run, and the name of its step.
async fn named(app: &App, run: &run::Model, of: JobSubject<'_>, withdraws: bool) -> Result<(String, String)> {
    let namespace = namespace(app, of.environment).await?;
    let name = match run.event {
        Event::Apply if withdraws => handle::withdraw(&namespace, &cron_job_name(of.job), &run.id.to_string()),
        Event::Apply => handle::apply(&namespace, &cron_job_name(of.job), &run.id.to_string()),
        _ => handle::job(&namespace, &step_name(run.id, run.attempt)),
    };
    Ok((namespace, name))
}

async fn namespace(app: &App, row: &environment::Model) -> Result<String> {
    if let Some(known) = &row.namespace {
        return Ok(known.clone());
    }
    let id = row.id.0.simple().to_string();
    let name = slug(&row.name);
    let short = id.get(..8).unwrap_or(&id);
    // Version 7 ids created in the same minute start with the same digits.
    let wanted = [format!("z{short}-{name}"), format!("z{id}-{}", name.get(..20).unwrap_or(&name))];
    let wanted = wanted.map(|name| name.trim_end_matches('-').to_owned());
    let found = store::write(&app.db, async |tx| {
        store::cluster_objects::namespace(tx, row, wanted.clone()).await.map_err(Error::from)
    });
    let found = found.await?;
    found.ok_or_else(|| Error::internal("an environment has no namespace"))
}

/// A name that Kubernetes accepts: lower-case letters, digits, and hyphens in between.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.trim_matches('-').chars().take(NAME).collect();
    slug.trim_end_matches('-').to_owned()
}

/// Adds the options for Kubernetes to a step.
pub(super) async fn with_pod_options(
    app: &App,
    run: &run::Model,
    of: JobSubject<'_>,
    (step, withdraws): (StepSpec, bool),
    now: DateTime<Utc>,
) -> Result<std::result::Result<StepSpec, Impossible>> {
    let (namespace, name) = named(app, run, of, withdraws).await?;
    let spec = &run.spec;
    let groups = groups(app, run).await?;
    let repeats = repeats_by_kubernetes(spec);
    let left = |seconds: i32| match run.started_at {
        Some(started) if !repeats || run.attempt > 1 => (i64::from(seconds) - (now - started).num_seconds()).max(1),
        _ => i64::from(seconds),
    };
    let deadline = (spec.max_duration_seconds > 0).then(|| left(spec.max_duration_seconds));
    let grace = spec.stop_grace_seconds.or_else(|| Settings(&Default::default()).number(GRACE));
    let times = match times(run, of) {
        Ok(times) => times,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let pod = PodOptions {
        namespace,
        namespace_labels: vec![
            ("windlass.dev/environment".into(), of.environment.id.to_string()),
            ("windlass.dev/project".into(), of.environment.project_id.to_string()),
            ("windlass.dev/organization".into(), of.environment.organization_id.to_string()),
        ],
        // Attempts of earlier Jobs, which could not be started, count too.
        retries: if repeats { (spec.max_nb_restart - (run.attempt - 1)).max(0) } else { 0 },
        deadline_seconds: deadline.and_then(|seconds| i32::try_from(seconds).ok()),
        ttl_seconds: spec.pod.ttl_seconds,
        grace_seconds: grace.unwrap_or(30).into(),
        port: spec.pod.port,
        readiness: spec.pod.healthchecks.readiness_probe.clone(),
        liveness: spec.pod.healthchecks.liveness_probe.clone(),
        gpu: spec.pod.gpu,
        ephemeral_storage_gib: spec.pod.ephemeral_storage_gib,
        architecture: spec.pod.cpu_architecture,
        node_labels: spec.pod.node_labels.clone().into_iter().collect(),
        service_account: Some(spec.pod.service_account.clone()).filter(|name| !name.is_empty()),
        // A job that names a service account needs its permissions, and so its token.
        automount_token: spec.pod.automount_token || !spec.pod.service_account.is_empty(),
        labels: entries(&groups, GroupKind::Labels, None),
        annotations: Annotations {
            jobs: entries(&groups, GroupKind::Annotations, Some("JOBS")),
            cron_jobs: entries(&groups, GroupKind::Annotations, Some("CRON_JOBS")),
            pods: entries(&groups, GroupKind::Annotations, Some("PODS")),
            secrets: entries(&groups, GroupKind::Annotations, Some("SECRETS")),
        },
        message_file: leaves_outputs(run.event).then_some(OUTPUT_FILE),
        times,
    };
    let labels = labels(run, of);
    Ok(Ok(StepSpec { name, labels, pod: Some(Box::new(pod)), ..step }))
}

const GRACE: &str = "deployment.termination_grace_period_seconds";

/// Labels that identify the job, the run and the deployment of an object. Some have the names of the official system, which log
/// tools know.
fn labels(run: &run::Model, of: JobSubject<'_>) -> Vec<(String, String)> {
    let job = of.job.id.to_string();
    let environment = of.environment.id.to_string();
    let mut labels = vec![
        ("windlass.dev/job".to_owned(), job.clone()),
        ("windlass.dev/environment".to_owned(), environment.clone()),
        ("qovery.com/service-id".to_owned(), job),
        ("qovery.com/service-type".to_owned(), "job".to_owned()),
        ("qovery.com/environment-id".to_owned(), environment),
        ("qovery.com/project-id".to_owned(), of.environment.project_id.to_string()),
    ];
    // A CronJob does not belong to any one run.
    if run.event != Event::Apply {
        labels.push(("windlass.dev/run".into(), run.id.to_string()));
    }
    if let Some(deployment) = run.deployment_id {
        labels.push(("windlass.dev/deployment".into(), deployment.to_string()));
        labels.push(("qovery.com/deployment-id".into(), deployment.to_string()));
    }
    labels
}

fn times(run: &run::Model, of: JobSubject<'_>) -> std::result::Result<Option<CronTimes>, Impossible> {
    if run.event != Event::Apply {
        return Ok(None);
    }
    let Some(spec) = &of.job.deployed else { return Ok(None) };
    cron_job_times(spec, run.id).map_err(|error| Impossible(error.0))
}

async fn groups(app: &App, run: &run::Model) -> Result<Vec<Group>> {
    let pod = &run.spec.pod;
    let ids: Vec<_> = pod.annotations_groups.iter().chain(&pod.labels_groups).copied().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store::group::by_ids(&app.db, ids).await?)
}

/// The entries of all groups of one kind, for one scope.
fn entries(groups: &[Group], kind: GroupKind, scope: Option<&str>) -> Vec<(String, String)> {
    let wanted =
        |group: &&Group| group.kind == kind && scope.is_none_or(|scope| group.scopes.0.iter().any(|one| one == scope));
    let pair = |entry: &Entry| (entry.key.clone(), entry.value.clone());
    groups.iter().filter(wanted).flat_map(|group| group.entries.0.iter().map(pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_are_those_of_kubernetes() {
        for (given, expected) in [
            ("My Environment!", "my-environment"),
            ("--a__b--", "a-b"),
            ("Größe", "gr-e"),
            ("!!!", ""),
            (&"x".repeat(80), &"x".repeat(40)),
        ] {
            assert_eq!(slug(given), expected);
        }
    }
}
