//! Tests of reading dumps of django-celery-beat.

use super::read_celery;
use crate::imported::{Imported, Source};

const DUMP: &str = r#"[
{"model": "django_celery_beat.intervalschedule", "pk": 1, "fields": {"every": 10, "period": "minutes"}},
{"model": "django_celery_beat.crontabschedule", "pk": 1, "fields": {"minute": "30", "hour": "6", "day_of_week": "mon-fri", "day_of_month": "*", "month_of_year": "*", "timezone": "Asia/Tokyo"}},
{"model": "django_celery_beat.crontabschedule", "pk": 2, "fields": {"minute": "0", "hour": "*/6", "day_of_week": "1", "day_of_month": "1-7", "month_of_year": "*", "timezone": "UTC"}},
{"model": "django_celery_beat.crontabschedule", "pk": 3, "fields": {"minute": "0", "hour": "2", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "Europe/Paris"}},
{"model": "django_celery_beat.periodictasks", "pk": 1, "fields": {"last_update": "2026-01-01T00:00:00Z"}},
{"model": "django_celery_beat.periodictask", "pk": 5, "fields": {"name": "report", "task": "shop.report", "interval": null, "crontab": 1, "solar": null, "clocked": null, "args": "[2]", "kwargs": "{}", "queue": null, "expires": null, "one_off": false, "start_time": null, "enabled": true, "description": "Sends the report"}},
{"model": "django_celery_beat.periodictask", "pk": 6, "fields": {"name": "first monday", "task": "a", "crontab": 2, "one_off": false, "enabled": false, "args": "[]"}},
{"model": "django_celery_beat.periodictask", "pk": 7, "fields": {"name": "often", "task": "a", "interval": 1, "crontab": null}},
{"model": "django_celery_beat.periodictask", "pk": 8, "fields": {"name": "night", "task": "a", "crontab": 3}},
{"model": "django_celery_beat.periodictask", "pk": 9, "fields": {"name": "once", "task": "a", "crontab": 1, "one_off": true}},
{"model": "django_celery_beat.periodictask", "pk": 10, "fields": {"name": "lost", "task": "a", "crontab": 9}}
]"#;

fn read(text: &str) -> Imported {
    read_celery(&Source { name: "beat.json", text, zone: "Europe/Paris" })
}

#[test]
fn tasks_become_jobs() {
    let found = read(DUMP);
    let [report, monday] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((report.name.as_str(), report.description.as_str(), report.line), ("report", "Sends the report", 7));
    assert_eq!((report.schedules[0].as_str(), report.zone.as_str()), ("30 6 * * 1-5", "Asia/Tokyo"));
    for part in ["the task shop.report", "its args are left out: [2]"] {
        assert!(report.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", report.notes);
    }
    assert_eq!((monday.schedules[0].as_str(), monday.day_match), ("0 */6 1-7 * 1", windlass_schedule::DayMatch::And));
    assert_eq!(monday.settings["cronjob.suspend"], "true");
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for ((name, why), (expected, part)) in refused.iter().zip([
        ("often", "counts from the last run"),
        ("night", "the clocks skip"),
        ("once", "it runs once"),
        ("lost", "9 is not in the file"),
    ]) {
        assert!(*name == expected && why.contains(part), "{name} {why}");
    }
    assert_eq!(refused.len(), 4);
    assert!(read("[]").refused[0].why.contains("it has no"));
}
