//! Pure: files and variables that the server and the scripts of steps agree on.

/// The file with the result of a step.
pub const RESULT_FILE: &str = "result.json";

/// The file with the plan of a step.
pub const PLAN_FILE: &str = "plan";

/// The largest plan that is kept, in bytes.
pub const PLAN_BYTES: u64 = 64 * 1024 * 1024;

/// The file with the plan as JSON; empty if it is too large to show.
pub const PLAN_JSON_FILE: &str = "plan.json";

/// The largest JSON form of a plan that is read, in bytes.
pub const PLAN_JSON_BYTES: u64 = 8 * 1024 * 1024;

/// The file with the schemas of providers as JSON; empty if it is too large.
pub const PROVIDERS_JSON_FILE: &str = "providers.json";

/// The largest list of schemas that is read, in bytes.
pub const PROVIDERS_JSON_BYTES: u64 = 64 * 1024 * 1024;

/// The variable with the folder of the source.
pub const SOURCE_VARIABLE: &str = "WINDLASS_SOURCE";

/// The folder of the source in a container.
pub const SOURCE_FOLDER: &str = "/windlass/source";

/// The variable with the folder that the steps of a job keep, see `ProcessOptions::kept`.
pub const KEPT_VARIABLE: &str = "WINDLASS_KEPT";

/// The file in that folder by which a step says that the source there is for the next one, as it left it.
pub const LEFT_FILE: &str = "left";

/// The variable with the URL of the step's files, if the step fetches them itself.
pub const FILES_VARIABLE: &str = "WINDLASS_FILES";

/// The variable with the `Authorization` header for that URL.
pub const AUTHORIZATION_VARIABLE: &str = "WINDLASS_AUTHORIZATION";

/// The file in the source with the id of the commit.
pub const COMMIT_FILE: &str = ".windlass-commit";
