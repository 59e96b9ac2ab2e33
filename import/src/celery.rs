//! Pure: periodic tasks of Celery beat as django-celery-beat stores them: what `manage.py dumpdata django_celery_beat` writes.

use serde_json::Value;

use super::document::{field, is_false, is_given, is_true, items, scalar, text};
use super::imported::{Imported, ImportedJob, Source};
use super::lines::Lines;
use super::translation::Given;

const CRONTAB: &str = "django_celery_beat.crontabschedule";
const TASK: &str = "django_celery_beat.periodictask";

/// Reads a dump.
#[must_use]
pub fn read_celery(source: &Source<'_>) -> Imported {
    let mut found = Imported::default();
    let all = match items(source.text) {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let of = |model: &'static str| all.iter().filter(move |row| text(row, "model") == Some(model));
    let crontabs: Vec<&Value> = of(CRONTAB).collect();
    let mut lines = Lines::of(source.text);
    for task in of(TASK).filter_map(|row| field(row, "fields")) {
        let name = text(task, "name").unwrap_or_default();
        found.push(lines.find_field("name", name), name, job(task, name, &crontabs, source.zone));
    }
    if found == Imported::default() {
        found.refuse(1, source.name, format!("it has no {TASK}"));
    }
    found
}

fn job(task: &Value, name: &str, crontabs: &[&Value], zone: &str) -> Result<ImportedJob, String> {
    for (key, why) in [
        ("interval", "an interval counts from the last run, not by the clock"),
        ("solar", "times of the sun have no equivalent"),
        ("clocked", "it runs once"),
        ("expires", "a schedule that ends has no equivalent"),
        ("start_time", "a schedule that begins later has no equivalent; if it has begun, take start_time out"),
    ] {
        if is_given(task, key) {
            return Err(format!("celery {key}: {why}"));
        }
    }
    if is_true(task, "one_off") {
        return Err("celery one_off: it runs once".into());
    }
    let key = scalar(task, "crontab").ok_or("it has no crontab")?;
    let row = crontabs.iter().find(|row| scalar(row, "pk").as_ref() == Some(&key));
    let crontab =
        row.and_then(|row| field(row, "fields")).ok_or_else(|| format!("its crontab {key} is not in the file"))?;
    let fields = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"];
    let fields = fields.map(|field| scalar(crontab, field).unwrap_or_else(|| "*".into()).replace(' ', ""));
    let mut job = ImportedJob { name: name.to_owned(), ..ImportedJob::default() };
    text(task, "description").unwrap_or_default().clone_into(&mut job.description);
    let zone = text(crontab, "timezone").unwrap_or(zone);
    job.translate(&Given { dialect: "celery", expression: &fields.join(" "), zone, ..Given::default() })?;
    if is_false(task, "enabled") {
        job.suspend();
    }
    job.set_concurrency("Allow");
    job.note(format!("it sends the task {}", text(task, "task").unwrap_or_default()));
    for (key, empty) in [("args", "[]"), ("kwargs", "{}")] {
        if let Some(value) = text(task, key).filter(|value| *value != empty) {
            job.note(format!("its {key} are left out: {value}"));
        }
    }
    Ok(job)
}

#[cfg(test)]
#[path = "celery_tests.rs"]
mod tests;
