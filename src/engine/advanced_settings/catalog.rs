//! Pure: the keys, types and defaults of the advanced settings of jobs (named as in the official API, with its defaults).

use serde_json::{Map, Value, json};

/// Which values a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// An integer between two bounds.
    Number(i64, i64),
    /// An integer between two bounds, or null.
    OptionalNumber(i64, i64),
    Boolean,
    /// A string of at most 255 characters.
    Text,
    /// The absolute path of a folder, or an empty string.
    Path,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// One of these strings, or null.
    OptionalOneOf(&'static [&'static str]),
    /// A list of at most 50 exit codes.
    ExitCodes,
    /// A list of at most 20 names.
    Names,
    /// A map from string to string with at most 100 entries.
    Texts,
}

/// The value of a setting that is not stored.
#[derive(Clone, Copy, Debug)]
enum Default {
    Null,
    False,
    Number(i64),
    Text(&'static str),
    EmptyList,
    EmptyObject,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub key: &'static str,
    pub kind: SettingKind,
    default: Default,
}

impl Setting {
    /// The value if none is stored.
    #[must_use]
    pub fn default(self) -> Value {
        match self.default {
            Default::Null => Value::Null,
            Default::False => Value::Bool(false),
            Default::Number(number) => number.into(),
            Default::Text(text) => text.into(),
            Default::EmptyList => json!([]),
            Default::EmptyObject => json!({}),
        }
    }
}

const fn setting(key: &'static str, kind: SettingKind, default: Default) -> Setting {
    Setting { key, kind, default }
}

const DAY: i64 = 86_400;
const LARGE: i64 = i32::MAX as i64;

/// All settings.
pub const SETTINGS: [Setting; 36] = [
    setting("build.timeout_max_sec", SettingKind::Number(0, DAY), Default::Number(1800)),
    setting("build.cpu_max_in_milli", SettingKind::Number(0, LARGE), Default::Number(4000)),
    setting("build.ram_max_in_gib", SettingKind::Number(0, LARGE), Default::Number(8)),
    setting("build.disable_buildkit_cache", SettingKind::Boolean, Default::False),
    setting("build.skip_git_submodules", SettingKind::Boolean, Default::False),
    setting("deployment.termination_grace_period_seconds", SettingKind::Number(0, DAY), Default::Number(60)),
    setting("deployment.affinity.node.required", SettingKind::Texts, Default::EmptyObject),
    setting("job.delete_ttl_seconds_after_finished", SettingKind::OptionalNumber(0, LARGE), Default::Null),
    setting(
        "cronjob.concurrency_policy",
        SettingKind::OneOf(&["Forbid", "Allow", "Replace", "Queue"]),
        Default::Text("Forbid"),
    ),
    setting("cronjob.failed_jobs_history_limit", SettingKind::Number(0, 10_000), Default::Number(1)),
    setting("cronjob.success_jobs_history_limit", SettingKind::Number(0, 10_000), Default::Number(1)),
    setting("security.service_account_name", SettingKind::Text, Default::Text("")),
    setting("security.automount_service_account_token", SettingKind::Boolean, Default::False),
    setting("security.read_only_root_filesystem", SettingKind::Boolean, Default::False),
    setting("cronjob.missed_runs", SettingKind::OneOf(&["none", "latest", "all"]), Default::Text("latest")),
    setting("cronjob.missed_runs_limit", SettingKind::Number(1, 1000), Default::Number(100)),
    setting("cronjob.starting_deadline_seconds", SettingKind::OptionalNumber(1, LARGE), Default::Null),
    setting("cronjob.jitter_seconds", SettingKind::Number(0, DAY), Default::Number(0)),
    setting("cronjob.day_match", SettingKind::OneOf(&["or", "and"]), Default::Text("or")),
    setting("cronjob.dst_gap", SettingKind::OptionalOneOf(&["run_after", "shift", "skip"]), Default::Null),
    setting("cronjob.dst_overlap", SettingKind::OptionalOneOf(&["first", "last", "both"]), Default::Null),
    setting("cronjob.suspend", SettingKind::Boolean, Default::False),
    setting("cronjob.manual_runs_count", SettingKind::Boolean, Default::False),
    setting("cronjob.exclude_calendars", SettingKind::Names, Default::EmptyList),
    setting("cronjob.only_calendars", SettingKind::Names, Default::EmptyList),
    setting("job.retry_backoff_seconds", SettingKind::Number(0, DAY), Default::Number(10)),
    setting("job.success_exit_codes", SettingKind::ExitCodes, Default::EmptyList),
    setting("job.fail_fast_exit_codes", SettingKind::ExitCodes, Default::EmptyList),
    setting("job.history_succeeded_count", SettingKind::Number(1, 10_000), Default::Number(100)),
    setting("job.history_failed_count", SettingKind::Number(1, 10_000), Default::Number(200)),
    setting("job.history_succeeded_days", SettingKind::Number(1, 3650), Default::Number(30)),
    setting("job.history_failed_days", SettingKind::Number(1, 3650), Default::Number(90)),
    setting("process.home", SettingKind::Path, Default::Text("")),
    setting("process.path", SettingKind::Text, Default::Text("")),
    setting("process.working_folder", SettingKind::Path, Default::Text("")),
    setting("process.user", SettingKind::Text, Default::Text("")),
];

/// The default of every setting.
#[must_use]
pub fn defaults() -> Map<String, Value> {
    SETTINGS.iter().map(|setting| (setting.key.to_owned(), setting.default())).collect()
}
