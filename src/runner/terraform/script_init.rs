//! Pure: the part of a script that initializes the module, and what a plan leaves to its apply.

use super::shell_words::{given, quoted};

/// Leaves the source to the step that applies the plan, with what the plan has made in it, and, separately, what `init` has fetched.
pub(super) const KEEP: &str = "if [ -n \"$changed\" ] && [ -n \"$WINDLASS_KEPT\" ]; then\n\
                               if [ -d .terraform ] && [ ! -L .terraform ]; then\n\
                               rm -rf \"$WINDLASS_KEPT/.terraform\" && mv .terraform \"$WINDLASS_KEPT/\"\nfi\n\
                               : > \"$WINDLASS_KEPT/left\"\nfi\n";

/// Notes the version of the tool: `known` is the line that it prints about it, unless it has to be asked.
pub(super) fn version_of(known: Option<&str>, tool: &str) -> String {
    let version = known.map_or_else(|| format!("$({tool} version 2>/dev/null | head -n 1)"), quoted);
    format!("version={version}\n")
}

/// Initializes the module, unless `from_plan` and what the plan needed is still there: a plan contains the configuration, and the tool
/// compares its providers with the lock file.
pub(super) fn initialized(tool: &str, from_plan: bool) -> String {
    let begin = "set -- \"-var-file=$WINDLASS_VALUES\"\n".to_owned();
    let init = format!(
        "if early; then\n{}run {tool} init -input=false -no-color \"$@\" || fail $?\n\
         else\nrun {tool} init -input=false -no-color || fail $?\nfi\n",
        given("init")
    );
    if !from_plan {
        return begin + &init;
    }
    format!(
        "{begin}if [ -n \"$WINDLASS_KEPT\" ] && [ -d \"$WINDLASS_KEPT/.terraform\" ] && rm -rf .terraform \\\n\
         && mv \"$WINDLASS_KEPT/.terraform\" .terraform; then\n\
         echo 'The providers and modules of the plan are used, so the module is not initialized again.'\n\
         else\n{init}fi\n"
    )
}
