//! Tests of reading crontab files.

use super::{CrontabDialect, CrontabForm, read_crontab};
use crate::imported::{Imported, ImportedJob};

const FILE: &str = r#"
# Keep this file in order.

SHELL=/bin/bash
PATH=/usr/local/bin:/usr/bin:/bin
MAILTO="ops@example.com"

# The nightly backup
30 2 * * *	/opt/backup.sh --all
*/5 8-17 * * mon-fri  curl -s "https://shop.example/health?at=$(date +\%s)" | grep -q ok
0 6 1 * *  mail -s report boss%Dear boss,%all is well 100\%.
MAILTO=
DB_URL = 'postgres://localhost/shop'
0 0 */2 * 1 flock -n /tmp/x /opt/clean --old
@daily /opt/backup.sh
@reboot /opt/agent
5/15 * * * * /opt/wrong
60 * * * * /opt/never
0 4 * * *
"#;

fn job<'a>(found: &'a Imported, name: &str) -> &'a ImportedJob {
    found.jobs.iter().find(|job| job.name == name).unwrap_or_else(|| panic!("{name}: {:?}", found.jobs))
}

#[test]
fn a_file_of_a_user() {
    let found = read_crontab(FILE, CrontabDialect::Vixie, CrontabForm::User, "Etc/UTC");
    let names: Vec<&str> = found.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["backup.sh", "curl", "mail", "clean", "backup.sh-2", "agent"]);
    let agent = job(&found, "agent");
    assert_eq!((agent.schedules.as_slice(), agent.line), (&["@reboot".to_owned()][..], 16));
    assert!(agent.notes.iter().any(|note| note.contains("start of the server")), "{:?}", agent.notes);
    let backup = job(&found, "backup.sh");
    assert_eq!(
        (backup.line, backup.schedules.as_slice(), backup.zone.as_str()),
        (9, &["30 2 * * *".to_owned()][..], "Etc/UTC")
    );
    assert_eq!(backup.command, ["/bin/bash", "-c", "/opt/backup.sh --all"]);
    assert_eq!(backup.description, "The nightly backup");
    assert_eq!(backup.settings["process.path"], "\"/usr/local/bin:/usr/bin:/bin\"");
    assert!(backup.notes.iter().any(|note| note.contains("ops@example.com")), "{:?}", backup.notes);
    let health = job(&found, "curl");
    assert_eq!(health.command[2], "curl -s \"https://shop.example/health?at=$(date +%s)\" | grep -q ok");
    assert_eq!(health.schedules, ["*/5 8-17 * * 1-5"]);
    let mail = job(&found, "mail");
    assert_eq!(mail.command[2], "{ mail -s report boss\n} <<'INPUT0'\nDear boss,\nall is well 100%.\nINPUT0");
    let clean = job(&found, "clean");
    assert_eq!(clean.day_match, windlass_schedule::DayMatch::And);
    assert_eq!(clean.environment["DB_URL"], "postgres://localhost/shop");
    assert!(!clean.notes.iter().any(|note| note.contains("mails")), "{:?}", clean.notes);
    assert!(!backup.environment.contains_key("DB_URL"), "a variable holds for the lines below it");
    let refused: Vec<(usize, &str)> =
        found.refused.iter().map(|refused| (refused.line, refused.why.as_str())).collect();
    assert_eq!(refused.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [17, 18, 19]);
    for ((_, why), part) in
        refused.iter().zip(["a step after a single value", "60 is not a minute", "five fields and a command"])
    {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn a_file_of_the_system_names_users() {
    let text = "17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly\n@weekly www-data php /srv/app/cron.php\n5 4 * * * root\n";
    let found = read_crontab(text, CrontabDialect::Cronie, CrontabForm::System, "Europe/Berlin");
    let hourly = job(&found, "run-parts");
    assert_eq!(hourly.user.as_deref(), Some("root"));
    assert_eq!(hourly.command[2], "cd / && run-parts --report /etc/cron.hourly");
    assert_eq!(hourly.clock_changes.gap, Some(windlass_schedule::GapRule::Skip));
    let weekly = job(&found, "cron.php");
    assert_eq!((weekly.user.as_deref(), weekly.schedules[0].as_str()), (Some("www-data"), "0 0 * * 0"));
    assert_eq!(found.refused[0].why, "a user and a command are expected after the schedule");
    for (job, user) in [(hourly, "root"), (weekly, "www-data")] {
        assert_eq!(job.settings["process.user"], format!("\"{user}\""));
        assert_eq!((job.environment["LOGNAME"].as_str(), job.environment["USER"].as_str()), (user, user));
        assert!(job.notes.iter().any(|note| note.contains(&format!("it runs as {user} (process.user)"))), "{job:?}");
    }
}

#[test]
fn a_file_says_once_where_its_commands_begin() {
    let lines = "0 1 * * * a\n0 2 * * * b\nHOME=/srv\n0 3 * * * c\n";
    let found = read_crontab(lines, CrontabDialect::Vixie, CrontabForm::User, "Etc/UTC");
    let says = |job: &ImportedJob, part: &str| job.notes.iter().any(|note| note.contains(part));
    for (job, expected) in found.jobs.iter().zip([true, false, false]) {
        let told = (says(job, "owner of the file, and"), says(job, "the home of its user"));
        assert_eq!(told, (expected, expected), "{job:?}");
        assert!(!job.settings.contains_key("process.user"), "{job:?}");
    }
    let home = "HOME=/srv\n0 1 * * * root a\n0 2 * * * root b\n0 3 * * * nobody c\n";
    let found = read_crontab(home, CrontabDialect::Cronie, CrontabForm::System, "Etc/UTC");
    let told: Vec<bool> = found.jobs.iter().map(|job| says(job, "it runs as ")).collect();
    assert_eq!(told, [true, false, true]);
    assert!(!found.jobs.iter().any(|job| says(job, "the home of its user")), "{:?}", found.jobs);
}

#[test]
fn dialects_read_files_differently() {
    let text = "CRON_TZ=Asia/Tokyo\nRANDOM_DELAY=10\n0 3 * * * echo 100% sure\n-0 4 * * * quiet\n0~30 5 * * * drawn\n";
    let cronie = read_crontab(text, CrontabDialect::Cronie, CrontabForm::User, "Etc/UTC");
    let echo = job(&cronie, "echo");
    assert_eq!((echo.zone.as_str(), echo.settings["cronjob.jitter_seconds"].as_str()), ("Asia/Tokyo", "600"));
    assert!(echo.command[2].contains("<<"));
    assert_eq!(job(&cronie, "quiet").schedules, ["0 4 * * *"]);
    assert!(cronie.refused[0].why.contains("H(a-b)"), "{:?}", cronie.refused);
    let input = read_crontab("0 6 1 * * cat%Dear boss\n", CrontabDialect::Cronie, CrontabForm::User, "Etc/UTC");
    assert_eq!(input.jobs[0].name, "cat");
    let vixie = read_crontab(text, CrontabDialect::Vixie, CrontabForm::User, "Etc/UTC");
    assert_eq!(job(&vixie, "echo").zone, "Etc/UTC");
    assert_eq!(vixie.refused.len(), 2);
    let busybox = read_crontab("0 0 */2 * * echo 100% sure\n", CrontabDialect::Busybox, CrontabForm::User, "Etc/UTC");
    assert_eq!(busybox.jobs[0].command[2], "echo 100% sure");
    assert_eq!(busybox.jobs[0].schedules, ["0 0 2-30/2 * *"]);
    let fcron = "!serial(true)\n&dayor 0 0 1 * 1 /opt/a\n%daily * 2-4 /opt/b\n0 0 1 * 1 /opt/c\n@ 30 /opt/d\n";
    let fcron = read_crontab(fcron, CrontabDialect::Fcron, CrontabForm::User, "Etc/UTC");
    assert_eq!(fcron.jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(fcron.jobs[0].day_match, windlass_schedule::DayMatch::Or);
    assert_eq!(fcron.jobs[1].day_match, windlass_schedule::DayMatch::And);
    assert_eq!(fcron.refused.iter().map(|refused| refused.line).collect::<Vec<_>>(), [1, 3, 5]);
}
