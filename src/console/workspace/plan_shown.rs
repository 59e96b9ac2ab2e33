//! A plan as a readable difference.

use maud::{Markup, html};

use super::plan_text::{PlanText, Sign};
use crate::console::widgets::state;

/// The most lines of one resource.
const LINES: usize = 500;

/// The resources that a plan changes, each with its lines.
pub(super) fn plan(plan: &PlanText) -> Markup {
    html! {
        section.card aria-label="Plan" {
            h3 { "Plan" }
            @if let Some(text) = &plan.summary { p { strong { (text) } } }
            @for block in &plan.blocks {
                details open[plan.blocks.len() <= 20] {
                    summary {
                        @if block.sign != Sign::None { (state((block.sign.class(), block.sign.label()))) " " }
                        code { (block.title) }
                    }
                    pre.plan {
                        @for line in block.lines.iter().take(LINES) {
                            @let sign = Sign::of_line(line);
                            @if sign == Sign::None { (line) "\n" }
                            @else { span class={ "sign " (sign.class()) } { (line) } "\n" }
                        }
                        @if block.lines.len() > LINES { "… " (block.lines.len() - LINES) " more lines in the log" }
                    }
                }
            }
        }
    }
}
