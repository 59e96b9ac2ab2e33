//! The variables of projects, environments and jobs, as people see and change them. Callers have loaded the scope through `access`.

mod create;
mod edit;
mod import_variables;
mod own;
mod parent;
mod save;
mod shown_variable;
pub(super) mod variable_check;
mod visible;

pub use self::create::{NewAlias, NewOverride, NewVariable, create, create_alias, create_override};
pub use self::edit::{VariableEdit, delete, edit};
pub use self::import_variables::{Import, ImportedVariable, import};
pub use self::own::{HIERARCHY, find_own};
pub use self::parent::Parent;
pub use self::shown_variable::{ShownTarget, ShownVariable, scope_of};
pub use self::visible::visible;
