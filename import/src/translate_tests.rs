//! What programs do with expressions, and that a translation does the same or is refused by name.

use chrono::{DateTime, Utc};
use windlass_schedule::{DayMatch, parse_timezone};

use super::translate;
use crate::translation::{Given, Translation};

fn given<'a>(dialect: &'a str, expression: &'a str, zone: &'a str) -> Given<'a> {
    Given { dialect, expression, zone, job: Some("team/nightly"), ..Given::default() }
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn times(found: &Translation, after: &str, count: usize) -> Vec<String> {
    let (schedule, zone) = (found.schedule().unwrap(), parse_timezone(&found.zone).unwrap());
    let next = |time| schedule.next_by(time, &zone, found.clock_changes);
    let all = std::iter::successors(next(at(after)), |time| next(*time)).take(count);
    all.map(|time| time.with_timezone(&zone).format("%y-%m-%d %H:%M%:z").to_string()).collect()
}

/// A dialect, an expression, and the next times after the beginning of May 2027, a Saturday, in UTC.
const IN_UTC: &[(&str, &str, &[&str])] = &[
    ("vixie-cron", "10 4 */3 * 2", &["27-05-04 04:10", "27-05-25 04:10", "27-06-01 04:10"]),
    ("cronie", "10 4 3,* * 2", &["27-05-01 04:10", "27-05-02 04:10", "27-05-03 04:10"]),
    ("cronie", "10 4 *,3 * 2", &["27-05-04 04:10", "27-05-11 04:10", "27-05-18 04:10"]),
    ("vixie-cron", "10 4 3 * 7", &["27-05-02 04:10", "27-05-03 04:10", "27-05-09 04:10"]),
    ("vixie-cron", "*/99 4 1 JUN *", &["27-06-01 04:00", "28-06-01 04:00", "29-06-01 04:00"]),
    ("vixie-cron", "@weekly", &["27-05-02 00:00", "27-05-09 00:00", "27-05-16 00:00"]),
    ("busybox-crond", "30 3 */10 * *", &["27-05-10 03:30", "27-05-20 03:30", "27-05-30 03:30"]),
    ("busybox-crond", "20/10 23-1 * * *", &["27-05-01 00:20", "27-05-01 01:20", "27-05-01 23:20"]),
    ("busybox-crond", "0 12 */31 * 3", &["27-05-05 12:00", "27-05-12 12:00", "27-05-19 12:00"]),
    ("bcron", "7/20 6 2-8 * 0", &["27-05-02 06:07", "27-06-06 06:07", "27-07-04 06:07"]),
    ("fcron", "0 6 */7 * *", &["27-05-07 06:00", "27-05-14 06:00", "27-05-21 06:00"]),
    ("fcron", "&dayor 0 6 15 * 5", &["27-05-07 06:00", "27-05-14 06:00", "27-05-15 06:00"]),
    ("fcron", "0 6 1-7 * fri-mon", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("mcron", "0 6 2,* * 5", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("kubernetes", "0 6 */2 * 5", &["27-05-01 06:00", "27-05-03 06:00", "27-05-05 06:00"]),
    ("kubernetes", "0 6 */1 * 5", &["27-05-07 06:00", "27-05-14 06:00", "27-05-21 06:00"]),
    ("robfig", "TZ=UTC 3/25 * * * *", &["27-05-01 00:03", "27-05-01 00:28", "27-05-01 00:53"]),
    ("dkron", "0 15 6 ? * 6", &["27-05-01 06:15", "27-05-08 06:15", "27-05-15 06:15"]),
    ("netresearch-go-cron", "58-1 5 8-14 * 5", &["27-05-14 05:00", "27-05-14 05:01", "27-05-14 05:58"]),
    ("go-quartz", "0 0 6 ? * L", &["27-05-29 06:00", "27-06-26 06:00", "27-07-31 06:00"]),
    ("go-quartz", "0 0 6 ? * 5L", &["27-05-27 06:00", "27-06-24 06:00", "27-07-29 06:00"]),
    ("gronx", "0 6 */3 * 7", &["27-05-16 06:00", "27-06-13 06:00", "27-07-04 06:00"]),
    ("nomad-cronexpr", "0 6 * * 4-7", &["27-05-01 06:00", "27-05-06 06:00", "27-05-07 06:00"]),
    ("nomad-cronexpr", "0 6 */1 * SUNDAY", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("temporal", "0 6 * * 3#2", &["27-05-05 06:00", "27-05-12 06:00", "27-05-19 06:00"]),
    ("quartz", "0 0 6 ? * L", &["27-05-01 06:00", "27-05-08 06:00", "27-05-15 06:00"]),
    ("quartz", "0 0 6 L-2W * ?", &["27-05-28 06:00", "27-06-28 06:00", "27-07-29 06:00"]),
    ("quartz", "0 40-5/15 6 ? * 7-2 *", &["27-05-01 06:40", "27-05-01 06:55", "27-05-02 06:40"]),
    ("cron-utils-quartz", "0 0 20-4 ? * *", &["27-05-01 20:00", "27-05-02 20:00", "27-05-03 20:00"]),
    ("cron-utils-unix", "0 6 3,* * 2", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("spring", "0 0 6 1-7 * 7", &["27-05-02 06:00", "27-06-06 06:00", "27-07-04 06:00"]),
    ("spring", "0 0 6 ? * 2#1", &["27-05-04 06:00", "27-06-01 06:00", "27-07-06 06:00"]),
    ("jenkins", "15 6 1-10 * 1", &["27-05-03 06:15", "27-05-10 06:15", "27-06-07 06:15"]),
    ("js-cron", "0 6 1-31 * 5", &["27-05-07 06:00", "27-05-14 06:00", "27-05-21 06:00"]),
    ("js-cron-parser", "0 6 */1 * 5", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("js-cron-parser", "0 6 3,L * *", &["27-05-03 06:00", "27-05-31 06:00", "27-06-03 06:00"]),
    ("js-cron-schedule", "9/15 6 * * *", &["27-05-01 06:09", "27-05-02 06:09", "27-05-03 06:09"]),
    ("js-croner", "0 6 15W * *", &["27-05-14 06:00", "27-06-15 06:00", "27-07-15 06:00"]),
    ("js-cronosjs", "0 6 */1 * 5", &["27-05-07 06:00", "27-05-14 06:00", "27-05-21 06:00"]),
    ("js-node-cron", "0 0 6 1-7 * SAT-MON", &["27-05-01 06:00", "27-05-02 06:00", "27-05-03 06:00"]),
    ("apscheduler", "0 6 1-7 * 0", &["27-05-03 06:00", "27-06-07 06:00", "27-07-05 06:00"]),
    ("celery", "0 6 1-7 * saturday-sunday", &["27-05-01 06:00", "27-05-02 06:00", "27-06-05 06:00"]),
    ("croniter", "0 6 3,* * 2", &["27-05-04 06:00", "27-05-11 06:00", "27-05-18 06:00"]),
    ("croniter", "0 6 * * L2", &["27-05-25 06:00", "27-06-29 06:00", "27-07-27 06:00"]),
    ("cronsim", "0 6 */3 * 2", &["27-05-04 06:00", "27-05-25 06:00", "27-06-01 06:00"]),
    ("cronsim", "0 6 * * 1,2#2", &["27-05-03 06:00", "27-05-10 06:00", "27-05-11 06:00"]),
    ("eventbridge", "15 10 ? * 6L *", &["27-05-28 10:15", "27-06-25 10:15", "27-07-30 10:15"]),
    ("aws-js", "0 6 3W * ? *", &["27-05-03 06:00", "27-06-03 06:00", "27-07-02 06:00"]),
    ("fugit", "0 6 3 * 2", &["27-05-03 06:00", "27-05-04 06:00", "27-05-11 06:00"]),
    ("php-cron-expression", "0 6 * * 2#3", &["27-05-18 06:00", "27-06-15 06:00", "27-07-20 06:00"]),
    ("rust-cron", "0 0 6 1-7 * 1 *", &["27-05-02 06:00", "27-06-06 06:00", "27-07-04 06:00"]),
    ("rust-cron-parser", "0 6 1-7 * 2", &["27-05-04 06:00", "27-06-01 06:00", "27-07-06 06:00"]),
    ("rust-cronexpr", "0 6 */3 * 2", &["27-05-04 06:00", "27-05-25 06:00", "27-06-01 06:00"]),
    ("saffron", "0 6 13 * 6", &["27-05-07 06:00", "27-05-13 06:00", "27-05-14 06:00"]),
    ("systemd", "Sat,Sun *-*-01..10 6:30", &["27-05-01 06:30", "27-05-02 06:30", "27-05-08 06:30"]),
    ("systemd", "*-*~01..03", &["27-05-29 00:00", "27-05-30 00:00", "27-05-31 00:00"]),
    ("systemd", "weekly", &["27-05-03 00:00", "27-05-10 00:00", "27-05-17 00:00"]),
    ("systemd", "*:5/20", &["27-05-01 00:05", "27-05-01 00:25", "27-05-01 00:45"]),
];

#[test]
fn translations_have_the_times_of_the_program() {
    for (dialect, expression, expected) in IN_UTC {
        let found = translate(&given(dialect, expression, "UTC")).unwrap_or_else(|refusal| panic!("{refusal}"));
        let after = "2027-05-01T00:00:00Z";
        let times: Vec<String> = times(&found, after, expected.len());
        let times: Vec<&str> = times.iter().map(|time| time.trim_end_matches("+00:00")).collect();
        assert_eq!(times, *expected, "{dialect} {expression} is {}", found.text());
    }
}

/// A dialect, an expression, a zone, a time, and the next times.
const AT_CHANGES: &[(&str, &str, &str, &str, &[&str])] = &[
    (
        "vixie-cron",
        "15 2 * * *",
        "Europe/Madrid",
        "2028-03-25T12:00:00Z",
        &["28-03-26 03:00+02:00", "28-03-27 02:15+02:00"],
    ),
    ("vixie-cron", "*/20 2 * * *", "Europe/Madrid", "2028-03-25T12:00:00Z", &["28-03-27 02:00+02:00"]),
    (
        "cronie",
        "45 1 * * *",
        "America/Chicago",
        "2028-11-04T12:00:00Z",
        &["28-11-05 01:45-05:00", "28-11-06 01:45-06:00"],
    ),
    ("kubernetes", "15 2 * * *", "Europe/Madrid", "2028-03-25T12:00:00Z", &["28-03-27 02:15+02:00"]),
    (
        "kubernetes",
        "45 1 * * *",
        "America/Chicago",
        "2028-11-04T12:00:00Z",
        &["28-11-05 01:45-05:00", "28-11-05 01:45-06:00"],
    ),
    (
        "netresearch-go-cron",
        "15 2 * * *",
        "America/Chicago",
        "2028-03-11T18:00:00Z",
        &["28-03-12 03:15-05:00", "28-03-13 02:15-05:00"],
    ),
    (
        "netresearch-go-cron",
        "*/20 2 * * *",
        "Europe/Madrid",
        "2028-03-25T12:00:00Z",
        &["28-03-26 03:00+02:00", "28-03-27 02:00+02:00"],
    ),
    ("apscheduler", "15 2 * * *", "Europe/Madrid", "2028-03-25T12:00:00Z", &["28-03-26 03:15+02:00"]),
    (
        "go-quartz",
        "0 15 2 * * ?",
        "Europe/Madrid",
        "2028-10-28T12:00:00Z",
        &["28-10-29 02:15+01:00", "28-10-30 02:15+01:00"],
    ),
    (
        "gronx",
        "15 1 * * *",
        "America/Chicago",
        "2028-11-04T12:00:00Z",
        &["28-11-05 01:15-05:00", "28-11-06 01:15-06:00"],
    ),
    (
        "nomad-cronexpr",
        "15 2 * * *",
        "Europe/Madrid",
        "2028-10-28T12:00:00Z",
        &["28-10-29 02:15+02:00", "28-10-29 02:15+01:00"],
    ),
    (
        "quartz",
        "0 15 2 * * ?",
        "Europe/Madrid",
        "2028-10-28T12:00:00Z",
        &["28-10-29 02:15+01:00", "28-10-30 02:15+01:00"],
    ),
    (
        "js-croner",
        "15 2 * * *",
        "Europe/Madrid",
        "2028-03-25T12:00:00Z",
        &["28-03-26 03:00+02:00", "28-03-27 02:15+02:00"],
    ),
    (
        "js-croner",
        "0,20 2 * * *",
        "Europe/Madrid",
        "2028-10-28T12:00:00Z",
        &["28-10-29 02:00+02:00", "28-10-29 02:20+02:00", "28-10-29 02:00+01:00"],
    ),
    (
        "js-cron-parser",
        "*/20 2 * * *",
        "Europe/Madrid",
        "2028-03-25T12:00:00Z",
        &["28-03-26 03:00+02:00", "28-03-26 03:20+02:00", "28-03-26 03:40+02:00"],
    ),
    (
        "js-cronosjs",
        "15 * * * *",
        "Europe/Madrid",
        "2028-03-26T00:10:00Z",
        &["28-03-26 01:15+01:00", "28-03-26 03:00+02:00", "28-03-26 03:15+02:00"],
    ),
    (
        "croniter",
        "0,20 2 * * *",
        "Europe/Madrid",
        "2028-03-25T12:00:00Z",
        &["28-03-26 03:00+02:00", "28-03-27 02:00+02:00"],
    ),
    (
        "cronsim",
        "0,20 2 * * *",
        "Europe/Madrid",
        "2028-10-28T12:00:00Z",
        &["28-10-29 02:00+02:00", "28-10-29 02:20+02:00", "28-10-30 02:00+01:00"],
    ),
    ("systemd", "02:15", "Europe/Madrid", "2028-10-28T12:00:00Z", &["28-10-29 02:15+02:00", "28-10-30 02:15+01:00"]),
];

#[test]
fn changes_of_the_clocks_are_those_of_the_program() {
    for (dialect, expression, zone, after, expected) in AT_CHANGES {
        let found = translate(&given(dialect, expression, zone)).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(times(&found, after, expected.len()), *expected, "{dialect} {expression} in {zone}: {found:?}");
    }
    // Away from the changes, no rule for them is needed.
    let found = translate(&given("spring", "0 0 9 * * ?", "Europe/Madrid")).unwrap();
    assert_eq!(found.clock_changes, windlass_schedule::ClockChangeRules::default());
}

#[test]
fn a_refusal_names_the_dialect_and_the_construct() {
    for (dialect, expression, zone, construct, why) in [
        ("elsewhere", "0 6 * * *", "UTC", "0 6 * * *", "not known"),
        ("vixie-cron", "0 6 * * *", "Mars/Olympus", "Mars/Olympus", "not an IANA time zone"),
        ("vixie-cron", "3/7 * * * *", "UTC", "3/7", "a step after a single value"),
        ("vixie-cron", "0 20-4 * * *", "UTC", "20-4", "never runs it"),
        ("robfig", "@reboot", "UTC", "@reboot", "no equivalent"),
        ("robfig", "@every 90s", "UTC", "@every 90s", "from the start of the process"),
        ("kubernetes", "0 6 * * 6-7", "UTC", "6-7", "7 is not a day of week"),
        ("kubernetes", "0 6 1 * *", "Africa/Cairo", "0 6 1 * *", "loses days whose midnight"),
        ("kubernetes", "0 2 * * *", "Australia/Lord_Howe", "0 2 * * *", "a part of an hour"),
        ("busybox-crond", "0 6 * * 7", "UTC", "7", "7 is not a day of week"),
        ("dcron", "0 6 2 * 3", "UTC", "2 and 3", "both days together"),
        ("dkron", "30 15 6 * * *", "UTC", "30 15 6 * * *", "resolution of one minute"),
        ("mcron", "0 6 * 4 *", "UTC", "4", "reads a month as the next one"),
        ("saffron", "0 6 * * SAT-MON", "UTC", "SAT-MON", "runs at other times"),
        ("go-quartz", "0 0 6 30 * ?", "UTC", "30", "into the next month"),
        ("go-quartz", "0 15 2 * * ?", "America/Chicago", "0 15 2 * * ?", "that the clocks skip"),
        ("quartz", "0 0 6 1 * 2", "UTC", "1 and 2", "cannot both be given"),
        ("quartz", "0 0 6 ? * 2 2031", "UTC", "2031", "no years"),
        ("quartz-2.5.0", "0 0 6 LW,L * ?", "UTC", "L", "not in the dialect"),
        ("php-cron-expression", "0 3 * * *", "Europe/Madrid", "0 3 * * *", "within hours of a change"),
        ("php-cron-expression", "*/75 * * * *", "UTC", "*/75", "at other times"),
        ("php-cron-expression", "0 6 LW * *", "UTC", "LW", "not those of any rule"),
        ("apscheduler", "0 6 * * 7", "UTC", "7", "7 is not a day of week"),
        ("spring", "0 15 2 * * ?", "Europe/Madrid", "0 15 2 * * ?", "that the clocks skip"),
        ("fcron", "&bootrun 0 6 * * *", "UTC", "&bootrun", "no equivalent"),
        ("jenkins", "3/7 * * * *", "UTC", "3/7", "a step after a single value"),
        ("jenkins", "H(5-70) * * * *", "UTC", "H(5-70)", "70 is not a minute"),
        ("js-cronosjs", "0 6 3,* * 2", "UTC", "3,*", "not known"),
        ("js-node-cron", "0 6 * * 1#6", "UTC", "1#6", "1 to 5"),
        ("systemd", "Sat..Mon", "UTC", "Sat..Mon", "refused by the program"),
        ("systemd", "2031-01-01", "UTC", "2031", "no years"),
        ("systemd", "*:*:30", "UTC", "30", "resolution of one minute"),
        ("systemd", "sometimes", "UTC", "sometimes", "not a day of the week"),
    ] {
        let refusal = translate(&given(dialect, expression, zone)).map(|found| found.text()).unwrap_err();
        assert_eq!((refusal.dialect.as_str(), refusal.construct.as_str()), (dialect, construct), "{refusal}");
        assert!(refusal.why.contains(why), "{refusal}");
    }
}

#[test]
fn jenkins_selects_values_by_the_name_of_the_job() {
    let text = |expression, job| {
        let given = Given { dialect: "jenkins", expression, zone: "UTC", job, ..Given::default() };
        translate(&given).map(|found| found.text())
    };
    // What Jenkins itself selects for this name.
    assert_eq!(text("H H * * *", Some("folder/job")), Ok("16 15 * * *".into()));
    assert_eq!(text("@midnight", Some("folder/job")), Ok("16 0 * * *".into()));
    assert_eq!(text("H/40 * * * *", Some("folder/job")), Ok("36 * * * *".into()));
    // The numbers of a second expression are the next ones.
    assert_eq!(text("H * * * *\nH(0-23) 5 * * *", Some("folder/job")), Ok("16 * * * * | 15 5 * * *".into()));
    assert!(text("H H * * *", None).unwrap_err().why.contains("full name of the job"));
    let several = "# At night\nTZ=Asia/Tokyo\n";
    assert!(text(several, None).is_err());
    assert_eq!(text("0 6 * * 1\n\n# and\n0 18 * * 5", None), Ok("0 6 * * 1 | 0 18 * * 5".into()));
    let given = Given { dialect: "jenkins", expression: "TZ=Asia/Tokyo\n0 6 * * *", zone: "UTC", ..Given::default() };
    assert_eq!(
        translate(&given).map(|found| (found.zone, found.expressions)),
        Ok(("Asia/Tokyo".into(), vec!["0 6 * * *".into()]))
    );
}

#[test]
fn notes_say_what_was_changed() {
    let found = translate(&given("vixie-cron", "15 2 */2 * 0", "Europe/Madrid")).unwrap();
    assert_eq!(found.day_match, DayMatch::And);
    for part in ["day_match is and", "dst_gap is set, as vixie-cron does", "dst_overlap is set"] {
        assert!(found.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", found.notes);
    }
    let busybox = translate(&given("busybox-crond", "0 6 */2 * *", "UTC")).unwrap();
    assert_eq!(busybox.notes.len(), 1);
    assert!(busybox.notes[0].contains("is \"0 6 2-30/2 * *\" here: at 06:00 on the 2nd, 4th"), "{:?}", busybox.notes);
    let same = translate(&given("kubernetes", "15 6 * * 1", "UTC")).unwrap();
    assert_eq!((same.text(), same.notes), ("15 6 * * 1".into(), Vec::new()));
}
