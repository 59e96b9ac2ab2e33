//! The variables of projects, environments and jobs.

mod change;
mod import_page;
mod list;
mod owner;
mod variable_form;

pub(super) use self::list::table as variable_table;
pub(super) use self::owner::VariableOwner;

use poem::{Route, get, post};

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/project/:id/variables", get(list::of_project))
        .at("/environment/:id/variables", get(list::of_environment))
        .at("/variables/:scope/:id/new", get(variable_form::new).post(change::create))
        .at("/variables/:scope/:id/import", get(import_page::show).post(import_page::save))
        .at("/variables/:scope/:id/:variable/edit", get(variable_form::edit).post(change::edit))
        .at("/variables/:scope/:id/:variable/override", get(variable_form::override_).post(change::override_))
        .at("/variables/:scope/:id/:variable/alias", get(variable_form::alias).post(change::alias))
        .at("/variables/:scope/:id/:variable/delete", post(change::delete))
}
