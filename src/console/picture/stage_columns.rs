//! Pure: the stages of an environment from left to right, with their jobs and states. A list, which needs no table behind it.

use maud::{Markup, html};

use super::shade::Shade;

/// A stage.
#[derive(Clone, Debug)]
pub struct StageColumn {
    pub name: String,
    pub jobs: Vec<StageEntry>,
}

/// A job of a stage.
#[derive(Clone, Debug)]
pub struct StageEntry {
    pub name: String,
    pub href: String,
    /// None if the job is not deployed.
    pub shade: Option<Shade>,
    /// The state in words.
    pub state: String,
}

/// The stages, in the order in which they are deployed.
#[must_use]
pub fn stages(stages: &[StageColumn], of: &str) -> Markup {
    html! {
        ol.stages aria-label={ "Stages of " (of) } {
            @for stage in stages {
                li.stage {
                    h3 { (stage.name) }
                    @if stage.jobs.is_empty() { p.soft { "No jobs" } }
                    ul {
                        @for job in &stage.jobs {
                            li {
                                a href=(job.href) { (job.name) }
                                " "
                                span class={ "state" @if let Some(shade) = job.shade { " " (shade.class()) } } { (job.state) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_in_order() {
        let job = |name: &str, shade| StageEntry {
            name: name.into(),
            href: "/job/1".into(),
            shade,
            state: "Ended <i>".into(),
        };
        let columns = [
            StageColumn { name: "migrate".into(), jobs: vec![job("a <b>", Some(Shade::Failed)), job("c", None)] },
            StageColumn { name: "serve".into(), jobs: Vec::new() },
        ];
        let markup = stages(&columns, "production").into_string();
        assert!(markup.contains("aria-label=\"Stages of production\"") && markup.contains("No jobs"), "{markup}");
        assert!(markup.contains("<span class=\"state failed\">Ended &lt;i&gt;</span>"), "{markup}");
        assert!(markup.contains("<span class=\"state\">") && markup.find("migrate") < markup.find("serve"), "{markup}");
    }
}
