//! Tests of reading jobs of Quartz.

use super::read_quartz;
use crate::imported::{Imported, Source};

const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<job-scheduling-data xmlns="http://www.quartz-scheduler.org/xml/JobSchedulingData"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.8">
  <pre-processing-commands><delete-jobs-in-group>*</delete-jobs-in-group></pre-processing-commands>
  <schedule>
    <job>
      <name>Report</name>
      <group>shop</group>
      <description>Sends the report</description>
      <job-class>com.example.Report</job-class>
      <job-data-map><entry><key>level</key><value>2</value></entry></job-data-map>
    </job>
    <trigger>
      <cron>
        <name>nightly</name>
        <job-name>Report</job-name>
        <job-group>shop</job-group>
        <misfire-instruction>MISFIRE_INSTRUCTION_DO_NOTHING</misfire-instruction>
        <cron-expression>0 30 2 ? * FRI-MON</cron-expression>
        <time-zone>Europe/Madrid</time-zone>
      </cron>
    </trigger>
    <trigger>
      <cron>
        <name>monthly</name><job-name>Report</job-name><job-group>shop</job-group>
        <cron-expression>0 0 6 LW * ?</cron-expression>
      </cron>
    </trigger>
    <trigger>
      <simple>
        <name>often</name><job-name>Report</job-name><repeat-count>-1</repeat-count><repeat-interval>60000</repeat-interval>
      </simple>
    </trigger>
    <trigger>
      <cron>
        <name>later</name><job-name>Report</job-name><start-time>2027-01-01T00:00:00</start-time>
        <cron-expression>0 0 6 * * ?</cron-expression>
      </cron>
    </trigger>
    <trigger>
      <cron><name>seconds</name><job-name>Other</job-name><cron-expression>0/10 * * * * ?</cron-expression></cron>
    </trigger>
    <trigger>
      <cron><name>unknown</name><job-name>Other</job-name><cron-expression>0 0 6 * * ?</cron-expression></cron>
    </trigger>
  </schedule>
</job-scheduling-data>
"#;

fn read(text: &str) -> Imported {
    read_quartz(&Source { name: "quartz_data.xml", text, zone: "Etc/UTC" })
}

#[test]
fn each_trigger_becomes_a_job() {
    let found = read(FILE);
    let [nightly, monthly, unknown] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((nightly.name.as_str(), nightly.line, nightly.zone.as_str()), ("Report", 14, "Europe/Madrid"));
    assert_eq!((nightly.schedules[0].as_str(), nightly.description.as_str()), ("30 2 * * 0,1,5,6", "Sends the report"));
    // Quartz leaves a skipped time out, and runs the second one of two.
    assert_eq!(nightly.clock_changes.gap, Some(windlass_schedule::GapRule::Skip));
    assert_eq!(nightly.clock_changes.overlap, Some(windlass_schedule::OverlapRule::Last));
    assert_eq!(nightly.settings["cronjob.missed_runs"], "\"none\"");
    for part in ["com.example.Report", "left out: level"] {
        assert!(nightly.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", nightly.notes);
    }
    assert_eq!(
        (monthly.name.as_str(), monthly.schedules[0].as_str(), monthly.zone.as_str()),
        ("Report-2", "0 6 LW * *", "Etc/UTC")
    );
    assert_eq!(monthly.settings["cronjob.missed_runs"], "\"latest\"");
    assert!(unknown.notes.iter().any(|note| note.contains("DEFAULT.Other is not in the file")), "{:?}", unknown.notes);
    let refused: Vec<(&str, &str)> = found.refused.iter().map(|row| (row.text.as_str(), row.why.as_str())).collect();
    for ((name, why), (expected, part)) in refused.iter().zip([
        ("often", "counts from its start"),
        ("later", "take the start-time out"),
        ("seconds", "resolution of one minute"),
    ]) {
        assert!(*name == expected && why.contains(part), "{name} {why}");
    }
    assert_eq!(refused.len(), 3);
}

#[test]
fn other_files_are_refused() {
    let dotnet = FILE.replace("http://www.quartz-scheduler.org/xml", "http://quartznet.sourceforge.net");
    assert!(read(&dotnet).refused[0].why.contains("Quartz.NET"));
    assert!(read("<job-scheduling-data/>").refused[0].why.contains("it has no trigger"));
    assert!(read("{}").refused[0].why.contains("it cannot be read"));
}
