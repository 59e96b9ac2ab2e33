//! Tests of reading source code with `@Scheduled`.

use super::read_spring;
use crate::imported::{Imported, Source};

const JAVA: &str = r##"package com.example;

import org.springframework.scheduling.annotation.Scheduled;

/** A class with {@code @Scheduled(cron = "0 0 1 * * *")} in its comment. */
@Component
public class Reports {
    static final String NIGHT = "0 0 3 * * *";

    // @Scheduled(cron = "0 0 2 * * *")
    @Scheduled(cron = "0 15 6 1-7 * MON", zone = "Asia/Tokyo")
    @SchedulerLock(name = "report", lockAtMostFor = "PT5M")
    public void report() {
        log("@Scheduled(cron = \"x\")");
    }

    @Scheduled(cron = "${reports.cron:0 0 12 * * *}")
    Map<String, Integer> count() { return null; }

    @Schedules({@Scheduled(cron = "0 30 8 * * *"), @Scheduled(cron = "0 30 18 " + "* * *")})
    void twice() {}

    @Scheduled(fixedRate = 5, timeUnit = TimeUnit.MINUTES)
    void often() {}

    @Scheduled(cron = NIGHT)
    void constant() {}

    @Scheduled(cron = "${reports.night}")
    void property() {}

    @Scheduled(cron = "-")
    void off() {}

    @Scheduled(cron = "*/30 * * * * *")
    void seconds() {}

    @Scheduled(cron = "#{@settings.cron}")
    void computed() {}
}
"##;

fn read(name: &str, text: &str) -> Imported {
    read_spring(&Source { name, text, zone: "Etc/UTC" })
}

#[test]
fn methods_become_jobs() {
    let found = read("Reports.java", JAVA);
    let all: Vec<(&str, usize, &str, &str)> = found
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.line, job.schedules[0].as_str(), job.zone.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            ("Reports.report", 11, "15 6 1-7 * 1", "Asia/Tokyo"),
            ("Reports.count", 17, "0 12 * * *", "Etc/UTC"),
            ("Reports.twice", 20, "30 8 * * *", "Etc/UTC"),
            ("Reports.twice-2", 20, "30 18 * * *", "Etc/UTC"),
        ]
    );
    assert_eq!(found.jobs[0].day_match, windlass_schedule::DayMatch::And);
    assert_eq!(found.jobs[0].settings["cronjob.missed_runs"], "\"none\"");
    assert!(found.jobs[1].notes.iter().any(|note| note.contains("reports.cron")), "{:?}", found.jobs[1].notes);
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for ((name, why), (expected, part)) in refused.iter().zip([
        ("Reports.often", "fixedRate: it counts from the start"),
        ("Reports.constant", "it is a constant"),
        ("Reports.property", "elsewhere"),
        ("Reports.off", "switched off"),
        ("Reports.seconds", "resolution of one minute"),
        ("Reports.computed", "elsewhere"),
    ]) {
        assert!(*name == expected && why.contains(part), "{name} {why}");
    }
    assert_eq!(refused.len(), 6);
}

#[test]
fn kotlin_and_other_files() {
    let kotlin = r#"
class Reports(private val log: Log) {
    @Scheduled(cron = "\${reports.cron:0 0 6 * * *}", zone = "Europe/Madrid")
    suspend fun report() = run { Scheduled() }

    @Schedules(Scheduled(cron = "@daily"), Scheduled(cron = """0 0 18 * * *"""))
    fun twice() {}
}
"#;
    let found = read("Reports.kt", kotlin);
    let all: Vec<(&str, &str)> = found.jobs.iter().map(|job| (job.name.as_str(), job.schedules[0].as_str())).collect();
    assert_eq!(
        all,
        [("Reports.report", "0 6 * * *"), ("Reports.twice", "0 0 * * *"), ("Reports.twice-2", "0 18 * * *")]
    );
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    assert!(read("A.java", "class A {}").refused[0].why.contains("no @Scheduled"));
    let quarkus = "import io.quarkus.scheduler.Scheduled;\nclass A { @Scheduled(cron = \"0 0 6 * * ?\") void a() {} }";
    assert!(read("A.java", quarkus).refused[0].why.contains("Quarkus"));
    // Code that is cut off is no reason to fail.
    assert!(read("A.java", "@Scheduled(cron = \"0 0 6 * * *").jobs.len() == 1);
    assert!(read("A.java", "@Scheduled(").refused[0].why.contains("it has no cron"));
}
