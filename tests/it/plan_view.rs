//! Plans that OpenTofu itself made, as a readable difference.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use windlass::engine::plan_view::{PlanAction, PlanValue, PlanView, ResourceChange, read};

use crate::runner::needed;

/// OpenTofu in a folder of its own.
struct Tofu {
    program: std::path::PathBuf,
    folder: tempfile::TempDir,
}

impl Tofu {
    fn run(&self, arguments: &[&str]) -> String {
        let mut done = Command::new(&self.program);
        let done =
            done.args(arguments).current_dir(self.folder.path()).env_remove("TF_CLI_CONFIG_FILE").output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn write(&self, configuration: &str) {
        std::fs::write(self.folder.path().join("main.tf"), configuration).unwrap();
    }

    /// Plans a configuration, and reads the plan.
    fn plan(&self, configuration: &str) -> PlanView {
        self.write(configuration);
        self.run(&["plan", "-no-color", "-input=false", "-out=plan"]);
        let document: Value = serde_json::from_str(&self.run(&["show", "-json", "plan"])).unwrap();
        read(&document, None).unwrap()
    }
}

const BEFORE: &str = r#"
variable "password" {
  default   = "not-shown-1"
  sensitive = true
}
resource "terraform_data" "changed" { input = { size = 1, tags = ["a", "b"], password = var.password } }
resource "terraform_data" "replaced" {
  input            = "same"
  triggers_replace = ["one"]
}
resource "terraform_data" "removed" { input = "gone" }
resource "terraform_data" "old_name" { input = "moved" }
output "password" {
  value     = var.password
  sensitive = true
}
output "size" { value = 1 }
"#;

const AFTER: &str = r#"
variable "password" {
  default   = "not-shown-2"
  sensitive = true
}
resource "terraform_data" "changed" { input = { size = 2, tags = ["a", "c"], password = var.password } }
resource "terraform_data" "replaced" {
  input            = "same"
  triggers_replace = ["two"]
}
resource "terraform_data" "new_name" { input = "moved" }
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
resource "terraform_data" "added" { input = terraform_data.replaced.id }
output "password" {
  value     = var.password
  sensitive = true
}
output "size" { value = 2 }
"#;

fn resource<'a>(plan: &'a PlanView, name: &str) -> &'a ResourceChange {
    let address = format!("terraform_data.{name}");
    plan.resources.iter().find(|found| found.address == address).unwrap_or_else(|| panic!("{name}: {plan:?}"))
}

fn value<'a>(of: &'a ResourceChange, path: &str) -> (&'a PlanValue, &'a PlanValue, bool) {
    let row = of.attributes.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path}: {of:?}"));
    (&row.old, &row.new, row.forces_replacement)
}

#[test]
fn plans_of_opentofu() {
    let Some(tools) = needed("WINDLASS_TEST_TOOLS") else { return };
    let tofu = Tofu { program: Path::new(&tools).join("tofu"), folder: tempfile::tempdir().unwrap() };
    tofu.write(BEFORE);
    tofu.run(&["init", "-no-color", "-input=false"]);
    let created = tofu.plan(BEFORE);
    assert_eq!((created.counts.add, created.counts.change, created.counts.destroy), (4, 0, 0));
    assert_eq!(value(resource(&created, "removed"), "id").1, &PlanValue::Unknown);
    tofu.run(&["apply", "-no-color", "plan"]);
    let plan = tofu.plan(AFTER);
    let known = |text: &str| PlanValue::Known(text.to_owned());
    let counts = plan.counts;
    assert_eq!((counts.add, counts.change, counts.destroy, counts.replace, counts.moved), (2, 1, 2, 1, 1), "{plan:?}");
    let changed = resource(&plan, "changed");
    assert_eq!(changed.action, PlanAction::Update);
    assert_eq!(value(changed, "input.size"), (&known("1"), &known("2"), false));
    assert_eq!(value(changed, "input.tags[1]"), (&known("b"), &known("c"), false));
    assert_eq!(value(changed, "input.password"), (&PlanValue::Sensitive, &PlanValue::Sensitive, false));
    assert!(!changed.attributes.iter().any(|row| row.path.ends_with("tags[0]") && row.path.starts_with("input")));
    let replaced = resource(&plan, "replaced");
    assert_eq!((replaced.action, replaced.creates_first), (PlanAction::Replace, false));
    assert_eq!(replaced.reason.as_deref(), Some("an attribute cannot be changed in place"));
    assert_eq!(value(replaced, "triggers_replace[0]"), (&known("one"), &known("two"), true));
    assert!(!value(replaced, "id").2 && value(replaced, "id").1 == &PlanValue::Unknown);
    assert_eq!(resource(&plan, "removed").action, PlanAction::Delete);
    let moved = resource(&plan, "new_name");
    assert_eq!((moved.action, moved.moved_from.as_deref()), (PlanAction::Move, Some("terraform_data.old_name")));
    assert_eq!(resource(&plan, "added").action, PlanAction::Create);
    let outputs: Vec<_> = plan.outputs.iter().map(|output| (output.name.as_str(), &output.values[0].new)).collect();
    assert_eq!(outputs, [("password", &PlanValue::Sensitive), ("size", &known("2"))]);
    assert!(!format!("{plan:?}{created:?}").contains("not-shown"));
}
