//! Tests of reading jobs of Nomad.

use serde_json::{Value, json};

use super::read_nomad;
use crate::imported::{Imported, Source};

fn read(text: &str) -> Imported {
    read_nomad(&Source { name: "job.json", text, zone: "Europe/Paris" })
}

fn inspected() -> Value {
    json!({"Job": {
        "ID": "report", "Name": "report", "Namespace": "shop", "Type": "batch", "Stop": false,
        "Constraints": null, "ParameterizedJob": null,
        "Periodic": {
            "Enabled": true, "Spec": "", "Specs": ["30 6 * * 1-5", "0 12 * * SAT"], "SpecType": "cron",
            "ProhibitOverlap": true, "TimeZone": "Asia/Tokyo",
        },
        "TaskGroups": [{
            "Name": "report", "Count": 1,
            "RestartPolicy": {"Attempts": 2, "Delay": 15_000_000_000_u64, "Mode": "fail"},
            "ReschedulePolicy": {"Attempts": 1, "Unlimited": false},
            "Tasks": [{
                "Name": "report", "Driver": "docker", "User": "",
                "Config": {"image": "registry.example/report:4", "command": "/bin/report", "args": ["--all", "${NOMAD_JOB_ID}"]},
                "Env": {"LEVEL": "2"}, "Templates": [{"EmbeddedTmpl": "x"}], "Artifacts": null,
            }],
        }],
    }})
}

#[test]
fn a_periodic_job_becomes_a_job() {
    let text = serde_json::to_string_pretty(&inspected()).unwrap();
    let found = read(&text);
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.name.as_str(), job.zone.as_str()), ("report", "Asia/Tokyo"));
    assert_eq!(job.schedules, ["30 6 * * 1-5", "0 12 * * 6"]);
    assert_eq!(job.image.as_deref(), Some("registry.example/report:4"));
    assert_eq!(job.command, ["/bin/report", "--all", "${NOMAD_JOB_ID}"]);
    assert_eq!((job.environment["LEVEL"].as_str(), job.max_restarts, job.user.as_deref()), ("2", Some(2), None));
    assert_eq!(job.settings["cronjob.concurrency_policy"], "\"Forbid\"");
    for part in ["namespace shop", "entrypoint", "${...}", "templates", "reschedule"] {
        assert!(job.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", job.notes);
    }
    assert!(!job.notes.iter().any(|note| note.contains("artifacts")), "{:?}", job.notes);

    let mut plain = inspected();
    let job = &mut plain["Job"];
    job["Periodic"] = json!({"Enabled": false, "Spec": "0 6 * * 7", "SpecType": "cron", "ProhibitOverlap": false});
    job["TaskGroups"][0]["Tasks"][0] =
        json!({"Driver": "raw_exec", "User": "app", "Config": {"command": "/bin/a", "args": ["b"]}});
    // The API gives the job itself, and several can follow each other.
    let found = read(&format!("{}\n{}", plain["Job"], inspected()));
    assert_eq!(found.jobs.len(), 2);
    let job = &found.jobs[0];
    assert_eq!(
        (job.schedules[0].as_str(), job.zone.as_str(), job.user.as_deref()),
        ("0 6 * * 0", "Etc/UTC", Some("app"))
    );
    assert_eq!((job.command.as_slice(), job.image.as_ref()), (&["/bin/a".to_owned(), "b".to_owned()][..], None));
    assert_eq!((job.settings["process.user"].as_str(), job.environment["USER"].as_str()), ("\"app\"", "app"));
    assert_eq!(job.settings["cronjob.suspend"], "true");
    assert_eq!(job.settings["cronjob.concurrency_policy"], "\"Allow\"");
    let mut other = inspected();
    let task = &mut other["Job"]["TaskGroups"][0]["Tasks"][0];
    task["User"] = json!("app");
    task["Config"]["image"] = json!("localhost:5000/report");
    let found = read(&other.to_string());
    let job = &found.jobs[0];
    let expected = (Some("localhost:5000/report:latest"), None);
    assert_eq!((job.image.as_deref(), job.settings.get("process.user")), expected);
    assert!(job.notes.iter().any(|note| note.contains("runs its container as app")), "{:?}", job.notes);
}

const FILE: &str = r#"
# The report of the shop.
variable "level" { default = "2" }

job "report" {
  datacenters = ["dc1"]
  type        = "batch"

  periodic {
    crons            = ["30 6 * * 1-5", "0 12 * * SAT"]
    time_zone        = "Asia/Tokyo"
    prohibit_overlap = true
  }

  group "report" {
    restart {
      attempts = 2
      mode     = "fail"
    }
    task "report" {
      driver = "docker"
      config {
        image      = "registry.example/report:4"
        entrypoint = ["/bin/report"]
        args       = ["--all", "--day", "${NOMAD_META_day}"]
      }
      env {
        LEVEL = var.level
        SIZE  = 3
      }
      template {
        data        = <<EOF
key = {{ key "a" }}
EOF
        destination = "local/a"
      }
    }
  }
}

job "plain" {
  periodic {
    cron    = "@daily"
    enabled = false
  }
  task "a" {
    driver = "exec"
    config {
      command = "/bin/a"
      args = [<<EOS
set -eu
exec b
EOS
      ]
    }
    env = {
      SIZE  = "${attr.size}"
      "DAY" = 1
    }
  }
}
"#;

#[test]
fn files_are_read_as_the_api_gives_their_jobs() {
    let found = read(FILE);
    let [report, plain] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((report.name.as_str(), report.line, report.zone.as_str()), ("report", 5, "Asia/Tokyo"));
    assert_eq!(report.schedules, ["30 6 * * 1-5", "0 12 * * 6"]);
    assert_eq!(report.image.as_deref(), Some("registry.example/report:4"));
    assert_eq!(report.command, ["/bin/report", "--all", "--day", "${NOMAD_META_day}"]);
    assert_eq!((report.environment["LEVEL"].as_str(), report.environment["SIZE"].as_str()), ("${var.level}", "3"));
    assert_eq!((report.max_restarts, report.settings["cronjob.concurrency_policy"].as_str()), (Some(2), "\"Forbid\""));
    for part in ["${...}", "templates"] {
        assert!(report.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", report.notes);
    }
    assert_eq!(
        (plain.schedules[0].as_str(), plain.command.as_slice()),
        ("0 0 * * *", &["/bin/a".to_owned(), "set -eu\nexec b\n".into()][..])
    );
    assert_eq!((plain.settings["cronjob.suspend"].as_str(), plain.line), ("true", 41));
    assert_eq!((plain.environment["SIZE"].as_str(), plain.environment["DAY"].as_str()), ("${attr.size}", "1"));
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let cases: &[(&str, Value, &str)] = &[
        ("/Periodic", Value::Null, "it is not periodic"),
        ("/Periodic", json!(true), "nomad job inspect has them"),
        ("/Periodic/Specs", json!(["0 0 1 1 * 2028"]), "no years"),
        ("/Periodic/Specs", json!(["30 0 6 * * * *"]), "resolution of one minute"),
        ("/Periodic/Specs", json!([]), "its schedule is empty"),
        ("/Periodic/SpecType", json!("test"), "the kind test"),
        ("/ParameterizedJob", json!({"Payload": "required"}), "when it is dispatched"),
        ("/Type", json!("sysbatch"), "every node"),
        ("/TaskGroups/0/Count", json!(2), "a count other than 1"),
        ("/TaskGroups/0/Tasks", json!([{}, {}]), "several Tasks"),
        ("/TaskGroups/0/Tasks/0/Driver", json!("java"), "the driver \"java\""),
        ("/TaskGroups/0/Tasks/0/Config", json!({}), "its task has no image"),
    ];
    for (path, value, why) in cases {
        let mut changed = inspected();
        *changed["Job"].pointer_mut(path).unwrap() = value.clone();
        let found = read(&changed.to_string());
        assert!(found.jobs.is_empty() && found.refused[0].why.contains(why), "{why}: {found:?}");
        assert_eq!(found.refused[0].text, "report");
    }
    for (text, why) in [
        ("job \"a\" {\n  periodic {}\n}\n", "its schedule is empty"),
        ("job \"a\" {\n  periodic {\n    cron = var.when\n  }\n}\n", "periodic cron: its value is elsewhere"),
        ("variable \"a\" {}\n", "it has no job"),
        ("job \"a\" {", "it cannot be read"),
    ] {
        assert!(read(text).refused[0].why.contains(why), "{why}: {:?}", read(text).refused);
    }
}
