//! Nothing is deleted by a slip.

use crate::failure::Failure;

/// Why something is not deleted without `--yes`, by which scripts and people say that they mean it.
pub(crate) fn unconfirmed(what: &str) -> Failure {
    Failure::Usage(format!("this deletes {what} for ever: repeat it with --yes"))
}
