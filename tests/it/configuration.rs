//! The pages about settings, metrics and templates, held against the program.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::id::JobId;
use entity::run::{RunState, Trigger};
use entity::skipped_time::SkipReason;
use windlass::engine::template;
use windlass::observe::metrics::{JobSample, Metrics, QueueDepths};

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
const OPERATIONS: &str = include_str!("../../docs/operations.md");
const RULES: &str = include_str!("../../deploy/monitoring/alerts.yaml");
const DASHBOARD: &str = include_str!("../../deploy/monitoring/dashboard.json");
const WORKSPACES: &str = include_str!("../../docs/workspaces.md");
const METRICS: &str = include_str!("../../src/observe/metrics.rs");
const JOB_METRICS: &str = include_str!("../../src/observe/job_metrics.rs");

/// A flag as `--help` shows it.
#[derive(Debug, Default)]
struct Flag {
    variable: String,
    default: Option<String>,
    values: Vec<String>,
}

fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_windlass")).args(words).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn between<'a>(line: &'a str, begin: &str, end: char) -> Option<&'a str> {
    line.strip_prefix(begin).and_then(|rest| rest.split_once(end)).map(|(text, _)| text)
}

/// The flags of a help text by their names.
fn flags(help: &str) -> BTreeMap<String, Flag> {
    let mut flags: Vec<(String, Flag)> = Vec::new();
    for line in help.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("--") {
            let name = rest.split_whitespace().next().unwrap();
            flags.push((name.to_owned(), Flag::default()));
            continue;
        }
        let Some((_, flag)) = flags.last_mut() else { continue };
        if let Some(text) = between(line, "[env: ", ']') {
            flag.variable = text.split('=').next().unwrap().to_owned();
        } else if let Some(text) = between(line, "[default: ", ']') {
            flag.default = Some(text.to_owned());
        } else if let Some(text) = between(line, "[possible values: ", ']') {
            flag.values = text.split(", ").map(str::to_owned).collect();
        } else if let Some(text) = between(line, "- ", ':') {
            flag.values.push(text.to_owned());
        }
    }
    flags.into_iter().collect()
}

/// The cells of the rows of all tables whose first cell is one word of code, by that word.
fn rows(page: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut rows = BTreeMap::new();
    for line in page.lines() {
        let Some(line) = line.strip_prefix("| `").and_then(|rest| rest.strip_suffix(" |")) else { continue };
        let mut cells = line.split(" | ");
        let Some(name) = cells.next().and_then(|first| first.strip_suffix('`')) else { continue };
        assert!(rows.insert(name, cells.collect()).is_none(), "{name} has two rows");
    }
    rows
}

#[test]
fn the_table_of_flags_is_that_of_the_program() {
    let help = help(&["serve"]);
    let flags = flags(&help);
    assert!(flags.len() > 25, "{help}");
    let rows = rows(CONFIGURATION);
    for (name, flag) in &flags {
        let row = rows.get(format!("--{name}").as_str()).unwrap_or_else(|| panic!("--{name} is not in the page"));
        let &[variable, default, meaning] = row.as_slice() else { panic!("--{name}: {row:?}") };
        assert_eq!(variable, format!("`{}`", flag.variable), "--{name}");
        match &flag.default {
            Some(value) => assert_eq!(default, format!("`{value}`"), "--{name}"),
            // A value in the cell would be a default that the program does not have.
            None => assert!(!default.is_empty() && !default.ends_with('`'), "--{name}: {default}"),
        }
        for value in &flag.values {
            assert!(meaning.contains(&format!("`{value}`")), "--{name} does not name {value}");
        }
        assert!(meaning.len() > 15, "--{name} has no meaning");
    }
    let named = rows.keys().filter_map(|name| name.strip_prefix("--")).map(str::to_owned);
    assert_eq!(named.collect::<BTreeSet<_>>(), flags.into_keys().collect(), "the page and --help");
}

#[test]
fn the_table_of_commands_is_that_of_the_program() {
    let of = |words: &[&str]| -> Vec<String> {
        let text = help(words);
        let (_, list) = text.split_once("Commands:\n").unwrap();
        let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let mut commands = of(&[]);
    assert!(commands.len() > 3, "{commands:?}");
    commands.extend(of(&["token"]).into_iter().map(|name| format!("token {name}")));
    for command in commands {
        assert!(CONFIGURATION.contains(&format!("`windlass {command}")), "{command} is not in the page");
    }
    let known = flags(&help(&["token", "create"]));
    for flag in ["name", "role", "organization"] {
        assert!(known.contains_key(flag) && CONFIGURATION.contains(&format!("`--{flag}`")), "--{flag}");
    }
}

/// The name of a metric without what its kind puts behind it.
fn stem(name: &str) -> &str {
    ["_total", "_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

fn metrics_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("windlass_")).map(|word| stem(word).to_owned()).collect()
}

#[test]
fn the_page_names_all_metrics_and_no_others() {
    let sources = [METRICS, JOB_METRICS].concat();
    let registered = sources.split(".register(").skip(1).map(|rest| rest.split('"').nth(1).unwrap());
    let registered: BTreeSet<String> = registered.map(|name| format!("windlass_{name}")).collect();
    assert!(registered.len() >= 8, "{registered:?}");
    let (_, section) = OPERATIONS.split_once("\n## Metrics\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = rows(section);
    assert_eq!(rows.keys().map(|name| stem(name).to_owned()).collect::<BTreeSet<_>>(), registered);
    // Rules that ask for a metric that is not there would be silent forever.
    for file in [RULES, DASHBOARD] {
        let asked = metrics_of(file);
        assert!(asked.len() > 5 && asked.is_subset(&registered), "{asked:?}");
    }
    let metrics = Metrics::with_jobs(1);
    let job = JobId::create();
    metrics.run_ended(Some(job), RunState::Failed, Trigger::Schedule);
    metrics.time_recorded(chrono::TimeDelta::zero());
    metrics.time_skipped(SkipReason::Missed);
    metrics.answered("GET", 200, std::time::Duration::ZERO);
    let text = metrics.text(QueueDepths::default(), &[sample(job)], 0);
    for (name, kind) in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')) {
        let shown = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        let row = rows.get(shown.as_str()).unwrap_or_else(|| panic!("{shown} is not in the page"));
        assert_eq!(row[0], kind, "{name}");
    }
    for label in ["outcome=\"Failed\"", "trigger=\"Schedule\"", "reason=\"Missed\"", "state=\"queued\""] {
        let (key, value) = label.split_once('=').unwrap();
        let value = value.trim_matches('"');
        assert!(text.contains(label) && section.contains(&format!("`{key}`")) && section.contains(value), "{label}");
    }
}

fn sample(job: JobId) -> JobSample {
    let now = crate::harness::start();
    JobSample {
        id: job,
        name: "nightly \"report\"".into(),
        environment: "production".into(),
        project: "shop".into(),
        next_at: Some(now),
        succeeded_at: Some(now),
        last_state: Some(RunState::Failed),
        last_seconds: Some(1.5),
    }
}

/// Each example of a template can be stored as it is printed.
#[test]
fn the_templates_of_the_page_can_be_read() {
    let of_yaml = WORKSPACES.split("```yaml\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
    let of_shell = WORKSPACES.split(".yaml <<'END'\n").skip(1).map(|rest| rest.split_once("\nEND").unwrap().0);
    let all: Vec<&str> = of_yaml.chain(of_shell).filter(|text| text.starts_with("flow:")).collect();
    assert!(all.len() >= 5, "{all:?}");
    for text in all {
        let steps = template::parse(&STANDARD.encode(text)).unwrap_or_else(|refused| panic!("{text}\n{refused:?}"));
        for scheduled in steps.iter().flat_map(|step| &step.templates) {
            windlass::engine::workspace::next_time(&scheduled.schedule, crate::harness::start()).unwrap();
        }
    }
}

/// The page lists every default template.
#[test]
fn the_default_templates_are_in_the_page() {
    for one in template::DEFAULTS {
        assert!(WORKSPACES.contains(&format!("`{}`", one.name)), "{}", one.name);
    }
}
