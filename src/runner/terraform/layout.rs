//! Pure: the files and variables by which the server and the script of a step find each other.

/// The file in which a step says what it came to.
pub const RESULT_FILE: &str = "result.json";

/// The file of a plan.
pub const PLAN_FILE: &str = "plan";

/// The largest plan that is kept, in bytes.
pub const PLAN_BYTES: u64 = 64 * 1024 * 1024;

/// Where the checked out source is.
pub const SOURCE_VARIABLE: &str = "WINDLASS_SOURCE";

/// Where they are in a container.
pub const SOURCE_FOLDER: &str = "/windlass/source";

/// What a step that fetches its files itself finds them at, and how it shows who it is.
pub const FILES_VARIABLE: &str = "WINDLASS_FILES";

pub const AUTHORIZATION_VARIABLE: &str = "WINDLASS_AUTHORIZATION";

/// The file in the source that names the commit.
pub const COMMIT_FILE: &str = ".windlass-commit";
