//! Tests of reading jobs of Jenkins.

use super::read_jenkins;
use crate::imported::{Imported, Source};

const PROJECT: &str = r#"<?xml version='1.1' encoding='UTF-8'?>
<project>
  <description>Builds &amp; packs</description>
  <properties>
    <hudson.model.ParametersDefinitionProperty>
      <parameterDefinitions>
        <hudson.model.StringParameterDefinition>
          <name>LEVEL</name>
          <defaultValue>2</defaultValue>
          <trim>false</trim>
        </hudson.model.StringParameterDefinition>
        <hudson.model.ChoiceParameterDefinition>
          <name>SIZE</name>
        </hudson.model.ChoiceParameterDefinition>
      </parameterDefinitions>
    </hudson.model.ParametersDefinitionProperty>
  </properties>
  <scm class="hudson.plugins.git.GitSCM" plugin="git@5.2.0"/>
  <assignedNode>linux</assignedNode>
  <disabled>false</disabled>
  <triggers>
    <hudson.triggers.TimerTrigger>
      <spec>TZ=Asia/Tokyo
# At night
H H * * *
0 12 * * 1-5</spec>
    </hudson.triggers.TimerTrigger>
    <hudson.triggers.SCMTrigger>
      <spec>H/5 * * * *</spec>
      <ignorePostCommitHooks>false</ignorePostCommitHooks>
    </hudson.triggers.SCMTrigger>
  </triggers>
  <concurrentBuild>false</concurrentBuild>
  <builders>
    <hudson.tasks.Shell>
      <command>cd sources&#xd;
make all</command>
      <configuredLocalRules/>
    </hudson.tasks.Shell>
    <hudson.tasks.Shell>
      <command>echo &quot;$BUILD_NUMBER&quot;</command>
    </hudson.tasks.Shell>
  </builders>
  <publishers>
    <hudson.tasks.Mailer plugin="mailer@1.34"/>
  </publishers>
  <buildWrappers/>
</project>
"#;

fn read(name: &str, text: &str, job: Option<&str>) -> Imported {
    read_jenkins(&Source { name, text, zone: "Etc/UTC" }, job)
}

#[test]
fn a_project_becomes_a_job() {
    let found = read("/var/lib/jenkins/jobs/folder/jobs/job/config.xml", PROJECT, None);
    let [job] = found.jobs.as_slice() else { panic!("{found:?}") };
    assert_eq!((job.name.as_str(), job.description.as_str(), job.line), ("job", "Builds & packs", 22));
    // What Jenkins selects for folder/job.
    assert_eq!((job.schedules.join(" | ").as_str(), job.zone.as_str()), ("16 15 * * * | 0 12 * * 1-5", "Asia/Tokyo"));
    assert_eq!(job.command[..3], ["/bin/sh", "-xe", "-c"]);
    assert_eq!(job.command[3], "(\ncd sources\nmake all\n)\n(\necho \"$BUILD_NUMBER\"\n)");
    assert_eq!(job.environment["LEVEL"], "2");
    assert_eq!(job.settings["cronjob.concurrency_policy"], "\"Queue\"");
    assert_eq!(job.settings["cronjob.missed_runs"], "\"none\"");
    assert!(!job.settings.contains_key("cronjob.suspend"));
    for part in ["BUILD_", "SIZE", "checks out", "label linux", "hudson.tasks.Mailer"] {
        assert!(job.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", job.notes);
    }
    assert_eq!((found.refused[0].line, found.refused[0].text.as_str()), (28, "hudson.triggers.SCMTrigger"));
    // Under another name, it runs at another time.
    let other = read("config.xml", PROJECT, Some("nightly"));
    assert_ne!(other.jobs[0].schedules[0], job.schedules[0]);
    assert_eq!(other.jobs[0].name, "nightly");
    let unnamed = read("config.xml", PROJECT, None);
    assert!(unnamed.jobs.is_empty());
    assert!(unnamed.refused[1].why.ends_with("(give --job)"), "{:?}", unnamed.refused);
}

#[test]
fn pipelines_and_other_shells() {
    let pipeline = |property: &str| {
        format!(
            "<flow-definition plugin='workflow-job@2'><properties>{property}<org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty>\
             <triggers><hudson.triggers.TimerTrigger><spec>0 6 * * *</spec></hudson.triggers.TimerTrigger></triggers>\
             </org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty></properties>\
             <definition class='org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition'><script>sh 'make'</script></definition>\
             <triggers/><disabled>true</disabled></flow-definition>"
        )
    };
    let found = read("nightly.xml", &pipeline(""), None);
    let job = &found.jobs[0];
    assert_eq!((job.name.as_str(), job.says_what_to_run()), ("nightly", false));
    assert_eq!(job.settings["cronjob.concurrency_policy"], "\"Allow\"");
    assert_eq!(job.settings["cronjob.suspend"], "true");
    let single = "<org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty/>";
    let found = read("nightly.xml", &pipeline(single), None);
    assert_eq!(found.jobs[0].settings["cronjob.concurrency_policy"], "\"Queue\"");

    let project = |builders: &str| {
        let timer =
            "<triggers><hudson.triggers.TimerTrigger><spec>0 6 * * *</spec></hudson.triggers.TimerTrigger></triggers>";
        read("a.xml", &format!("<project>{timer}<builders>{builders}</builders></project>"), None).jobs.remove(0)
    };
    let shell = |text: &str| format!("<hudson.tasks.Shell><command>{text}</command></hudson.tasks.Shell>");
    let bash = project(&shell("#!/usr/bin/env bash\nset -e"));
    assert_eq!(bash.command, ["/usr/bin/env", "bash", "-c", "#!/usr/bin/env bash\nset -e"]);
    assert_eq!(project(&shell("make")).command, ["/bin/sh", "-xe", "-c", "make"]);
    for other in [
        shell("#!/usr/bin/python3\nprint(1)"),
        format!("{}{}", shell("make"), shell("#!/bin/bash\nls")),
        format!("{}<hudson.tasks.Maven><targets>a</targets></hudson.tasks.Maven>", shell("make")),
    ] {
        let job = project(&other);
        assert!(job.command.is_empty() && job.notes.iter().any(|note| note.contains("left out")), "{:?}", job.notes);
    }
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let timer = |spec: &str| {
        format!("<triggers><hudson.triggers.TimerTrigger><spec>{spec}</spec></hudson.triggers.TimerTrigger></triggers>")
    };
    for (text, why) in [
        ("<project><triggers/></project>".to_owned(), "it has no TimerTrigger"),
        (format!("<matrix-project>{}</matrix-project>", timer("0 6 * * *")), "a matrix runs"),
        (format!("<project>{}</project>", timer("0 6 * * 1#2")), "jenkins"),
        (format!("<project>{}</project>", timer("TZ=Mars/Olympus\n0 6 * * *")), "Mars/Olympus"),
        ("<project>".to_owned(), "it cannot be read"),
    ] {
        let found = read("a.xml", &text, None);
        assert!(found.jobs.is_empty() && found.refused[0].why.contains(why), "{why}: {found:?}");
    }
    // A timer looks at every minute: one that the clocks skip is none, and one that comes twice is two.
    let text = format!("<project>{}</project>", timer("30 2 * * *"));
    let found = read_jenkins(&Source { name: "a.xml", text: &text, zone: "Europe/Paris" }, None);
    let changes = found.jobs[0].clock_changes;
    assert_eq!(changes.gap, Some(windlass_schedule::GapRule::Skip));
    assert_eq!(changes.overlap, Some(windlass_schedule::OverlapRule::Both));
}
