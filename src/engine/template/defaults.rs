//! Pure: the templates that every organization starts with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A template that every organization starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultTemplate {
    pub name: &'static str,
    pub description: &'static str,
    pub flow: &'static str,
}

impl DefaultTemplate {
    /// The template in its stored form.
    #[must_use]
    pub fn stored(self) -> String {
        STANDARD.encode(self.flow)
    }
}

/// The team of approvals that the Terraform command line requests itself.
pub const TERRAFORM_CLI: &str = "TERRAFORM_CLI";

/// The template of a plan from the command line that is applied after approval.
pub const CLI_APPLY: &str = "Terraform-Plan/Apply-Cli";

/// The template of a plan from the command line that destroys everything after approval.
pub const CLI_DESTROY: &str = "Terraform-Plan/Destroy-Cli";

/// A plan that is looked at, and nothing else.
pub const PLAN: DefaultTemplate = DefaultTemplate {
    name: "Plan",
    description: "Shows what would change",
    flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n",
};

/// A plan that is applied at once.
pub const APPLY: DefaultTemplate = DefaultTemplate {
    name: "Plan and apply",
    description: "Plans changes and applies them",
    flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n- type: terraformApply\n  name: Apply\n  step: 200\n",
};

/// Whether a flow in its stored form is one of the defaults, word for word. They run no scripts, so that whoever may do what their steps do
/// may ask for them without a template.
#[must_use]
pub fn is_default(stored: &str) -> bool {
    DEFAULTS.iter().any(|one| one.stored() == stored)
}

/// The templates that every organization starts with; clients look them up by name.
pub const DEFAULTS: [DefaultTemplate; 5] = [
    PLAN,
    APPLY,
    DefaultTemplate {
        name: "Destroy",
        description: "Destroys everything in the state",
        flow: "flow:\n- type: terraformDestroy\n  name: Destroy\n  step: 100\n",
    },
    DefaultTemplate {
        name: CLI_APPLY,
        description: "A plan from the command line, applied after approval",
        flow: "flow:\n- type: terraformPlan\n  name: Plan\n  step: 100\n- type: approval\n  name: Approve\n  step: 150\n  team: \
               TERRAFORM_CLI\n- type: terraformApply\n  name: Apply\n  step: 200\n",
    },
    DefaultTemplate {
        name: CLI_DESTROY,
        description: "A destroy plan from the command line, applied after approval",
        flow: "flow:\n- type: terraformPlanDestroy\n  name: Plan\n  step: 100\n- type: approval\n  name: Approve\n  step: 150\n  \
               team: TERRAFORM_CLI\n- type: terraformApply\n  name: Apply\n  step: 200\n",
    },
];

#[cfg(test)]
mod tests {
    use super::super::flow_step::FlowType;
    use super::super::parse::parse;
    use super::{DEFAULTS, TERRAFORM_CLI};

    #[test]
    fn the_defaults_can_be_read() {
        let kinds: Vec<Vec<FlowType>> =
            DEFAULTS.iter().map(|one| parse(&one.stored()).unwrap().iter().map(|step| step.kind).collect()).collect();
        use FlowType::*;
        assert_eq!(
            kinds,
            [
                vec![TerraformPlan],
                vec![TerraformPlan, TerraformApply],
                vec![TerraformDestroy],
                vec![TerraformPlan, Approval, TerraformApply],
                vec![TerraformPlanDestroy, Approval, TerraformApply],
            ]
        );
        assert!(DEFAULTS.iter().all(|one| super::is_default(&one.stored())) && !super::is_default("Zmxvdzo="));
        let teams = DEFAULTS.iter().flat_map(|one| parse(&one.stored()).unwrap()).filter_map(|step| step.team);
        assert!(teams.eq([TERRAFORM_CLI, TERRAFORM_CLI].map(str::to_owned)));
    }
}
