//! What the settings of a job are called in its form, and those of a workspace.

/// The names of settings in a stored configuration, with their words.
const WORDS: [(&str, &str); 44] = [
    ("name", "Name"),
    ("description", "Description"),
    ("cpu_milli", "CPU (thousandths of a core)"),
    ("memory_mib", "Memory (MiB)"),
    ("gpu", "GPUs"),
    ("ephemeral_storage_gib", "Temporary storage (GiB)"),
    ("cpu_architecture", "CPU architecture"),
    ("max_nb_restart", "Retries of a failed run"),
    ("max_duration_seconds", "Time limit (seconds)"),
    ("port", "Port"),
    ("source.image_name", "Image"),
    ("source.tag", "Tag of the image"),
    ("source.registry_id", "Registry"),
    ("source.git_repository.url", "Repository"),
    ("source.git_repository.branch", "Branch"),
    ("source.git_repository.root_path", "Folder in the repository"),
    ("source.dockerfile_path", "Dockerfile"),
    ("schedule.scheduled_at", "Cron expression"),
    ("schedule.timezone", "Time zone"),
    ("annotations_groups", "Annotation groups"),
    ("labels_groups", "Label groups"),
    // Those of workspaces.
    ("reason", "Reason"),
    ("comments", "Comment"),
    ("job", "Job"),
    ("serial", "Serial"),
    ("branch", "Branch"),
    ("folder", "Folder"),
    ("terraformVersion", "Version of the tool"),
    ("iacType", "Tool"),
    ("executionMode", "Where it runs"),
    ("destroyProtection", "Protection against destroying"),
    ("defaultTemplate", "Default template"),
    ("templateReference", "Template"),
    ("key", "Name"),
    ("category", "Category"),
    ("sensitive", "Sensitive"),
    ("hcl", "HCL"),
    ("cron", "Schedule"),
    ("enabled", "Enabled"),
    ("refreshOnly", "Looks for drift only"),
    ("tag", "Tag"),
    ("who", "Who"),
    ("operation", "Operation"),
    ("stateKept", "The state is kept"),
];

/// The commands of a LIFECYCLE job.
const EVENTS: [(&str, &str); 3] =
    [("schedule.on_start", "On start: "), ("schedule.on_stop", "On stop: "), ("schedule.on_delete", "On delete: ")];

/// The words for a setting; its name if it is in no form.
pub(super) fn setting_words(name: &str) -> String {
    if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == name) {
        return (*words).to_owned();
    }
    // The pages call advanced settings by their names.
    if let Some(setting) = name.strip_prefix("settings.") {
        return setting.to_owned();
    }
    let mut commands = EVENTS.iter().copied().chain([("schedule.command", "")]);
    let found = commands.find_map(|(of, event)| {
        let part = match name.strip_prefix(of)?.strip_prefix('.')? {
            "entrypoint" => "Entrypoint",
            "arguments" => "Arguments",
            _ => return None,
        };
        Some(format!("{event}{part}"))
    });
    found.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::setting_words;

    #[test]
    fn settings_are_called_as_in_their_form() {
        for (name, words) in [
            ("schedule.scheduled_at", "Cron expression"),
            ("schedule.command.arguments", "Arguments"),
            ("schedule.on_stop.entrypoint", "On stop: Entrypoint"),
            ("settings.cronjob.dst_gap", "cronjob.dst_gap"),
            ("source.image_name", "Image"),
            ("healthchecks.liveness_probe.period_seconds", "healthchecks.liveness_probe.period_seconds"),
        ] {
            assert_eq!(setting_words(name), words);
        }
    }
}
