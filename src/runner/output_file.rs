//! Where steps write their outputs.

/// Where a step writes its outputs (place and name of the official API).
pub const OUTPUT_FOLDER: &str = "/qovery-output";

/// The file in it.
pub const OUTPUT_FILE: &str = "qovery-output.json";

/// Tells a step where that file is, wherever it runs.
pub const OUTPUT_VARIABLE: &str = "WINDLASS_OUTPUT_FILE";

/// The largest file of outputs that is read, in bytes; a reader may be given one byte more, to see that it is larger.
pub const OUTPUT_BYTES: u64 = 1024 * 1024;
