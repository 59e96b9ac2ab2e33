//! Pure: the part of a script that writes configuration for what is to be imported and has none. It is in the JSON form of the plan, from
//! which the program of whoever asked for it takes it; a plan that fails has none, so its log shows what was written.

/// The option of a plan. The file does not end in `.tf`, so that it does not belong to the module.
pub(super) const GENERATE: &str = " -generate-config-out=windlass.generated";

/// Shows the file.
pub(super) const SHOW_GENERATED: &str = "[ ! -f windlass.generated ] || { echo; cat windlass.generated; }\n";
