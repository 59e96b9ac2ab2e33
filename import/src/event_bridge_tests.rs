//! Tests of reading schedules of EventBridge.

use serde_json::{Value, json};
use windlass_schedule::{GapRule, OverlapRule};

use super::read_event_bridge;
use crate::imported::{Imported, Source};

fn read(text: &str) -> Imported {
    read_event_bridge(&Source { name: "schedules.json", text, zone: "Europe/Paris" })
}

fn schedule() -> Value {
    json!({
        "ActionAfterCompletion": "NONE", "Arn": "arn:aws:scheduler:eu-west-1:1:schedule/default/nightly",
        "Description": "Every night", "EndDate": null, "StartDate": null, "GroupName": "default", "Name": "nightly",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "ScheduleExpression": "cron(30 2 ? * MON-FRI *)", "ScheduleExpressionTimezone": "Europe/Madrid",
        "State": "DISABLED",
        "Target": {"Arn": "arn:aws:lambda:eu-west-1:1:function:a", "RoleArn": "r", "RetryPolicy": {"MaximumRetryAttempts": 3}},
    })
}

#[test]
fn schedules_of_the_command_line() {
    let mut plain = schedule();
    plain["Name"] = "plain".into();
    plain["FlexibleTimeWindow"] = json!({"Mode": "OFF"});
    plain["State"] = "ENABLED".into();
    plain["ScheduleExpression"] = "cron(0 12 L * ? *)".into();
    let found = read(&format!("{:#}\n{:#}", schedule(), plain));
    let [first, second] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.name.as_str(), first.description.as_str()), ("nightly", "Every night"));
    assert_eq!((first.schedules[0].as_str(), first.zone.as_str()), ("30 2 * * 1-5", "Europe/Madrid"));
    // The manual: a time that the clocks skip does not run, and one that comes twice runs once. Both are on Sundays here.
    assert_eq!((first.clock_changes.gap, first.clock_changes.overlap), (None, None));
    assert_eq!(first.settings["cronjob.jitter_seconds"], "900");
    assert_eq!((first.settings["cronjob.suspend"].as_str(), first.says_what_to_run()), ("true", false));
    assert!(first.notes.iter().any(|note| note.contains("function:a")), "{:?}", first.notes);
    assert!(first.notes.iter().any(|note| note.contains("RetryPolicy")), "{:?}", first.notes);
    assert_eq!(second.schedules, ["0 12 L * *"]);
    assert!(
        !second.settings.contains_key("cronjob.suspend") && !second.settings.contains_key("cronjob.jitter_seconds")
    );

    let mut sunday = schedule();
    sunday["ScheduleExpression"] = "cron(30 2 ? * SUN *)".into();
    let found = read(&sunday.to_string());
    let changes = found.jobs[0].clock_changes;
    assert_eq!((changes.gap, changes.overlap), (Some(GapRule::Skip), Some(OverlapRule::First)));
}

#[test]
fn rules_and_templates() {
    let rules = json!({"Rules": [
        {"Name": "hourly", "Arn": "a", "ScheduleExpression": "cron(0 * * * ? *)", "State": "ENABLED"},
        {"Name": "events", "EventPattern": "{}", "State": "ENABLED"},
        {"Name": "both", "EventPattern": "{}", "ScheduleExpression": "cron(5 * * * ? *)", "State": "ENABLED"},
        {"Name": "rate", "ScheduleExpression": "rate(5 minutes)", "State": "ENABLED"},
    ]});
    let found = read(&rules.to_string());
    assert_eq!((found.jobs[0].schedules[0].as_str(), found.jobs[0].zone.as_str()), ("0 * * * *", "Etc/UTC"));
    assert!(found.refused[0].why.contains("counts from the start"), "{:?}", found.refused);
    assert_eq!((found.jobs.len(), found.refused.len()), (2, 1));
    assert!(found.jobs[1].notes.iter().any(|note| note.contains("waits for events")), "{:?}", found.jobs[1].notes);

    let template = r"AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn}
  Nightly:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: !Sub '${AWS::StackName}-nightly'
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: cron(15 4 * * ? *)
      Target:
        Arn: !GetAtt Worker.Arn
  Computed:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: {Ref: When}
  Named:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: !Ref When
  Else:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: cron(15 4 * * ? *)
      State: !If [Big, ENABLED, DISABLED]
  Inside:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {A: !If [Big, !Sub '${Name}-a', !FindInMap [a, b, c]]}}
      Events: {Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}, Queue: {Type: SQS}}
  Sometimes:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: cron(15 4 * * ? *)
      State: !Ref State
";
    let found = read(template);
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.name.as_str(), job.line, job.schedules[0].as_str()), ("Nightly", 6, "15 4 * * *"));
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for (name, part) in [
        ("Computed", "computed"),
        ("Named", "no cron(...)"),
        ("Sometimes", "its State is computed"),
        ("Else", "its State is computed"),
        ("Inside.Daily", "serverless functions"),
    ] {
        assert!(refused.iter().any(|(text, why)| *text == name && why.contains(part)), "{name}: {refused:?}");
    }
}

#[test]
fn what_has_no_equivalent_is_refused() {
    for (key, value, why) in [
        ("ScheduleExpression", json!("at(2027-01-01T00:00:00)"), "it runs once"),
        ("ScheduleExpression", json!("cron(0 12 ? * MON 2027)"), "no years"),
        ("ScheduleExpression", json!("cron(0 12 1 * MON *)"), "cannot both be given"),
        ("ScheduleExpression", Value::Null, "get-schedule has them"),
        ("ScheduleExpressionTimezone", json!({"Ref": "Zone"}), "computed by the template"),
        ("ScheduleExpression", json!("cron(0 * ? * * *)"), "come twice"),
        ("StartDate", json!("2027-01-01T00:00:00Z"), "take the StartDate out"),
        ("EndDate", json!("2027-01-01T00:00:00Z"), "a schedule that ends"),
        ("FlexibleTimeWindow", json!({"Mode": "SOMETIMES"}), "neither OFF nor FLEXIBLE"),
    ] {
        let mut changed = schedule();
        changed[key] = value;
        let found = read(&changed.to_string());
        assert!(found.jobs.is_empty() && found.refused[0].why.contains(why), "{why}: {found:?}");
    }
    assert!(read("{\"Resources\": {}}").refused[0].why.contains("it has no schedule"));
}
