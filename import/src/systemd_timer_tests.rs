//! Tests of reading timers.

use super::read_systemd_timer;

const SERVICE: &str = r#"
[Unit]
Description=Prune old reports

[Service]
Type=oneshot
User=reports
WorkingDirectory=/srv/reports
Environment="LEVEL=2" NAME='two words'
TimeoutStartSec=1h 30min
ExecStart=/usr/bin/prune --keep 30 \
  "--in=/srv/old reports"
"#;

#[test]
fn a_timer_and_its_service_become_a_job() {
    let timer = "[Timer]\n# At night, and at noon\nOnCalendar=Mon..Fri 02:30\nOnCalendar=Sat 12:00\nPersistent=true\nRandomizedDelaySec=5min\nOnBootSec=10min\n";
    let found = read_systemd_timer("prune.timer", timer, SERVICE, "Europe/Madrid");
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.name.as_str(), job.description.as_str()), ("prune", "Prune old reports"));
    assert_eq!(job.schedules, ["30 2 * * 1-5", "0 12 * * 6"]);
    assert_eq!(
        (job.zone.as_str(), job.clock_changes),
        ("Europe/Madrid", windlass_schedule::ClockChangeRules::default())
    );
    assert_eq!(job.command, ["/usr/bin/prune", "--keep", "30", "--in=/srv/old reports"]);
    assert_eq!((job.environment["LEVEL"].as_str(), job.environment["NAME"].as_str()), ("2", "two words"));
    assert_eq!((job.user.as_deref(), job.max_duration_seconds), (Some("reports"), Some(5400)));
    for (key, value) in [
        ("cronjob.missed_runs", "\"latest\""),
        ("cronjob.jitter_seconds", "300"),
        ("process.working_folder", "\"/srv/reports\""),
        ("process.user", "\"reports\""),
    ] {
        assert_eq!(job.settings[key], value, "{key}");
    }
    assert_eq!((found.refused[0].line, found.refused[0].text.as_str()), (7, "OnBootSec=10min"));
    assert_eq!((job.environment["USER"].as_str(), job.environment["LOGNAME"].as_str()), ("reports", "reports"));
    for part in ["it runs as reports (process.user)", "not the home of reports"] {
        assert!(job.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", job.notes);
    }
    assert!(!job.notes.iter().any(|note| note.contains("left out")), "{:?}", job.notes);
}

#[test]
fn what_is_left_out_is_said() {
    let timer =
        "[Unit]\nConditionACPower=true\n[Timer]\nOnCalendar=daily\nWakeSystem=yes\n[Install]\nWantedBy=timers.target\n";
    let service = "[Unit]\nAfter=network.target\nOnFailure=mail.service\n[Service]\nType=oneshot\nUser=1000\nGroup=web\n\
                   MemoryMax=\nNice=5\nWorkingDirectory=~\nEnvironmentFile=/a\nEnvironmentFile=-/b\nExecStart=/bin/a\n";
    let found = read_systemd_timer("a.timer", timer, service, "Etc/UTC");
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    let left_out = "these settings of its units are left out: ConditionACPower, Group, Nice, OnFailure, WakeSystem";
    for note in [left_out, "its WorkingDirectory=~ is left out", "variables of /a", "variables of -/b"] {
        assert!(job.notes.iter().any(|other| other.contains(note)), "{note}: {:?}", job.notes);
    }
    let settings = (job.settings["process.user"].as_str(), job.settings.get("process.working_folder"));
    assert_eq!(settings, ("\"1000\"", None));
    assert!(job.environment.is_empty(), "a number is no name: {:?}", job.environment);
    for (user, note) in [("", "it names no User"), ("User=%i\n", "its User=%i is left out")] {
        let service = service.replace("User=1000\n", user);
        let found = read_systemd_timer("a.timer", timer, &service, "Etc/UTC");
        let job = &found.jobs[0];
        assert!(job.user.is_none() && job.notes.iter().any(|other| other.contains(note)), "{note}: {:?}", job.notes);
    }
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let service = |command: &str| format!("[Service]\n{command}\n");
    for (timer, service, why) in [
        ("[Timer]\nOnUnitActiveSec=1h\n", SERVICE.to_owned(), "it has no OnCalendar"),
        ("[Timer]\nOnCalendar=Fri..Mon\n", SERVICE.to_owned(), "systemd \"Fri..Mon\": a range of days that wraps"),
        ("[Timer]\nOnCalendar=daily\nOnCalendar=12:00 Asia/Tokyo\n", SERVICE.to_owned(), "one time zone"),
        ("[Timer]\nOnCalendar=daily\n", service("User=a"), "no ExecStart"),
        ("[Timer]\nOnCalendar=daily\n", service("ExecStart=/bin/a %i"), "specifiers such as %i"),
        ("[Timer]\nOnCalendar=daily\nRandomizedDelaySec=soon\n", service("ExecStart=/bin/a"), "not a span of time"),
    ] {
        let found = read_systemd_timer("a.timer", timer, &service, "Etc/UTC");
        assert!(found.jobs.is_empty(), "{found:?}");
        assert!(found.refused.iter().any(|refused| refused.why.contains(why)), "{why}: {:?}", found.refused);
    }
    let several = read_systemd_timer(
        "a",
        "[Timer]\nOnCalendar=\nOnCalendar=daily\n",
        &service("ExecStart=-/bin/a x\nExecStart=/bin/b $HOME"),
        "Etc/UTC",
    );
    assert_eq!(several.jobs[0].command, ["/bin/sh", "-c", "/bin/a x && /bin/b $HOME"]);
    assert_eq!(several.jobs[0].notes.iter().filter(|note| note.starts_with("systemd ")).count(), 3);
    assert_eq!(several.jobs[0].settings["cronjob.missed_runs"], "\"none\"");
}
