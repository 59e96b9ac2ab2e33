//! An environment as a file declares it: compared with what is stored, and stored in one transaction.
//!
//! What is declared of a job is all that is said of it: what is left out has its default. Variables, secrets and stages that are not
//! mentioned at all stay as they are, and nothing is deleted that the caller has not asked to be.

mod apply;
mod check_changes;
mod compare;
mod declared_place;
mod pruned_label;
mod stage_changes;
mod step;
mod variable_changes;
mod variables;
mod wanted;
mod write_check;
mod write_step;
mod written_so_far;

pub use self::apply::{apply, preview};
pub use self::compare::{stage_names, state_of};
pub use self::declared_place::Target;
pub use self::stage_changes::default_stage;
pub use self::step::{CheckState, JobState, StageState, Step, VariableOwner};
pub use self::wanted::{
    Label, WantedEnvironment, WantedJob, WantedStage, WantedValue, WantedVariable, WantedVariables,
};
