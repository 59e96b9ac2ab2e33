//! Creates jobs from what was found.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use windlass_import::ImportedJob;

use super::command::Target;
use super::settings::settings;
use crate::api::shown;
use crate::failure::{Failure, Result};
use crate::names::{EnvironmentOf, Place};
use crate::rows::{List, Reference};

/// The registry that is named, or the only one.
pub(super) async fn registry(place: &Place, name: Option<&str>) -> Result<Uuid> {
    #[derive(Deserialize)]
    struct Registry {
        id: Uuid,
        #[serde(default)]
        name: String,
    }
    let path = format!("/organization/{}/containerRegistry", place.organization);
    let all: List<Registry> = shown(&place.api.get(&path, &[]).await?)?;
    let names = all.results.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
    let fits = |row: &&Registry| name.is_none_or(|name| row.name == name || row.id.to_string() == name);
    let found: Vec<&Registry> = all.results.iter().filter(fits).collect();
    match (found.as_slice(), name) {
        ([one], _) => Ok(one.id),
        (_, Some(name)) => Err(Failure::NotFound(format!("there is no single registry {name}; there are: {names}"))),
        ([], None) => Err(Failure::NotFound("the organization has no container registry".into())),
        (_, None) => Err(Failure::Usage(format!("name a container registry with --registry: {names}"))),
    }
}

/// Creates a job with its settings and variables. A job that cannot get them is deleted again.
pub(super) async fn create(
    place: &Place,
    environment: &EnvironmentOf,
    job: &ImportedJob,
    (target, registry): (&Target, Uuid),
) -> Result<()> {
    if !job.says_what_to_run() {
        return Err(Failure::Usage("it has no command; give --command".into()));
    }
    let body = definition(job, &target.image, registry)?;
    let path = format!("/environment/{}/job", environment.environment.id);
    let created: Reference = shown(&place.api.post(&path, &body).await?)?;
    if let Err(failure) = complete(place, created.id, job).await {
        let removed = place.api.send(Method::DELETE, &format!("/job/{}", created.id), None).await;
        let left = removed.err().map(|error| format!("; the job could not be deleted again: {error}"));
        return Err(Failure::Refused(format!("{failure}{}", left.unwrap_or_default())));
    }
    if target.deploy {
        place.api.post(&format!("/job/{}/deploy", created.id), &json!({})).await?;
    }
    Ok(())
}

async fn complete(place: &Place, id: Uuid, job: &ImportedJob) -> Result<()> {
    let settings = settings(job)?;
    if !settings.is_empty() {
        place.api.send(Method::PUT, &format!("/job/{id}/advancedSettings"), Some(&settings.into())).await?;
    }
    for (key, value) in &job.environment {
        let body = json!({
            "key": key, "value": value, "is_secret": false, "variable_scope": "JOB", "variable_parent_id": id,
        });
        place.api.post("/variable", &body).await?;
    }
    Ok(())
}

/// The body that creates a job.
fn definition(job: &ImportedJob, image: &str, registry: Uuid) -> Result<Value> {
    let image = job.image.as_deref().unwrap_or(image);
    let (name, tag) = image_parts(image)
        .ok_or_else(|| Failure::Usage(format!("the image must be written as NAME:TAG or NAME@DIGEST, not {image}")))?;
    let (entrypoint, arguments) = match job.command.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, &[][..]),
    };
    let mut body = json!({
        "name": job.name,
        "description": job.description,
        "source": {"image": {"image_name": name, "tag": tag, "registry_id": registry}},
        "schedule": {"cronjob": {
            "scheduled_at": job.schedules.join(" | "), "timezone": job.zone, "arguments": arguments,
        }},
        "healthchecks": {},
    });
    if let (Some(entrypoint), Some(cron)) =
        (entrypoint, body.pointer_mut("/schedule/cronjob").and_then(Value::as_object_mut))
    {
        cron.insert("entrypoint".into(), entrypoint.as_str().into());
    }
    if let Some(fields) = body.as_object_mut() {
        for (key, number) in [
            ("max_nb_restart", job.max_restarts),
            ("max_duration_seconds", job.max_duration_seconds),
            ("cpu", job.cpu_milli),
            ("memory", job.memory_mib),
        ] {
            fields.extend(number.map(|number| (key.to_owned(), number.into())));
        }
    }
    Ok(body)
}

/// The name, with its digest, and the tag of an image that is written as NAME:TAG, NAME@DIGEST or NAME:TAG@DIGEST. The digest is the
/// tag of one that has no other.
fn image_parts(image: &str) -> Option<(String, &str)> {
    let (before, digest) = image.split_once('@').map_or((image, None), |(before, digest)| (before, Some(digest)));
    let (name, tag) = match before.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (before, None),
    };
    let tag = tag.or(digest).filter(|_| !name.is_empty())?;
    Some((digest.map_or_else(|| name.to_owned(), |digest| format!("{name}@{digest}")), tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;
    use windlass_import::{CrontabDialect, CrontabForm, read_crontab};

    use super::super::settings::settings;
    use super::{definition, image_parts};

    #[test]
    fn a_line_becomes_a_job_with_the_settings_that_keep_its_meaning() {
        let file = "PATH=/usr/bin\nREGION=eu\n# Clean up\n0 0 */2 * 1 flock -n /tmp/x /opt/clean\n";
        let found = read_crontab(file, CrontabDialect::Vixie, CrontabForm::User, "Europe/Paris");
        let job = &found.jobs[0];
        let body = definition(job, "library/busybox:1.36.1", Uuid::nil()).unwrap();
        assert_eq!((&body["name"], &body["description"]), (&json!("clean"), &json!("Clean up")));
        let cron = &body["schedule"]["cronjob"];
        assert_eq!((&cron["entrypoint"], &cron["timezone"]), (&json!("/bin/sh"), &json!("Europe/Paris")));
        assert_eq!(cron["arguments"], json!(["-c", "flock -n /tmp/x /opt/clean"]));
        assert_eq!(body["source"]["image"]["tag"], "1.36.1");
        let settings = settings(job).unwrap();
        assert_eq!((&settings["cronjob.day_match"], &settings["process.path"]), (&json!("and"), &json!("/usr/bin")));
        assert_eq!(job.environment["REGION"], "eu");
        assert!(
            definition(job, "busybox", Uuid::nil()).is_err() && definition(job, "host:5000/x", Uuid::nil()).is_err()
        );
    }

    #[test]
    fn images_have_a_tag_or_a_digest() {
        for (image, expected) in [
            ("acme/backup:1.2", Some(("acme/backup", "1.2"))),
            ("acme/backup@sha256:00", Some(("acme/backup@sha256:00", "sha256:00"))),
            ("acme/backup:1.2@sha256:00", Some(("acme/backup@sha256:00", "1.2"))),
            ("host:5000/acme@sha256:00", Some(("host:5000/acme@sha256:00", "sha256:00"))),
            ("host:5000/acme", None),
            (":1", None),
        ] {
            assert_eq!(image_parts(image), expected.map(|(name, tag)| (name.to_owned(), tag)), "{image}");
        }
    }
}
