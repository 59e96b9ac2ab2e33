//! The choice of a template for a job that starts at once: one that destroys is not chosen beforehand, and asks.

use entity::id::OrganizationId;
use entity::template;
use maud::Markup;

use crate::app::App;
use crate::console::problems::Problems;
use crate::console::widgets::{Entry, choice_that_asks};
use crate::engine::template::{FlowStep, FlowType, destroys, parse};
use crate::error::Result;
use crate::store;

/// A template that can be chosen.
struct Offer {
    id: String,
    name: String,
    destroys: bool,
    /// Whether it only says what would change.
    is_plan: bool,
}

impl From<template::Model> for Offer {
    fn from(row: template::Model) -> Self {
        // A flow that cannot be read is refused when it is chosen.
        let flow = parse(&row.tcl).unwrap_or_default();
        let plans = |step: &FlowStep| step.is_bare_plan() && step.kind == FlowType::TerraformPlan;
        Self {
            id: row.id.to_string(),
            name: row.name,
            destroys: destroys(&flow),
            is_plan: !flow.is_empty() && flow.iter().all(plans),
        }
    }
}

/// The templates of an organization.
pub(super) struct TemplateChoice(Vec<Offer>);

impl TemplateChoice {
    pub(super) async fn read(app: &App, organization: OrganizationId) -> Result<Self> {
        let rows = store::workspace::list_templates(&app.db, organization).await?;
        Ok(Self(rows.into_iter().map(Offer::from).collect()))
    }

    /// What is chosen beforehand: the default of the workspace, or else a plan; nothing that destroys.
    pub(super) fn beforehand(&self, default: Option<&str>) -> String {
        let default = self.0.iter().find(|offer| default == Some(offer.id.as_str()) && !offer.destroys);
        default.or_else(|| self.0.iter().find(|offer| offer.is_plan)).map(|offer| offer.id.clone()).unwrap_or_default()
    }

    /// The field. `question` is asked before one that destroys is started.
    pub(super) fn show(&self, chosen: &str, question: &str, problems: &Problems) -> Markup {
        let none = Entry { value: "", words: "Choose a template", question: None };
        let of = |offer| {
            let Offer { id, name, destroys, .. }: &Offer = offer;
            Entry { value: id, words: name, question: destroys.then_some(question) }
        };
        let all = std::iter::once(none).chain(self.0.iter().map(of));
        choice_that_asks("templateReference", "Template", all, chosen, problems)
    }
}
