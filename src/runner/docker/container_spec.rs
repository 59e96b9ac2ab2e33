//! Turns a step into a container to create and the files to copy into it.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};

use crate::runner::output_file::{OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_VARIABLE};
use crate::runner::step_spec::{Image, StepFile, StepSpec};
use crate::runner::terraform::layout::{SOURCE_FOLDER, SOURCE_VARIABLE};

/// The label of our containers; its value is the name of the step.
pub(super) const LABEL: &str = "windlass.step";

const MOST_PROCESSES: i64 = 4096;

/// The driver that stores output byte by byte. `json-file` damages characters that lie across two of its entries.
const LOG_DRIVER: &str = "local";

/// How much of its output the engine keeps of a container. Its lines are copied long before that.
const LOG_OPTIONS: [(&str, &str); 2] = [("max-size", "512m"), ("max-file", "2")];

pub(super) fn container(step: &StepSpec, image: &Image) -> ContainerCreateBody {
    let memory_bytes = i64::from(step.memory_mib) * 1024 * 1024;
    let mut labels: HashMap<String, String> = step.labels.iter().cloned().collect();
    labels.insert(LABEL.into(), step.name.clone());
    let output = format!("{OUTPUT_VARIABLE}={OUTPUT_FOLDER}/{OUTPUT_FILE}");
    let folder = step.source.as_ref().map(|_| format!("{SOURCE_VARIABLE}={SOURCE_FOLDER}"));
    let variables = step.environment.iter().map(|(name, value)| format!("{name}={}", value.expose()));
    // A new volume starts with the content of the image at that path.
    let volumes = step.read_only_root.then(|| [vec![OUTPUT_FOLDER.to_owned()], folders(step)].concat());
    let log_options = LOG_OPTIONS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let log = HostConfigLogConfig { typ: Some(LOG_DRIVER.into()), config: Some(HashMap::from(log_options)) };
    ContainerCreateBody {
        image: Some(image.reference.clone()),
        entrypoint: step.entrypoint.clone().map(|program| vec![program]),
        cmd: (!step.arguments.is_empty()).then(|| step.arguments.clone()),
        env: Some(variables.chain([output]).chain(folder).collect()),
        stop_signal: step.interrupt.then(|| "SIGINT".to_owned()),
        labels: Some(labels),
        volumes,
        host_config: Some(HostConfig {
            nano_cpus: Some(i64::from(step.cpu_milli) * 1_000_000),
            memory: Some(memory_bytes),
            memory_swap: Some(memory_bytes),
            readonly_rootfs: step.read_only_root.then_some(true),
            pids_limit: Some(MOST_PROCESSES),
            security_opt: Some(vec!["no-new-privileges".into()]),
            log_config: Some(log),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// The tar archives to copy into a container before its start, each with its target folder. With a read-only root file
/// system each folder is a volume of its own; otherwise one archive goes to the root.
pub(super) fn uploads(step: &StepSpec) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    if !step.read_only_root {
        let outputs = format!("{}/", OUTPUT_FOLDER.trim_start_matches('/'));
        let files = step.files.iter().map(|file| (file.path.trim_start_matches('/'), file));
        return Ok(vec![("/".to_owned(), archive(Some(&outputs), files)?)]);
    }
    let mut uploads = vec![(OUTPUT_FOLDER.to_owned(), archive(Some("./"), std::iter::empty())?)];
    for folder in folders(step) {
        let inside = |file: &'_ StepFile| file.path.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
        let files = step.files.iter().filter(|file| inside(file));
        let named = files.map(|file| (file.path.rsplit('/').next().unwrap_or_default(), file));
        uploads.push((folder.clone(), archive(None, named)?));
    }
    Ok(uploads)
}

/// The folders of the files of a step, without duplicates.
fn folders(step: &StepSpec) -> Vec<String> {
    let parents = step.files.iter().filter_map(|file| file.path.rsplit_once('/'));
    let mut folders: Vec<String> = parents.map(|(parent, _)| parent.to_owned()).collect();
    folders.sort();
    folders.dedup();
    folders
}

/// A tar archive of a folder that any user of the image may write to, and of read-only files.
fn archive<'a>(folder: Option<&str>, files: impl Iterator<Item = (&'a str, &'a StepFile)>) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    if let Some(name) = folder {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(0o777);
        header.set_cksum();
        archive.append_data(&mut header, name, std::io::empty())?;
    }
    for (name, file) in files {
        let content = file.content.expose().as_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        header.set_cksum();
        archive.append_data(&mut header, name, content)?;
    }
    archive.into_inner()
}
