//! Pure: the schedule, the source and the probes of a job.

use entity::job_spec::{
    Command, GitRepository, Healthchecks, JobSpec, LifecycleType, Probe, ProbeType, Schedule, Source,
};

use super::context::Context;
use super::hcl::{Arguments, Expression, argument, optional, texts};

/// The branch that stands for the default one: the provider requires a branch.
const BRANCH: &str = "main";

fn command(command: &Command) -> Expression {
    let Command { entrypoint, arguments } = command;
    let mut fields = Arguments::new();
    fields.extend(optional("entrypoint", entrypoint.as_deref()));
    fields.extend(optional("arguments", arguments.as_deref().filter(|list| !list.is_empty()).map(texts)));
    Expression::Object(fields)
}

pub(super) fn schedule(context: &mut Context<'_>, owner: &str, schedule: &Schedule) -> Expression {
    match schedule {
        Schedule::Cron { scheduled_at, timezone, command: of_cron } => {
            if timezone != "Etc/UTC" {
                context.note(format!("{owner}: time zone {timezone}"));
            }
            let cronjob = vec![argument("schedule", scheduled_at.as_str()), argument("command", command(of_cron))];
            Expression::Object(vec![argument("cronjob", Expression::Object(cronjob))])
        }
        Schedule::Lifecycle { on_start, on_stop, on_delete, lifecycle_type } => {
            let lifecycle_type = match lifecycle_type {
                LifecycleType::Generic => "GENERIC",
                LifecycleType::Terraform => "TERRAFORM",
                LifecycleType::Cloudformation => "CLOUDFORMATION",
            };
            let mut fields = vec![argument("lifecycle_type", lifecycle_type)];
            for (key, event) in [("on_start", on_start), ("on_stop", on_stop), ("on_delete", on_delete)] {
                fields.extend(optional(key, event.as_ref().map(command)));
            }
            Expression::Object(fields)
        }
        // An export contains no checks.
        Schedule::Check { .. } => Expression::Object(Vec::new()),
    }
}

/// Why the provider cannot create a job with this source.
pub(super) fn cannot_create(source: &Source) -> Option<&'static str> {
    match source {
        Source::Image { .. } | Source::Docker { git_repository: Some(_), .. } => None,
        Source::Docker { git_repository: None, dockerfile_raw: Some(_), .. } => Some("an image without a repository"),
        Source::Docker { git_repository: None, dockerfile_raw: None, .. } => Some("no image"),
    }
}

pub(super) fn source(context: &mut Context<'_>, owner: &str, source: &Source) -> Expression {
    let (key, fields) = match source {
        Source::Image { image_name, tag, registry_id } => {
            let registry = context.registry(*registry_id);
            let image = [
                argument("registry_id", registry),
                argument("name", image_name.as_str()),
                argument("tag", tag.as_str()),
            ];
            ("image", Arguments::from(image))
        }
        Source::Docker { git_repository, dockerfile_path, dockerfile_raw, docker_target_build_stage } => {
            let mut docker = Arguments::new();
            docker
                .extend(git_repository.as_ref().map(|git| argument("git_repository", repository(context, owner, git))));
            docker.extend(optional("dockerfile_path", dockerfile_path.as_deref()));
            docker.extend(optional("dockerfile_raw", dockerfile_raw.as_deref()));
            docker.extend(optional("docker_target_build_stage", docker_target_build_stage.as_deref()));
            ("docker", docker)
        }
    };
    Expression::Object(vec![argument(key, Expression::Object(fields))])
}

fn repository(context: &mut Context<'_>, owner: &str, repository: &GitRepository) -> Expression {
    let GitRepository { url, provider: _, branch, root_path, git_token_id } = repository;
    if branch.is_none() {
        context.note(format!("{owner}: the default branch of its repository, for which {BRANCH} stands here"));
    }
    let mut fields = vec![
        argument("url", url.as_str()),
        argument("branch", branch.as_deref().unwrap_or(BRANCH)),
        argument("root_path", root_path.as_str()),
    ];
    fields.extend(optional("git_token_id", git_token_id.map(|id| context.git_token(id))));
    Expression::Object(fields)
}

pub(super) fn healthchecks(context: &mut Context<'_>, owner: &str, spec: &JobSpec) -> Expression {
    let Healthchecks { readiness_probe, liveness_probe } = &spec.healthchecks;
    let mut fields = Arguments::new();
    for (key, given) in [("readiness_probe", readiness_probe), ("liveness_probe", liveness_probe)] {
        let Some(given) = given else { continue };
        match probe(given, spec.port) {
            Some(probe) => fields.push(argument(key, probe)),
            None => context.note(format!("{owner}: {key} without a port, which the provider requires")),
        }
    }
    Expression::Object(fields)
}

fn probe(probe: &Probe, port: Option<i32>) -> Option<Expression> {
    let Probe { kind, initial_delay_seconds, period_seconds, timeout_seconds, success_threshold, failure_threshold } =
        probe;
    let (key, fields) = match kind {
        ProbeType::Tcp { port: own, host } => {
            let mut fields = vec![argument("port", own.or(port)?)];
            fields.extend(optional("host", host.as_deref()));
            ("tcp", fields)
        }
        ProbeType::Http { path, scheme, port: own } => {
            let (path, scheme) = (argument("path", path.as_str()), argument("scheme", scheme.as_str()));
            ("http", vec![argument("port", own.or(port)?), path, scheme])
        }
        ProbeType::Exec { command } => ("exec", vec![argument("command", texts(command))]),
        ProbeType::Grpc { service, port: own } => {
            let mut fields = vec![argument("port", own.or(port)?)];
            fields.extend(optional("service", service.as_deref()));
            ("grpc", fields)
        }
    };
    Some(Expression::Object(vec![
        argument("type", Expression::Object(vec![argument(key, Expression::Object(fields))])),
        argument("initial_delay_seconds", *initial_delay_seconds),
        argument("period_seconds", *period_seconds),
        argument("timeout_seconds", *timeout_seconds),
        argument("success_threshold", *success_threshold),
        argument("failure_threshold", *failure_threshold),
    ]))
}
