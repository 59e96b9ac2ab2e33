//! Pure: the config.xml of a job of Jenkins.

use super::dialect::JENKINS_TIMER;
use super::imported::{Imported, ImportedJob, Source};
use super::text::interpreter;
use super::translation::Given;
use super::xml::Element;

/// The property of pipelines that have one build at a time.
const ONE_BUILD: &str = "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty";

/// Variables that Jenkins sets for the commands of a build, by how their names begin.
const BUILD_VARIABLES: [&str; 8] =
    ["WORKSPACE", "BUILD_", "JOB_", "JENKINS_", "NODE_", "EXECUTOR_NUMBER", "GIT_", "SVN_"];

/// Reads the file of a job. The values of `H` follow from its full name, such as `folder/nightly`, which is in no file but in the
/// folders of the file.
#[must_use]
pub fn read_jenkins(source: &Source<'_>, name: Option<&str>) -> Imported {
    let mut found = Imported::default();
    let root = match Element::parse(source.text) {
        Ok(root) => root,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let full_name = name.map(str::to_owned).or_else(|| name_of_folders(source.name));
    let timers = root.descendants("hudson.triggers.TimerTrigger");
    for (kind, why) in [
        ("hudson.triggers.SCMTrigger", "it looks for changes of a repository, which has no equivalent"),
        (
            "org.jenkinsci.plugins.parameterizedscheduler.ParameterizedTimerTrigger",
            "a schedule with parameters has no equivalent: write one job for each",
        ),
    ] {
        for trigger in root.descendants(kind) {
            found.refuse(trigger.line, kind, why);
        }
    }
    if timers.is_empty() && found.refused.is_empty() {
        found.refuse(root.line, source.name, "it has no TimerTrigger");
    }
    for timer in timers {
        let spec = timer.child("spec").map(Element::text).unwrap_or_default();
        found.push(timer.line, spec.trim(), job(&root, &spec, full_name.as_deref(), source));
    }
    found
}

/// The full name of a job by the folders of its file: `jobs/folder/jobs/nightly/config.xml`.
fn name_of_folders(path: &str) -> Option<String> {
    let mut parts = path.split(['/', '\\']).rev().skip(1);
    let mut names = Vec::new();
    while let (Some(name), Some("jobs")) = (parts.next(), parts.next()) {
        names.insert(0, name);
    }
    (!names.is_empty()).then(|| names.join("/"))
}

fn job(root: &Element, spec: &str, full_name: Option<&str>, source: &Source<'_>) -> Result<ImportedJob, String> {
    if root.name == "matrix-project" {
        return Err("a matrix runs a build for each combination, which has no equivalent".into());
    }
    let named = full_name.and_then(|name| name.rsplit('/').next());
    let mut job = ImportedJob {
        name: named.unwrap_or_else(|| source.stem()).to_owned(),
        description: root.value("description").unwrap_or_default().to_owned(),
        ..ImportedJob::default()
    };
    let given =
        Given { dialect: "jenkins", version: JENKINS_TIMER, expression: spec, zone: source.zone, job: full_name };
    job.translate(&given).map_err(|why| {
        let remedy = if full_name.is_none() && why.contains("full name of the job") { " (give --job)" } else { "" };
        format!("{why}{remedy}")
    })?;
    if root.value("disabled") == Some("true") {
        job.suspend();
    }
    job.lose_missed_runs();
    let is_pipeline = root.name == "flow-definition";
    let is_single = !root.descendants(ONE_BUILD).is_empty();
    if is_pipeline && !is_single || root.value("concurrentBuild") == Some("true") {
        job.set_concurrency("Allow");
    } else {
        job.set_concurrency("Queue");
        job.note("of the builds that wait, Jenkins keeps one; here all of them run");
    }
    if is_pipeline {
        job.note("the steps of its pipeline are left out");
    }
    steps(&mut job, root);
    parameters(&mut job, root);
    surroundings(&mut job, root);
    Ok(job)
}

/// The command: the steps of a job, if all of them are texts for a shell.
fn steps(job: &mut ImportedJob, root: &Element) {
    let steps = root.child("builders").map_or(&[][..], |builders| builders.children.as_slice());
    if let Some(other) = steps.iter().find(|step| step.name != "hudson.tasks.Shell") {
        job.note(format!("its steps are left out, because not all of them are commands for a shell: {}", other.name));
        return;
    }
    let texts: Vec<String> =
        steps.iter().filter_map(|step| step.child("command")).map(|command| command.text()).collect();
    let uses = |name: &&&str| {
        texts.iter().any(|text| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")))
    };
    if let Some(name) = BUILD_VARIABLES.iter().find(uses) {
        job.note(format!("its command uses variables that Jenkins sets, such as {name}"));
    }
    match texts.as_slice() {
        [] => {}
        [text] if text.starts_with("#!") => match interpreter(text) {
            Some(shell) => job.command = shell.into_iter().chain(["-c".into(), text.clone()]).collect(),
            None => job.note("its step is left out, because it is no text for a shell"),
        },
        texts if texts.iter().any(|text| text.starts_with("#!")) => {
            job.note("its steps are left out, because they have different interpreters");
        }
        texts => {
            // Each step is a process of its own: what one of them sets does not hold for the next one.
            let text = match texts {
                [text] => text.clone(),
                texts => texts.iter().map(|text| format!("(\n{}\n)", text.trim_end())).collect::<Vec<_>>().join("\n"),
            };
            job.command = vec!["/bin/sh".into(), "-xe".into(), "-c".into(), text];
        }
    }
}

fn parameters(job: &mut ImportedJob, root: &Element) {
    for definitions in root.descendants("parameterDefinitions") {
        for definition in &definitions.children {
            let Some(name) = definition.value("name") else { continue };
            match definition.name.as_str() {
                "hudson.model.StringParameterDefinition"
                | "hudson.model.TextParameterDefinition"
                | "hudson.model.BooleanParameterDefinition" => {
                    let value = definition.child("defaultValue").map(Element::text).unwrap_or_default();
                    job.environment.insert(name.to_owned(), value);
                }
                _ => job.note(format!("set the parameter {name} as a variable")),
            }
        }
    }
}

fn surroundings(job: &mut ImportedJob, root: &Element) {
    let scm = root.child("scm").and_then(|scm| scm.attribute("class")).unwrap_or("hudson.scm.NullSCM");
    if scm != "hudson.scm.NullSCM" {
        job.note("Jenkins checks out its repository before the steps; the command has to do that here");
    }
    if let Some(label) = root.value("assignedNode") {
        job.note(format!("it runs on nodes with the label {label}"));
    }
    for (part, what) in [("buildWrappers", "surrounds its steps"), ("publishers", "comes after its steps")] {
        let names: Vec<&str> = root
            .child(part)
            .map(|part| part.children.iter().map(|child| child.name.as_str()).collect())
            .unwrap_or_default();
        if !names.is_empty() {
            job.note(format!("what {what} is left out: {}", names.join(", ")));
        }
    }
}

#[cfg(test)]
#[path = "jenkins_tests.rs"]
mod tests;
