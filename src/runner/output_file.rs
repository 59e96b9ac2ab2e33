//! Where steps write their outputs.

/// The folder that a step writes its outputs to (defined by the official API).
pub const OUTPUT_FOLDER: &str = "/qovery-output";

/// The output file in that folder (defined by the official API).
pub const OUTPUT_FILE: &str = "qovery-output.json";

/// The variable that holds the path of the output file, wherever the step runs.
pub const OUTPUT_VARIABLE: &str = "WINDLASS_OUTPUT_FILE";

/// The largest output file that is read, in bytes.
pub const OUTPUT_BYTES: u64 = 1024 * 1024;
