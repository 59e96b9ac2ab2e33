//! Pure: what each advanced setting does, in words.

/// What a setting does.
#[must_use]
pub fn meaning(key: &str) -> &'static str {
    match key {
        "build.timeout_max_sec" => "The time limit for a build, in seconds.",
        "build.cpu_max_in_milli" | "build.ram_max_in_gib" => "No effect here; stored for official clients.",
        "cronjob.failed_jobs_history_limit" => "On Kubernetes: how many failed Jobs of a CronJob are kept there.",
        "cronjob.success_jobs_history_limit" => "On Kubernetes: how many succeeded Jobs of a CronJob are kept there.",
        "build.disable_buildkit_cache" => "A build starts without the results of earlier ones.",
        "build.skip_git_submodules" => "A build does not check out submodules.",
        "deployment.termination_grace_period_seconds" => {
            "The time between the stop signal and the kill. The default stands for the value of the server."
        }
        "deployment.affinity.node.required" => "On Kubernetes: the labels that a node must have.",
        "job.delete_ttl_seconds_after_finished" => "On Kubernetes: how long a finished Job is kept, in seconds.",
        "cronjob.concurrency_policy" => {
            "What happens at a scheduled time while a run of the schedule is open: Forbid skips the time, Allow starts \
             another run, Replace cancels the open one, Queue waits for it."
        }
        "security.service_account_name" => "On Kubernetes: the service account of the pod.",
        "security.automount_service_account_token" => "On Kubernetes: the pod has the token of its service account.",
        "security.read_only_root_filesystem" => "The root filesystem of the container is read-only.",
        "cronjob.missed_runs" => "Which of the times that were missed while no server was running are caught up on.",
        "cronjob.missed_runs_limit" => "The most missed times that are caught up on, if all are.",
        "cronjob.starting_deadline_seconds" => "How late a run may still start; null means no limit.",
        "cronjob.jitter_seconds" => {
            "Delays every scheduled time by up to this many seconds, by the same delay each time, so that many jobs do \
             not start at once."
        }
        "cronjob.day_match" => {
            "If the schedule restricts both day of month and day of week: or runs on days that either of them matches, and \
             only on days that both match."
        }
        "cronjob.dst_gap" => "What happens to a time that the clock skips.",
        "cronjob.dst_overlap" => "Which occurrence of a time that the clock repeats runs.",
        "cronjob.suspend" => "Suspends the schedule: nothing runs at its times.",
        "cronjob.manual_runs_count" => {
            "Manual runs count for the concurrency policy, as if the schedule had started them."
        }
        "cronjob.exclude_calendars" => "The names of calendars: nothing runs at the times that are in one of them.",
        "cronjob.only_calendars" => "The names of calendars: the schedule runs only at times that are in one of them.",
        "job.retry_backoff_seconds" => "The pause before the second attempt; it doubles with each further attempt.",
        "job.success_exit_codes" => "Exit codes that count as success, in addition to 0.",
        "job.fail_fast_exit_codes" => "Exit codes after which a failed run is not retried.",
        "job.history_succeeded_count" => "How many succeeded runs are kept.",
        "job.history_failed_count" => "How many failed and cancelled runs are kept.",
        "job.history_succeeded_days" => "How many days succeeded runs are kept.",
        "job.history_failed_days" => "How many days failed and cancelled runs are kept.",
        "process.home" => "For plain processes: the value of HOME; empty for the scratch folder.",
        "process.path" => "For plain processes: the value of PATH; empty for the standard folders of programs.",
        "process.working_folder" => "For plain processes: the folder that they start in; empty for the scratch folder.",
        "process.user" => "For plain processes: the user that they run as; empty for that of the server.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::SETTINGS;
    use super::meaning;

    #[test]
    fn every_setting_is_explained() {
        for setting in SETTINGS {
            assert!(meaning(setting.key).ends_with('.'), "{}", setting.key);
        }
        assert_eq!(meaning("unknown"), "");
    }
}
