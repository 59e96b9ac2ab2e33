//! That every source is read by its own reader.

use chrono::DateTime;
use clap::Parser;

use super::{Command, preview};
use crate::options::Format;
use crate::screen::Screen;

#[derive(Parser)]
struct Words {
    #[command(subcommand)]
    command: Command,
}

/// What a command says about a file of a name, and whether it fails.
fn said(words: &[&str], file: &str, text: &str) -> (String, Option<String>) {
    let folder = std::env::temp_dir().join(format!(
        "windlass-import-{}-{}",
        std::process::id(),
        words.join("-").replace([' ', '/'], "-")
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(file);
    std::fs::write(&path, text).unwrap();
    let mut all = vec!["import", words[0], path.to_str().unwrap()];
    all.extend(&words[1..]);
    all.extend(["--time-zone", "Etc/UTC"]);
    let command = Words::try_parse_from(all).unwrap_or_else(|error| panic!("{error}")).command;
    assert!(!command.applies());
    let mut screen = Screen::of(Format::Table, false, DateTime::UNIX_EPOCH);
    let failure = preview(&command, &mut screen).err().map(|failure| failure.to_string());
    std::fs::remove_dir_all(&folder).unwrap();
    (screen.written().to_owned(), failure)
}

/// The words, the name of the file, its text, and the row of its job.
const SOURCES: &[(&[&str], &str, &str, &str)] = &[
    (&["crontab"], "crontab", "0 6 * * 1 /bin/a\n", "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\t/bin/a"),
    (
        &["kubernetes"],
        "a.yaml",
        "kind: CronJob\nmetadata: {name: a}\nspec: {schedule: '0 6 * * 1', jobTemplate: {spec: {template: {spec: {containers: [{image: b}]}}}}}\n",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\tb:latest",
    ),
    (
        &["github"],
        "a.yml",
        "on:\n  schedule:\n    - cron: '0 6 * * 1'\n",
        "3\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["gitlab"],
        "a.json",
        "[{\"description\": \"a\", \"cron\": \"0 6 * * 1\", \"active\": true}]",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["jenkins", "--job", "folder/a"],
        "config.xml",
        "<project>\n<triggers><hudson.triggers.TimerTrigger><spec>0 6 * * 1</spec></hudson.triggers.TimerTrigger></triggers></project>",
        "2\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["nomad"],
        "a.json",
        "{\"ID\": \"a\", \"Periodic\": {\"Spec\": \"0 6 * * 1\"}, \"TaskGroups\": [{\"Tasks\": [{\"Driver\": \"exec\", \"Config\": {\"command\": \"/bin/a\"}}]}]}",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\t/bin/a",
    ),
    (
        &["eventbridge"],
        "a.json",
        "{\"Name\": \"a\", \"ScheduleExpression\": \"cron(0 6 ? * 2 *)\"}",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["quartz"],
        "quartz_data.xml",
        "<a><schedule><trigger><cron><name>b</name><job-name>a</job-name><cron-expression>0 0 6 ? * 2</cron-expression></cron></trigger></schedule></a>",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["spring"],
        "A.java",
        "class A { @Scheduled(cron = \"0 0 6 * * 1\") void b() {} }",
        "1\tjob\tA.b\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
    (
        &["dkron"],
        "a.json",
        "[{\"name\": \"a\", \"schedule\": \"0 0 6 * * 1\", \"executor\": \"shell\", \"executor_config\": {\"command\": \"/bin/a\"}}]",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\t/bin/a",
    ),
    (
        &["temporal"],
        "a.json",
        "{\"schedule\": {\"spec\": {\"interval\": [{\"interval\": \"3600s\"}]}}}",
        "1\tjob\ta\t0 * * * * (Etc/UTC)\tno command; give --command",
    ),
    (
        &["rundeck"],
        "a.yaml",
        "- name: a\n  schedule: {crontab: '0 0 6 ? * 2 *'}\n  sequence: {commands: [{exec: /bin/a}]}\n",
        "1\tjob\ta\t0 6 * * 1 (Etc/UTC)\t/bin/a",
    ),
    (
        &["celery"],
        "a.json",
        "[{\"model\": \"django_celery_beat.crontabschedule\", \"pk\": 1, \"fields\": {\"minute\": \"0\", \"hour\": \"6\", \"day_of_week\": \"1\"}},\n{\"model\": \"django_celery_beat.periodictask\", \"fields\": {\"name\": \"a\", \"crontab\": 1}}]",
        "2\tjob\ta\t0 6 * * 1 (Etc/UTC)\tno command; give --command",
    ),
];

#[test]
fn every_source_has_its_reader() {
    for (words, file, text, row) in SOURCES {
        let (told, failure) = said(words, file, text);
        assert!(told.lines().any(|line| line == *row) && failure.is_none(), "{words:?}: {told} {failure:?}");
        // A file of something else is refused, and not passed over.
        if words[0] != "crontab" {
            let (told, failure) = said(words, file, "nothing: [of, the, kind]\n");
            assert!(
                told.contains("\trefused\t") && failure.as_deref() == Some("1 refused, 0 failed"),
                "{words:?}: {told}"
            );
        }
    }
}

#[test]
fn a_command_is_given_to_jobs_that_have_none() {
    let workflow = "on:\n  schedule:\n    - cron: '0 6 * * 1'\n";
    let (told, failure) = said(&["github", "--command", "make all"], "a.yml", workflow);
    assert!(told.contains("1 (Etc/UTC)\tmake all\n") && failure.is_none(), "{told}");
    let (told, _) = said(&["crontab", "--command", "make all"], "crontab", "0 6 * * 1 /bin/a\n");
    assert!(told.contains("1 (Etc/UTC)\t/bin/a\n"), "{told}");
}

#[test]
fn an_expression_needs_no_file() {
    let of = |dialect: &str| {
        Words::try_parse_from(["import", "expression", "0 6 * * 7", "--dialect", dialect, "--time-zone", "Etc/UTC"])
    };
    let mut screen = Screen::of(Format::Table, false, DateTime::UNIX_EPOCH);
    preview(&of("cronie").unwrap_or_else(|error| panic!("{error}")).command, &mut screen).unwrap();
    assert!(screen.written().starts_with("schedule\t0 6 * * 0\n"), "{}", screen.written());
    let refused = preview(&of("kubernetes").unwrap_or_else(|error| panic!("{error}")).command, &mut screen);
    assert!(refused.unwrap_err().to_string().contains("7 is not a day of week"));
    assert!(of("elsewhere").is_err());
}
