//! Environments, calendars, receivers and rules as files.

use serde_json::Value;

use super::{Client, demo};

#[tokio::test]
async fn environments_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let file = folder.path().join("shop.yaml");
    let declared = |minute: u8| {
        let text = format!(
            "project: shop\nenvironment: production\nvariables:\n  WHO: me\nsecrets:\n  WORD: {{file: word}}\njobs:\n  \
             hello:\n    schedule: {minute} 3 1 1 *\n    command: echo \"$WHO\" \"$WORD\" | tr a-z A-Z\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    std::fs::write(folder.path().join("word"), "hidden\n").unwrap();
    declared(5);
    let path = file.to_str().unwrap();
    let planned = client.prints(&["diff", "-f", path], 2);
    assert!(planned.contains("shop/production\tcreate\tjob hello\tschedule\t\t5 3 1 1 *\n"), "{planned}");
    assert!(!planned.contains("hidden"), "{planned}");
    let applied = client.prints(&["apply", "-f", path, "--deploy"], 0);
    assert!(
        applied.starts_with(&planned) && applied.contains("deployment of shop/production is requested"),
        "{applied}"
    );
    assert_eq!(client.prints(&["diff", "-f", path], 0), "shop/production is as declared\n");
    assert_eq!(client.prints(&["apply", "-f", path], 0), "shop/production is unchanged\n");
    let log = client.prints(&["job", "run", "shop/production/hello", "--watch"], 0);
    assert!(log.starts_with("ME "), "{log}");

    let exported = client.prints(&["export", "shop/production"], 0);
    assert!(exported.contains("command: echo \"$WHO\" \"$WORD\" | tr a-z A-Z\n"), "{exported}");
    assert!(exported.contains("WORD:") && !exported.contains("hidden"), "{exported}");
    let copy = folder.path().join("copy.yaml");
    std::fs::write(&copy, &exported).unwrap();
    assert_eq!(client.prints(&["diff", "-f", copy.to_str().unwrap()], 0), "shop/production is as declared\n");
    declared(6);
    let changed = client.prints(&["diff", "-f", path], 2);
    assert_eq!(changed, "shop/production\tchange\tjob hello\tschedule\t5 3 1 1 *\t6 3 1 1 *\n");
    let all = client.prints(&["export"], 0);
    assert!(all.contains("environment: demo") && all.contains("\n---\n"), "{all}");
    // The editor is any program.
    let edited = client.prints(&["job", "edit", "hello", "--editor", "sed -i s/5/7/"], 0);
    assert_eq!(edited, "shop/production\tchange\tjob hello\tschedule\t5 3 1 1 *\t7 3 1 1 *\n");
    let same = client.prints(&["job", "edit", "hello", "--editor", "true"], 0);
    assert_eq!(same, "shop/production/hello is unchanged\n");
    let renamed = client.fails(&["job", "edit", "hello", "--editor", "sed -i s/hello/other/"], 2);
    assert!(renamed.contains("only the job hello is edited here"), "{renamed}");
    std::fs::write(&file, "project: a\nenvironment: b\njobs:\n  x:\n    schedule: never\n").unwrap();
    let refused = client.fails(&["apply", "-f", path], 1);
    assert!(refused.contains("shop.yaml: jobs.x.schedule: "), "{refused}");
    assert!(client.fails(&["diff", "-f", "/nowhere"], 2).contains("/nowhere"));
    let schema: Value = serde_json::from_str(&client.prints(&["schema"], 0)).unwrap();
    assert_eq!(schema["title"], "Windlass environment");
}

/// A crontab becomes a file that can be reviewed, and the file becomes the jobs.
#[tokio::test]
async fn an_imported_crontab_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let crontab = folder.path().join("crontab");
    let lines = "REGION=eu\n# The nightly backup\n30 2 * * * echo \"to $REGION\"\n0 0 */2 * 1 true\n@reboot /opt/agent\n60 * * * * true\n";
    std::fs::write(&crontab, lines).unwrap();
    let words = ["import", "crontab", crontab.to_str().unwrap(), "--time-zone", "Europe/Paris", "--as-file", "--env"];
    let written = client.prints(&[&words[..], &["shop/production"]].concat(), 5);
    assert!(written.contains("# line 6: refused: 60 * * * * true: "), "{written}");
    assert!(written.contains("    schedule: \"@reboot\"\n"), "{written}");
    assert!(written.contains("    description: The nightly backup\n    schedule: 30 2 * * *\n"), "{written}");
    assert!(written.contains("cronjob.day_match: and\n"), "{written}");
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, &written).unwrap();
    let path = file.to_str().unwrap();
    assert!(client.prints(&["apply", "-f", path, "--deploy"], 0).contains("create\tjob echo"));
    assert_eq!(client.prints(&["diff", "-f", path], 0), "shop/production is as declared\n");
    assert_eq!(client.prints(&["job", "run", "shop/production/echo", "--watch"], 0), "to eu\n");
    assert!(client.fails(&[&words[..], &["production"]].concat(), 2).contains("PROJECT/ENVIRONMENT"));
}

#[tokio::test]
async fn calendars_receivers_and_rules_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let file = folder.path().join("all.yaml");
    std::fs::write(folder.path().join("url"), "https://hooks.slack.example.com/services/hidden\n").unwrap();
    let declared = |days: &str, target: &str| {
        let text = format!(
            "calendars:\n  closed:\n    days: {days}\nreceivers:\n  chat:\n    type: SLACK\n    webhook_url: {{file: url}}\n\
             rules:\n  backups:\n    condition: run_failed\n    receivers: [chat]\n    target: {target}\n---\n\
             project: shop\nenvironment: production\njobs:\n  backup:\n    schedule: 0 3 * * *\n    command: \"true\"\n    \
             settings:\n      cronjob.exclude_calendars: [closed]\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    let path = file.to_str().unwrap();
    declared("[2026-12-25]", "{job: shop/production/backup}");
    let planned = client.prints(&["diff", "-f", path], 2);
    assert!(planned.contains("calendars\tcreate\tcalendar closed\tdays\t\t[\"2026-12-25\"]\n"), "{planned}");
    assert!(planned.contains("rules\tcreate\trule backups\treceivers\t\t[\"chat\"]\n"), "{planned}");
    assert!(!planned.contains("hidden"), "{planned}");
    let applied = client.prints(&["apply", "-f", path], 0);
    assert_eq!(applied, planned);
    let same = client.prints(&["diff", "-f", path], 0);
    assert_eq!(
        same,
        "calendars is as declared\nreceivers is as declared\nshop/production is as declared\nrules is as declared\n"
    );
    declared("[2026-12-25, 2026-12-26]", "{job: shop/production/backup}");
    let changed = client.prints(&["apply", "-f", path], 0);
    assert!(changed.contains("calendars\tchange\tcalendar closed\tdays\t[\"2026-12-25\"]\t"), "{changed}");
    declared("[2026-12-25, 2026-12-26]", "{project: shop}");
    let refused = client.fails(&["apply", "-f", path], 2);
    assert!(refused.contains("rules.backups: the target of a rule cannot change"), "{refused}");
    declared("[no day]", "{job: shop/production/backup}");
    let refused = client.fails(&["apply", "-f", path], 1);
    assert!(refused.contains("calendars.closed: days[0]"), "{refused}");
}

#[tokio::test]
async fn checks_and_variables_of_projects_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let file = folder.path().join("shop.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(folder.path().join("word"), "hidden\n").unwrap();
    let declared = |region: &str| {
        let text = format!(
            "project: shop\nenvironment: production\nproject_variables:\n  REGION: {region}\n\
             project_secrets:\n  WORD: {{file: word}}\nchecks:\n  offsite:\n    period_seconds: 3600\n---\n\
             project: shop\nenvironment: staging\nvariables:\n  PLACE: {{alias: REGION}}\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    declared("eu");
    // The alias of the second document is one of the project, which the first one declares.
    let planned = client.prints(&["diff", "-f", path], 2);
    assert_eq!(planned.matches("create\tproject variable REGION\tvalue\t\teu\n").count(), 1, "{planned}");
    assert!(planned.contains("shop/production\tcreate\tcheck offsite\tperiod_seconds\t\t3600\n"), "{planned}");
    assert!(planned.contains("shop/staging\tcreate\tvariable PLACE\talias\t\tREGION\n"), "{planned}");
    assert!(!planned.contains("hidden"), "{planned}");
    assert_eq!(client.prints(&["apply", "-f", path], 0), planned);
    let same = "shop/production is as declared\nshop/staging is as declared\n";
    assert_eq!(client.prints(&["diff", "-f", path], 0), same);
    assert!(client.prints(&["check", "list"], 0).contains("offsite\tshop/production\t"));
    let exported = client.prints(&["export", "shop/production", "shop/staging"], 0);
    assert_eq!(exported.matches("project_variables:\n  REGION: eu\n").count(), 1, "{exported}");
    assert!(exported.contains("checks:\n  offsite:\n    period_seconds: 3600\n"), "{exported}");
    let copy = folder.path().join("copy.yaml");
    std::fs::write(&copy, &exported).unwrap();
    assert_eq!(client.prints(&["diff", "-f", copy.to_str().unwrap()], 0), same);
    declared("us");
    let changed = client.prints(&["apply", "-f", path, "--deploy"], 0);
    assert!(changed.contains("shop/production\tchange\tproject variable REGION\tvalue\teu\tus\n"), "{changed}");
    assert_eq!(changed.matches("is requested").count(), 2, "all environments of the project see it: {changed}");
}

#[tokio::test]
async fn workspaces_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let file = folder.path().join("network.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(folder.path().join("word"), "hidden\n").unwrap();
    let declared = |region: &str, more: &str| {
        let text = format!(
            "workspaces:\n  network:\n    source: https://example.com/network.git\n    folder: /live\n    tool: tofu\n    \
             execution_mode: local\n    template: Plan and apply\n    cluster: local\n    tags: [prod, team=shop]\n    variables:\n      region: {region}\n      \
             zones: {{value: '[\"a\"]', hcl: true}}\n    environment_secrets:\n      TOKEN: {{file: word}}\n{more}"
        );
        std::fs::write(&file, text).unwrap();
    };
    let schedules = "    schedules:\n      - cron: 0 0 5 * * ?\n        template: Plan\n      - cron: 0 0 6 * * ?\n";
    declared("eu", schedules);
    let planned = client.prints(&["diff", "-f", path], 2);
    assert!(planned.contains("workspaces\tcreate\tworkspace network\tvariables.region.value\t\teu\n"), "{planned}");
    assert!(planned.contains("\tenvironment_secrets.TOKEN.value\t\t(secret)\n"), "{planned}");
    assert!(!planned.contains("hidden") && client.prints(&["workspace", "list"], 0).is_empty(), "{planned}");
    assert_eq!(client.prints(&["apply", "-f", path], 0), planned);
    assert_eq!(client.prints(&["apply", "-f", path], 0), "workspaces is unchanged\n");
    assert!(client.prints(&["workspace", "list"], 0).starts_with("network\ttofu\t"));

    let exported = client.prints(&["export"], 0);
    let copy = folder.path().join("copy.yaml");
    std::fs::write(&copy, &exported).unwrap();
    let same = client.prints(&["diff", "-f", copy.to_str().unwrap()], 0);
    assert!(same.starts_with("workspaces is as declared\n"), "{same}\n{exported}");
    assert!(exported.contains("    cluster: local\n"), "{exported}");
    assert!(exported.contains("    tags:\n") && exported.contains("template: Plan and apply\n"), "{exported}");
    assert!(exported.contains("      TOKEN:") && !exported.contains("hidden"), "{exported}");

    // What is not mentioned stays, and what is left out of a list goes.
    declared("us", "    secrets: {}\n");
    let changed = client.prints(&["apply", "-f", path], 0);
    assert_eq!(changed, "workspaces\tchange\tworkspace network\tvariables.region.value\teu\tus\n");
    declared("us", "    schedules: []\n");
    let changed = client.prints(&["apply", "-f", path], 0);
    assert!(changed.starts_with("workspaces\tchange\tworkspace network\tschedules\t[{"), "{changed}");
    assert!(!client.prints(&["export"], 0).contains("schedules"));

    for (text, fault, code) in [
        ("{template: nothing}", "workspaces.network: template: there is no template nothing; there are: ", 3),
        ("{cluster: moon}", "workspaces.network: cluster: there is no cluster moon; there are: local", 3),
        ("{tool: chisel}", "workspaces.network: ", 1),
        ("{secrets: {a: }}", "workspaces.network: secrets.a: has no value, and none is stored", 2),
        ("{vcs: 1}", "workspaces.network.vcs: must be quoted", 2),
    ] {
        std::fs::write(&file, format!("workspaces:\n  network: {text}\n")).unwrap();
        let refused = client.fails(&["apply", "-f", path], code);
        assert!(refused.contains(fault), "{refused}");
    }
    std::fs::write(&file, "workspaces:\n  other:\n    execution_mode: local\n").unwrap();
    assert!(client.prints(&["apply", "-f", path], 0).contains("create\tworkspace other"));
    let pruned = client.prints(&["apply", "-f", path, "--prune", "team=shop"], 0);
    assert_eq!(pruned, "workspaces\tdelete\tworkspace network\t\t\t\n");
    assert_eq!(client.prints(&["workspace", "list"], 0).lines().count(), 1);
}
